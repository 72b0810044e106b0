// Filters and tests that published chat templates use, as Jinja2 and transformers have them.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/text/jinja/interpreter.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::text::jinja {
namespace {

struct Call {
  Interpreter& interpreter;
  const Value& value;
  const Arguments& arguments;
  Place place;

  std::int64_t integer_at(std::size_t index, std::string_view name, std::int64_t otherwise) const {
    const Value* v = arguments.find(index, name);
    if (v == nullptr || v->is_none()) return otherwise;
    if (!v->is_int() && !v->is_bool()) fail_at(place, "\"" + std::string(name) + "\" should be an integer");
    return v->as_int();
  }
  bool flag_at(std::size_t index, std::string_view name) const {
    const Value* v = arguments.find(index, name);
    return v != nullptr && v->truthy();
  }
  MarkedText text_at(std::size_t index, std::string_view name) const {
    const Value* v = arguments.find(index, name);
    return v == nullptr || v->is_none() ? MarkedText() : to_text(*v);
  }
  const Value& needed(std::size_t index, std::string_view name) const {
    const Value* v = arguments.find(index, name);
    if (v == nullptr) fail_at(place, "\"" + std::string(name) + "\" was not given");
    return *v;
  }
  MarkedText value_text() const {
    interpreter.charge(value.extent().weight);
    return to_text(value);
  }
  std::vector<Value> items() const { return interpreter.items_of(value, place); }
  Value text(MarkedText out) const { return interpreter.checked(std::move(out)); }
};

/// "a.b.0" looked up step by step.
Value by_path(const Call& c, const Value& object, const Value& path) {
  if (path.text() == nullptr) return c.interpreter.item_of(object, path, c.place);
  Value at = object;
  std::string_view rest = path.text()->bytes;
  for (;;) {
    const std::string_view step = rest.substr(0, rest.find('.'));
    std::int64_t index = 0;
    const bool is_index = !step.empty() && std::from_chars(step.data(), step.data() + step.size(), index).ptr == step.data() + step.size();
    at = c.interpreter.item_of(at, is_index ? Value::of(index) : Value::of(step), c.place);
    if (step.size() == rest.size()) return at;
    rest.remove_prefix(step.size() + 1);
  }
}

Value tojson(const Call& c) {
  JsonStyle style;
  const std::int64_t indent = c.integer_at(1, "indent", -1);
  if (indent > 16) fail_at(c.place, "an indent of more than 16");
  style.indent = static_cast<int>(indent);
  if (indent >= 0) style.item_separator = ",";
  // transformers' order of arguments is (ensure_ascii, indent, separators, sort_keys); templates name them.
  style.ensure_ascii = c.flag_at(0, "ensure_ascii");
  style.sort_keys = c.flag_at(3, "sort_keys");
  if (const Value* v = c.arguments.find(2, "separators"); v != nullptr && !v->is_none()) {
    const auto parts = c.interpreter.items_of(*v, c.place);
    if (parts.size() != 2) fail_at(c.place, "\"separators\" should be two strings");
    style.item_separator = to_text(parts[0]).bytes;
    style.key_separator = to_text(parts[1]).bytes;
  }
  c.interpreter.charge(c.value.extent().weight);
  try {
    return c.text(to_json_text(c.value, style));
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kExhausted) throw;
    fail_at(c.place, e.message());
  }
}

Value join(const Call& c) {
  const MarkedText separator = c.text_at(0, "d");
  const Value* attribute = c.arguments.find(1, "attribute");
  MarkedText out;
  bool is_first = true;
  for (const Value& item : c.items()) {
    if (!is_first) out.append(separator);
    is_first = false;
    const Value joined = attribute != nullptr ? by_path(c, item, *attribute) : item;
    c.interpreter.charge(separator.size() + joined.extent().weight);
    out.append(to_text(joined));
    require(out.size() <= std::size_t{32} << 20, "chat template: a text larger than 32 MiB", ErrorCode::kExhausted);
  }
  return c.text(std::move(out));
}

