#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "onggi/text/jinja/marked_text.h"

namespace onggi::text::jinja {

class Value;
struct Statement;

/// How large a value is when written out. A list may hold the same list many times, so this is bounded by itself:
/// recursion over a value is never deeper or longer than it says.
struct Extent {
  int depth = 0;           ///< Levels of nesting.
  std::size_t weight = 0;  ///< Bytes of all texts, and a few for each value.

  /// Takes in a member.
  void include(const Value& member);
  /// Throws kExhausted past 200 levels or 64 MiB.
  void check() const;
};

/// Lists (and tuples, which differ in how they print and compare) and dicts do not change once made, except a namespace's members.
struct List {
  std::vector<Value> items;
  Extent extent;
  bool is_tuple = false;
};
struct Dict {
  std::vector<std::pair<MarkedText, Value>> members;  // In their order, names unique.
  Extent extent;
  bool is_namespace = false;

  /// nullptr where absent.
  const Value* find(std::string_view name) const;
};

/// Something that can be called: a macro, or a built-in by its name ("range", "loop.cycle" with its bound value).
struct Function {
  std::string name;
  const Statement* macro = nullptr;
  std::shared_ptr<const List> bound;
};

/// A value of the template language. Copies share what is big.
class Value {
 public:
  struct Undefined {
    std::shared_ptr<const std::string> what;  // "'x' is undefined"
  };
  struct None {};

  Value() : v_(None{}) {}
  static Value undefined(std::string what) { return Value(Undefined{std::make_shared<std::string>(std::move(what))}); }
  static Value of(bool v) { return Value(v); }
  static Value of(std::int64_t v) { return Value(v); }
  static Value of(double v) { return Value(v); }
  static Value of(MarkedText v) { return Value(std::make_shared<const MarkedText>(std::move(v))); }
  /// Template text.
  static Value of(std::string_view v) { return of(MarkedText(v, false)); }
  static Value of(const char* v) { return of(std::string_view(v)); }
  /// Throw what Extent::check does.
  static Value list(std::vector<Value> items, bool is_tuple = false);
  static Value tuple(std::vector<Value> items) { return list(std::move(items), true); }
  static Value dict(std::vector<std::pair<MarkedText, Value>> members);
  static Value of(std::shared_ptr<Dict> v) { return Value(std::shared_ptr<const Dict>(std::move(v))); }
  static Value of(Function v) { return Value(std::make_shared<const Function>(std::move(v))); }

  bool is_undefined() const { return std::holds_alternative<Undefined>(v_); }
  bool is_none() const { return std::holds_alternative<None>(v_); }
  bool is_bool() const { return std::holds_alternative<bool>(v_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(v_); }
  bool is_float() const { return std::holds_alternative<double>(v_); }
  bool is_number() const { return is_bool() || is_int() || is_float(); }
  bool is_text() const { return text() != nullptr; }

  /// The content, or nullptr if it is of another kind.
  const MarkedText* text() const { return pointer<MarkedText>(); }
  const List* list() const { return pointer<List>(); }
  const Dict* dict() const { return pointer<Dict>(); }
  const Function* function() const { return pointer<Function>(); }
  std::shared_ptr<const List> shared_list() const { return std::get<std::shared_ptr<const List>>(v_); }

  std::int64_t as_int() const { return is_bool() ? std::get<bool>(v_) : std::get<std::int64_t>(v_); }
  double as_float() const { return is_float() ? std::get<double>(v_) : static_cast<double>(as_int()); }
  const std::string& undefined_reason() const { return *std::get<Undefined>(v_).what; }

  bool truthy() const;
  Extent extent() const;
  /// "string", "list" ..., for messages.
  const char* kind_name() const;

  /// Python's ==. Marks do not count.
  friend bool operator==(const Value& a, const Value& b);

 private:
  using Variant = std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const MarkedText>,
                               std::shared_ptr<const List>, std::shared_ptr<const Dict>, std::shared_ptr<const Function>>;
  template <class T>
  explicit Value(T v) : v_(std::move(v)) {}
  template <class T>
  const T* pointer() const {
    const auto* p = std::get_if<std::shared_ptr<const T>>(&v_);
    return p != nullptr ? p->get() : nullptr;
  }
  Variant v_;
};

/// Python's str() and repr().
MarkedText to_text(const Value& value);
MarkedText to_repr(const Value& value);

struct JsonStyle {
  int indent = -1;  ///< Spaces a level; -1 is one line.
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
  bool ensure_ascii = false;
};
/// Python's json.dumps. Throws kInvalidArgument for what has no JSON (undefined, macros, namespaces).
MarkedText to_json_text(const Value& value, const JsonStyle& style);

/// Python's repr of a float: the shortest digits that read back the same.
std::string float_text(double value);

}  // namespace onggi::text::jinja
