// Methods of strings and dicts that templates call, as Python has them.
#include <algorithm>

#include "onggi/text/jinja/interpreter.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::text::jinja {
namespace {

struct Call {
  Interpreter& interpreter;
  const Value& object;
  const MarkedText& text;  // Of a string.
  const Arguments& arguments;
  const std::string& name;
  Place place;

  /// A string argument; nullptr where it was left out or is none.
  const MarkedText* string_at(std::size_t index, std::string_view argument) const {
    const Value* v = arguments.find(index, argument);
    if (v == nullptr || v->is_none()) return nullptr;
    if (v->text() == nullptr) fail_at(place, name + " takes a string, not a " + v->kind_name());
    return v->text();
  }
  const MarkedText& needed_string(std::size_t index, std::string_view argument) const {
    const MarkedText* s = string_at(index, argument);
    if (s == nullptr) fail_at(place, name + " needs a string");
    return *s;
  }
  std::int64_t integer_at(std::size_t index, std::string_view argument, std::int64_t otherwise) const {
    const Value* v = arguments.find(index, argument);
    if (v == nullptr) return otherwise;
    if (!v->is_int()) fail_at(place, name + " takes an integer, not a " + v->kind_name());
    return v->as_int();
  }
};

Value strip(const Call& c, bool left, bool right) {
  const MarkedText* characters = c.string_at(0, "chars");
  return c.interpreter.checked(strip_text(c.text, characters != nullptr ? characters->bytes : "", left, right));
}

bool matches_any(const Call& c, bool at_start) {
  const Value* what = c.arguments.find(0, "prefix");
  if (what == nullptr) fail_at(c.place, c.name + " needs a string");
  const auto matches = [&](const Value& v) {
    if (v.text() == nullptr) fail_at(c.place, c.name + " takes strings, not a " + v.kind_name());
    const std::string_view s = c.text.bytes;
    return at_start ? s.starts_with(v.text()->bytes) : s.ends_with(v.text()->bytes);
  };
  if (what->list() == nullptr) return matches(*what);
  return std::any_of(what->list()->items.begin(), what->list()->items.end(), matches);
}

Value split(const Call& c, bool from_right) {
  const MarkedText* separator = c.string_at(0, "sep");
  std::int64_t limit = c.integer_at(1, "maxsplit", -1);
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  const std::string& s = c.text.bytes;
  if (separator == nullptr) {
    // Runs of white space part words; none are empty.
    if (limit >= 0) fail_at(c.place, c.name + " by white space with a limit is not supported");
    const auto offsets = char_offsets(c.text);
    std::size_t begin = std::string::npos;
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
      const bool space = strip_text(c.text.slice(offsets[i], offsets[i + 1]), "", true, false).empty();
      if (!space && begin == std::string::npos) begin = offsets[i];
      if (space && begin != std::string::npos) {
        parts.emplace_back(begin, offsets[i]);
        begin = std::string::npos;
      }
    }
    if (begin != std::string::npos) parts.emplace_back(begin, s.size());
  } else if (separator->empty()) {
    fail_at(c.place, "split by an empty string");
  } else if (from_right) {
    std::size_t end = s.size();
    for (; limit != 0 && end >= separator->size(); --limit) {
      const std::size_t at = s.rfind(separator->bytes, end - separator->size());
      if (at == std::string::npos) break;
      parts.emplace_back(at + separator->size(), end);
      end = at;
    }
    parts.emplace_back(0, end);
    std::reverse(parts.begin(), parts.end());
  } else {
    std::size_t begin = 0;
    for (std::size_t at; limit != 0 && (at = s.find(separator->bytes, begin)) != std::string::npos; --limit) {
      parts.emplace_back(begin, at);
      begin = at + separator->size();
    }
    parts.emplace_back(begin, s.size());
  }
  c.interpreter.charge(s.size() + parts.size() * 128);
  std::vector<Value> out;
  for (const auto& [begin, end] : parts) out.push_back(Value::of(c.text.slice(begin, end)));
  return Value::list(std::move(out));
}

Value split_lines(const Call& c) {
  std::vector<Value> out;
  const std::string& s = c.text.bytes;
  for (std::size_t begin = 0; begin < s.size();) {
    std::size_t end = std::min(s.find_first_of("\r\n", begin), s.size());
    out.push_back(Value::of(c.text.slice(begin, end)));
    begin = end + (s.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  }
  c.interpreter.charge(s.size() + out.size() * 128);
  return Value::list(std::move(out));
}

bool is_letter(char32_t c) { return (char_class(c) & kLetter) != 0; }

/// str.isdigit, isalpha, isspace, isupper, islower over all characters.
bool all_of(const MarkedText& text, bool (*holds)(char32_t)) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = next_utf8(text.bytes, at);
    if (!holds(c.code)) return false;
    at += static_cast<std::size_t>(c.length);
  }
  return !text.empty();
}