Value length(const Call& c) {
  if (c.value.text() != nullptr) {
    c.interpreter.charge(c.value.text()->size());
    return Value::of(static_cast<std::int64_t>(char_offsets(*c.value.text()).size()) - 1);
  }
  if (c.value.list() != nullptr) return Value::of(static_cast<std::int64_t>(c.value.list()->items.size()));
  return Value::of(static_cast<std::int64_t>(c.items().size()));
}

Value first_or_last(const Call& c, bool first) {
  const auto items = c.items();
  if (items.empty()) return Value::undefined("there is no item");
  return first ? items.front() : items.back();
}

Value default_value(const Call& c) {
  const bool missing = c.value.is_undefined() || (c.flag_at(1, "boolean") && !c.value.truthy());
  if (!missing) return c.value;
  const Value* v = c.arguments.find(0, "default_value");
  return v != nullptr ? *v : Value::of("");
}

Value replace(const Call& c) {
  const MarkedText text = c.value_text();
  const MarkedText to = to_text(c.needed(1, "new"));
  c.interpreter.charge(text.size() * (1 + to.size()));
  return c.text(replace_text(text, to_text(c.needed(0, "old")), to, c.integer_at(2, "count", -1)));
}

/// The rest of the arguments, from `index` on.
Arguments rest_of(const Arguments& arguments, std::size_t index) {
  Arguments out;
  for (std::size_t i = index; i < arguments.positional.size(); ++i) out.positional.push_back(arguments.positional[i]);
  out.named = arguments.named;
  return out;
}

Value map(const Call& c) {
  std::vector<Value> out;
  if (!c.value.truthy()) return Value::list({});  // none too, as in Jinja2.
  if (const Value* attribute = c.arguments.find(99, "attribute")) {
    const Value* otherwise = c.arguments.find(99, "default");
    for (const Value& item : c.items()) {
      Value v = by_path(c, item, *attribute);
      out.push_back(v.is_undefined() && otherwise != nullptr ? *otherwise : std::move(v));
    }
  } else {
    const std::string name = to_text(c.needed(0, "filter")).bytes;
    const Arguments rest = rest_of(c.arguments, 1);
    for (const Value& item : c.items()) out.push_back(c.interpreter.call_filter(name, item, rest, c.place));
  }
  return Value::list(std::move(out));
}

Value select(const Call& c, bool keep, bool by_attribute) {
  const std::size_t test_at = by_attribute ? 1 : 0;
  const Arguments rest = rest_of(c.arguments, test_at + 1);
  const Value* test = c.arguments.find(test_at, "test");
  std::vector<Value> out;
  if (!c.value.truthy()) return Value::list({});  // none too, as in Jinja2.
  for (Value& item : c.items()) {
    const Value tested = by_attribute ? by_path(c, item, c.needed(0, "attribute")) : item;
    const bool holds = test != nullptr ? c.interpreter.call_test(to_text(*test).bytes, tested, rest, c.place) : tested.truthy();
    if (holds == keep) out.push_back(std::move(item));
  }
  return Value::list(std::move(out));
}

Value list_of_pairs(const Call& c) {
  if (c.value.is_undefined()) return Value::list({});
  if (c.value.dict() == nullptr) fail_at(c.place, std::string("items of a ") + c.value.kind_name());
  std::vector<Value> out;
  for (const auto& [key, member] : c.value.dict()->members) out.push_back(Value::tuple({Value::of(key), member}));
  c.interpreter.charge(out.size() * 128);
  return Value::list(std::move(out));
}

MarkedText lowered(const MarkedText& text) {
  return map_case(text, [](std::size_t, char32_t) { return false; });
}

/// Sorts by key without regard to case unless asked, stable as Python's.
void sort_by(const Call& c, std::vector<std::pair<Value, Value>>& keyed, bool case_sensitive, bool reverse) {
  for (auto& [key, item] : keyed) {
    if (!case_sensitive && key.text() != nullptr) key = Value::of(lowered(*key.text()));
  }
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    c.interpreter.charge(64);
    return reverse ? c.interpreter.compare(b.first, a.first, c.place) < 0 : c.interpreter.compare(a.first, b.first, c.place) < 0;
  });
}

