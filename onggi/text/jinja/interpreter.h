#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/text/jinja/syntax.h"

namespace onggi::text::jinja {

/// Arguments of a call, filter or test.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// By place or by name; nullptr where it was not given.
  const Value* find(std::size_t index, std::string_view name) const;
};

/// Runs a parsed template once. Work is counted, so that a hostile template ends with kExhausted: steps and bytes
/// moved together, size of a text, depth of recursion. Confined to one thread.
class Interpreter {
 public:
  struct Variable {
    std::string name;
    Value value;
  };

  /// `date` is what strftime_now tells, as YYYY-MM-DD; "" leaves strftime_now undefined.
  Interpreter(const Block& block, std::vector<Variable> context, std::string date);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  MarkedText run();

  // For built-in filters, tests and methods.

  /// Counts `bytes` of work; throws kExhausted past the budget.
  void charge(std::size_t bytes);
  /// Charges for a text and checks its size.
  Value checked(MarkedText text);
  /// The items of a list, the keys of a dict, the characters of a string; nothing of undefined. Fails on others.
  std::vector<Value> items_of(const Value& value, Place place);
  Value attribute_of(const Value& object, const MarkedText& name, Place place);
  /// By index or key; undefined where there is none.
  Value item_of(const Value& object, const Value& key, Place place);
  Value call_filter(const std::string& name, const Value& value, const Arguments& arguments, Place place);
  bool call_test(const std::string& name, const Value& value, const Arguments& arguments, Place place);
  bool contains(const Value& container, const Value& item, Place place);
  /// -1, 0, 1; fails where Python can't order the two.
  int compare(const Value& a, const Value& b, Place place);
  const std::string& date() const { return date_; }

 private:
  enum class Flow { kNormal, kBreak, kContinue };
  using Frame = std::vector<std::pair<std::string_view, Value>>;

  Flow run_block(const Block& block, MarkedText& out);
  Flow run_statement(const Statement& s, MarkedText& out);
  Flow run_for(const Statement& s, MarkedText& out);
  void run_set(const Statement& s);
  void assign(std::string_view name, Value value);
  void unpack(const std::vector<std::string>& names, const Value& value, Frame& frame, Place place);
  Value look_up(const std::string& name) const;

  Value evaluate(const Expression& e);
  Value evaluate_binary(const Expression& e);
  Value evaluate_compare(const Expression& e);
  Value evaluate_slice(const Expression& e);
  Value evaluate_call(const Expression& e);
  Arguments evaluate_arguments(const Expression& e);
  Value call_macro(const Statement& macro, const Arguments& arguments, Place place);
  Value call_function(const Function& function, const Arguments& arguments, Place place);
  Value make_namespace(const Arguments& arguments, Place place);
  Value add(const Value& a, const Value& b, Place place);
  Value arithmetic(const std::string& op, const Value& a, const Value& b, Place place);

  const Block& block_;
  std::vector<Variable> context_;
  std::string date_;
  std::vector<Frame> frames_;
  std::size_t macro_base_ = 0;  // Frames below it, save the first, are not seen.
  std::vector<std::shared_ptr<Dict>> namespaces_;
  std::size_t work_ = 0;
  int depth_ = 0;
};

/// object.name(arguments): a method of a string or dict. Fails where there is none.
Value call_method(Interpreter& interpreter, const Value& object, const std::string& name, const Arguments& arguments,
                  Place place);
/// Python's strftime of `date` (YYYY-MM-DD, midnight).
std::string format_date(const std::string& format, const std::string& date, Place place);

// Shared by filters and methods.

/// Python's str.strip and its kin; `characters` empty is white space.
MarkedText strip_text(const MarkedText& text, std::string_view characters, bool left, bool right);
/// At most `limit` replacements; below 0 is all.
MarkedText replace_text(const MarkedText& text, const MarkedText& from, const MarkedText& to, std::int64_t limit);
/// Upper or lower case of the characters for which `is_upper(index, previous)` says so.
MarkedText map_case(const MarkedText& text, const std::function<bool(std::size_t index, char32_t previous)>& is_upper);
/// Offsets of the characters, and the end.
std::vector<std::size_t> char_offsets(const MarkedText& text);

}  // namespace onggi::text::jinja