Value string_method(const Call& c) {
  const std::string& n = c.name;
  if (n == "strip") return strip(c, true, true);
  if (n == "lstrip") return strip(c, true, false);
  if (n == "rstrip") return strip(c, false, true);
  if (n == "startswith") return Value::of(matches_any(c, true));
  if (n == "endswith") return Value::of(matches_any(c, false));
  if (n == "split") return split(c, false);
  if (n == "rsplit") return split(c, true);
  if (n == "splitlines") return split_lines(c);
  if (n == "replace") {
    const MarkedText& to = c.needed_string(1, "new");
    c.interpreter.charge(c.text.size() * (1 + to.size()));
    return c.interpreter.checked(replace_text(c.text, c.needed_string(0, "old"), to, c.integer_at(2, "count", -1)));
  }
  if (n == "upper") return c.interpreter.checked(map_case(c.text, [](std::size_t, char32_t) { return true; }));
  if (n == "lower") return c.interpreter.checked(map_case(c.text, [](std::size_t, char32_t) { return false; }));
  if (n == "capitalize") return c.interpreter.checked(map_case(c.text, [](std::size_t i, char32_t) { return i == 0; }));
  if (n == "title") return c.interpreter.checked(map_case(c.text, [](std::size_t, char32_t p) { return !is_letter(p); }));
  if (n == "find" || n == "count") {
    const std::string& what = c.needed_string(0, "sub").bytes;
    c.interpreter.charge(c.text.size());
    if (n == "find") {
      const std::size_t at = c.text.bytes.find(what);
      if (at == std::string::npos) return Value::of(std::int64_t{-1});
      return Value::of(static_cast<std::int64_t>(char_offsets(c.text.slice(0, at)).size()) - 1);
    }
    if (what.empty()) return Value::of(static_cast<std::int64_t>(char_offsets(c.text).size()));
    std::int64_t times = 0;
    for (std::size_t at = 0; (at = c.text.bytes.find(what, at)) != std::string::npos; at += what.size()) ++times;
    return Value::of(times);
  }
  if (n == "join") {
    MarkedText out;
    const Value* list = c.arguments.find(0, "iterable");
    if (list == nullptr) fail_at(c.place, "join needs a list");
    bool is_first = true;
    for (const Value& item : c.interpreter.items_of(*list, c.place)) {
      if (item.text() == nullptr) fail_at(c.place, std::string("join of a ") + item.kind_name());
      if (!is_first) out.append(c.text);
      is_first = false;
      out.append(*item.text());
      c.interpreter.charge(c.text.size() + item.text()->size());
    }
    return c.interpreter.checked(std::move(out));
  }
  if (n == "isdigit") return Value::of(all_of(c.text, [](char32_t x) { return x >= '0' && x <= '9'; }));
  if (n == "isalpha") return Value::of(all_of(c.text, is_letter));
  if (n == "isspace") return Value::of(all_of(c.text, [](char32_t x) { return (char_class(x) & kSpace) != 0; }));
  fail_at(c.place, "a string has no method \"" + n + "\" here");
}

Value dict_method(const Call& c, const Dict& dict) {
  c.interpreter.charge(dict.members.size() * 128);
  if (c.name == "get") {
    const Value* v = dict.find(c.needed_string(0, "key").bytes);
    if (v != nullptr) return *v;
    const Value* otherwise = c.arguments.find(1, "default");
    return otherwise != nullptr ? *otherwise : Value();
  }
  std::vector<Value> out;
  for (const auto& [key, member] : dict.members) {
    if (c.name == "items") {
      out.push_back(Value::tuple({Value::of(key), member}));
    } else if (c.name == "keys") {
      out.push_back(Value::of(key));
    } else if (c.name == "values") {
      out.push_back(member);
    } else {
      break;
    }
  }
  if (c.name != "items" && c.name != "keys" && c.name != "values") {
    fail_at(c.place, "a dict has no method \"" + c.name + "\" here");
  }
  return Value::list(std::move(out));
}

}  // namespace

Value call_method(Interpreter& interpreter, const Value& object, const std::string& name, const Arguments& arguments,
                  Place place) {
  static const MarkedText kNone;
  const Call call{interpreter, object, object.text() != nullptr ? *object.text() : kNone, arguments, name, place};
  if (object.text() != nullptr) {
    interpreter.charge(object.text()->size());
    return string_method(call);
  }
  if (object.dict() != nullptr) return dict_method(call, *object.dict());
  if (object.list() != nullptr && (name == "count" || name == "index")) {
    const Value* what = arguments.find(0, "value");
    const auto& items = object.list()->items;
    interpreter.charge(items.size() * 64);
    if (what == nullptr) fail_at(place, name + " needs a value");
    if (name == "count") return Value::of(static_cast<std::int64_t>(std::count(items.begin(), items.end(), *what)));
    const auto it = std::find(items.begin(), items.end(), *what);
    if (it == items.end()) fail_at(place, "the list has no such item");
    return Value::of(static_cast<std::int64_t>(it - items.begin()));
  }
  fail_at(place, std::string("a ") + object.kind_name() + " has no method \"" + name + "\" here");
}

}  // namespace onggi::text::jinja