Value sorted(const Call& c) {
  const Value* attribute = c.arguments.find(2, "attribute");
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : c.items()) keyed.emplace_back(attribute != nullptr ? by_path(c, item, *attribute) : item, item);
  sort_by(c, keyed, c.flag_at(1, "case_sensitive"), c.flag_at(0, "reverse"));
  std::vector<Value> out;
  for (auto& [key, item] : keyed) out.push_back(std::move(item));
  return Value::list(std::move(out));
}

Value dictsort(const Call& c) {
  if (c.value.dict() == nullptr) fail_at(c.place, std::string("dictsort of a ") + c.value.kind_name());
  const bool by_value = to_text(c.arguments.find(1, "by") != nullptr ? *c.arguments.find(1, "by") : Value::of("key")).bytes == "value";
  std::vector<std::pair<Value, Value>> keyed;
  for (const auto& [key, member] : c.value.dict()->members) {
    keyed.emplace_back(by_value ? member : Value::of(key), Value::tuple({Value::of(key), member}));
  }
  sort_by(c, keyed, c.flag_at(0, "case_sensitive"), c.flag_at(2, "reverse"));
  std::vector<Value> out;
  for (auto& [key, item] : keyed) out.push_back(std::move(item));
  return Value::list(std::move(out));
}

Value unique(const Call& c) {
  std::vector<Value> out;
  std::vector<Value> seen;
  for (Value& item : c.items()) {
    const Value key = item.text() != nullptr ? Value::of(lowered(*item.text())) : item;
    for (const Value& s : seen) c.interpreter.charge(std::min(s.extent().weight, key.extent().weight));
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    out.push_back(std::move(item));
  }
  return Value::list(std::move(out));
}

Value indent(const Call& c) {
  const Value* width = c.arguments.find(0, "width");
  const bool first = c.flag_at(1, "first");
  const bool blank = c.flag_at(2, "blank");
  MarkedText space;
  if (width != nullptr && width->text() != nullptr) {
    space = *width->text();
  } else {
    space.append(std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(c.integer_at(0, "width", 4), 0, 1000)), ' '));
  }
  const MarkedText text = c.value_text();
  MarkedText out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.bytes.find('\n', begin), text.size());
    const bool indents = begin == 0 ? first : blank || end > begin;
    if (indents) out.append(space);
    out.append_slice(text, begin, std::min(end + 1, text.size()));
    c.interpreter.charge(space.size());
    if (end == text.size()) break;
    begin = end + 1;
  }
  return c.text(std::move(out));
}

Value least_or_greatest(const Call& c, int sign) {
  const auto items = c.items();
  if (items.empty()) return Value::undefined("there is no item");
  const Value* best = &items[0];
  for (const Value& item : items) {
    if (c.interpreter.compare(item, *best, c.place) * sign > 0) best = &item;
  }
  return *best;
}

Value to_integer(const Call& c) {
  const std::int64_t otherwise = c.integer_at(0, "default", 0);
  if (c.value.is_int() || c.value.is_bool()) return Value::of(c.value.as_int());
  if (c.value.is_float()) {
    const double v = std::trunc(c.value.as_float());
    return Value::of(std::abs(v) < 9e18 ? static_cast<std::int64_t>(v) : otherwise);
  }
  const MarkedText text = strip_text(c.value_text(), "", true, true);
  const std::string& s = text.bytes;
  const char* begin = s.data() + (s.starts_with('+') ? 1 : 0);
  std::int64_t whole = 0;
  double real = 0;
  const char* end = s.data() + s.size();
  if (const auto r = std::from_chars(begin, end, whole); r.ec == std::errc() && r.ptr == end) return Value::of(whole);
  if (const auto r = std::from_chars(begin, end, real); r.ec == std::errc() && r.ptr == end && std::abs(real) < 9e18) {
    return Value::of(static_cast<std::int64_t>(real));
  }
  return Value::of(otherwise);
}

Value to_float(const Call& c) {
  if (c.value.is_number()) return Value::of(c.value.as_float());
  const MarkedText text = strip_text(c.value_text(), "", true, true);
  double real = 0;
  const char* end = text.bytes.data() + text.size();
  const auto r = std::from_chars(text.bytes.data(), end, real);
  return Value::of(r.ec == std::errc() && r.ptr == end ? real : 0.0);
}

Value reversed(const Call& c) {
  auto items = c.items();
  std::reverse(items.begin(), items.end());
  if (c.value.text() == nullptr) return Value::list(std::move(items));
  MarkedText out;
  for (const Value& item : items) out.append(*item.text());
  return c.text(std::move(out));
}

Value absolute(const Call& c) {
  if (!c.value.is_number()) fail_at(c.place, std::string("abs of a ") + c.value.kind_name());
  if (c.value.is_float()) return Value::of(std::abs(c.value.as_float()));
  return Value::of(c.value.as_int() == INT64_MIN ? INT64_MAX : std::abs(c.value.as_int()));
}

Value title(const Call& c) {
  const auto begins_word = [](std::size_t, char32_t previous) {
    return previous == 0 || (char_class(previous) & kSpace) != 0 || std::u32string_view(U"-({[<").find(previous) != std::u32string_view::npos;
  };
  return c.text(map_case(c.value_text(), begins_word));
}

struct Filter {
  std::string_view name;
  Value (*run)(const Call&);
};

constexpr Filter kFilters[] = {
    {"abs", absolute},
    {"capitalize", [](const Call& c) { return c.text(map_case(c.value_text(), [](std::size_t i, char32_t) { return i == 0; })); }},
    {"count", length},
    {"d", default_value},
    {"default", default_value},
    {"dictsort", dictsort},
    {"first", [](const Call& c) { return first_or_last(c, true); }},
    {"float", to_float},
    {"indent", indent},
    {"int", to_integer},
    {"items", list_of_pairs},
    {"join", join},
    {"last", [](const Call& c) { return first_or_last(c, false); }},
    {"length", length},
    {"list", [](const Call& c) { return Value::list(c.items()); }},
    {"lower", [](const Call& c) { return c.text(lowered(c.value_text())); }},
    {"map", map},
    {"max", [](const Call& c) { return least_or_greatest(c, 1); }},
    {"min", [](const Call& c) { return least_or_greatest(c, -1); }},
    {"reject", [](const Call& c) { return select(c, false, false); }},
    {"rejectattr", [](const Call& c) { return select(c, false, true); }},
    {"replace", replace},
    {"reverse", reversed},
    {"safe", [](const Call& c) { return c.value; }},
    {"select", [](const Call& c) { return select(c, true, false); }},
    {"selectattr", [](const Call& c) { return select(c, true, true); }},
    {"sort", sorted},
    {"string", [](const Call& c) { return c.text(c.value_text()); }},
    {"title", title},
    {"tojson", tojson},
    {"trim", [](const Call& c) { return c.text(strip_text(c.value_text(), c.text_at(0, "chars").bytes, true, true)); }},
    {"unique", unique},
    {"upper", [](const Call& c) { return c.text(map_case(c.value_text(), [](std::size_t, char32_t) { return true; })); }},
};

std::int64_t needed_integer(const Call& c) {
  if (!c.value.is_int()) fail_at(c.place, std::string("the test is for integers, not for a ") + c.value.kind_name());
  return c.value.as_int();
}

bool ordered(const Call& c, bool less, bool equal) {
  const int order = c.interpreter.compare(c.value, c.needed(0, "other"), c.place);
  return order == 0 ? equal : (order < 0) == less;
}

bool same_as(const Call& c) {
  const Value& other = c.needed(0, "other");
  // Identity; small values are one object in Python.
  c.interpreter.charge(std::min(c.value.extent().weight, other.extent().weight));
  return std::string_view(c.value.kind_name()) == other.kind_name() && c.value == other;
}

bool is_cased(const Call& c, bool upper) {
  const MarkedText text = c.value_text();
  const MarkedText other = map_case(text, [&](std::size_t, char32_t) { return !upper; });
  const MarkedText same = map_case(text, [&](std::size_t, char32_t) { return upper; });
  return text.bytes == same.bytes && text.bytes != other.bytes;
}

struct Test {
  std::string_view name;
  bool (*run)(const Call&);
};

constexpr bool (*kEqual)(const Call&) = [](const Call& c) {
  const Value& other = c.needed(0, "other");
  c.interpreter.charge(std::min(c.value.extent().weight, other.extent().weight));
  return c.value == other;
};

constexpr Test kTests[] = {
    {"!=", [](const Call& c) { return !kEqual(c); }},
    {"<", [](const Call& c) { return ordered(c, true, false); }},
    {"<=", [](const Call& c) { return ordered(c, true, true); }},
    {"==", kEqual},
    {">", [](const Call& c) { return ordered(c, false, false); }},
    {">=", [](const Call& c) { return ordered(c, false, true); }},
    {"boolean", [](const Call& c) { return c.value.is_bool(); }},
    {"callable", [](const Call& c) { return c.value.function() != nullptr; }},
    {"defined", [](const Call& c) { return !c.value.is_undefined(); }},
    {"divisibleby",
     [](const Call& c) {
       const std::int64_t by = c.integer_at(0, "num", 0);
       if (by == 0) fail_at(c.place, "divisibleby needs an integer that is not 0");
       return by == -1 || needed_integer(c) % by == 0;
     }},
    {"eq", kEqual},
    {"equalto", kEqual},
    {"even", [](const Call& c) { return needed_integer(c) % 2 == 0; }},
    {"false", [](const Call& c) { return c.value.is_bool() && !c.value.truthy(); }},
    {"float", [](const Call& c) { return c.value.is_float(); }},
    {"ge", [](const Call& c) { return ordered(c, false, true); }},
    {"greaterthan", [](const Call& c) { return ordered(c, false, false); }},
    {"gt", [](const Call& c) { return ordered(c, false, false); }},
    {"in", [](const Call& c) { return c.interpreter.contains(c.needed(0, "seq"), c.value, c.place); }},
    {"integer", [](const Call& c) { return c.value.is_int(); }},
    {"iterable", [](const Call& c) { return c.value.list() || c.value.dict() || c.value.text() || c.value.is_undefined(); }},
    {"le", [](const Call& c) { return ordered(c, true, true); }},
    {"lessthan", [](const Call& c) { return ordered(c, true, false); }},
    {"lower", [](const Call& c) { return is_cased(c, false); }},
    {"lt", [](const Call& c) { return ordered(c, true, false); }},
    {"mapping", [](const Call& c) { return c.value.dict() != nullptr && !c.value.dict()->is_namespace; }},
    {"ne", [](const Call& c) { return !kEqual(c); }},
    {"none", [](const Call& c) { return c.value.is_none(); }},
    {"number", [](const Call& c) { return c.value.is_number(); }},
    {"odd", [](const Call& c) { return needed_integer(c) % 2 != 0; }},
    {"sameas", same_as},
    {"sequence", [](const Call& c) { return c.value.list() || c.value.dict() || c.value.text() || c.value.is_undefined(); }},
    {"string", [](const Call& c) { return c.value.is_text(); }},
    {"true", [](const Call& c) { return c.value.is_bool() && c.value.truthy(); }},
    {"undefined", [](const Call& c) { return c.value.is_undefined(); }},
    {"upper", [](const Call& c) { return is_cased(c, true); }},
};

template <class Entry, std::size_t N>
const Entry* entry_named(const Entry (&table)[N], std::string_view name) {
  const auto it = std::lower_bound(std::begin(table), std::end(table), name, [](const Entry& e, std::string_view n) { return e.name < n; });
  return it != std::end(table) && it->name == name ? &*it : nullptr;
}

}  // namespace

Value Interpreter::call_filter(const std::string& name, const Value& value, const Arguments& arguments, Place place) {
  const Filter* filter = entry_named(kFilters, name);
  if (filter == nullptr) fail_at(place, "the filter \"" + name + "\" is not known here");
  charge(64);
  return filter->run({*this, value, arguments, place});
}

bool Interpreter::call_test(const std::string& name, const Value& value, const Arguments& arguments, Place place) {
  const Test* test = entry_named(kTests, name);
  if (test == nullptr) fail_at(place, "the test \"" + name + "\" is not known here");
  charge(64);
  return test->run({*this, value, arguments, place});
}

}  // namespace onggi::text::jinja
