#include "onggi/text/jinja/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::text::jinja {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::size_t kMaxWeight = 64 << 20;
constexpr std::size_t kValueWeight = 16;

/// An escape of so many hexadecimal digits: \xNN, \uNNNN.
void append_hex(MarkedText& out, std::string_view prefix, char32_t code, int digits, bool mark) {
  std::string text(prefix);
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) text += "0123456789abcdef"[code >> shift & 15];
  out.append(text, mark);
}

}  // namespace

const Value* Dict::find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key.bytes == name) return &value;
  }
  return nullptr;
}

void Extent::include(const Value& member) {
  const Extent e = member.extent();
  depth = std::max(depth, e.depth);
  weight = std::min(weight + e.weight, kMaxWeight + 1);  // Can't overflow.
}

void Extent::check() const {
  require(depth < kMaxDepth, "chat template: values nested deeper than 200 levels", ErrorCode::kExhausted);
  require(weight <= kMaxWeight, "chat template: a value larger than 64 MiB", ErrorCode::kExhausted);
}

Value Value::list(std::vector<Value> items, bool is_tuple) {
  auto list = std::make_shared<List>();
  list->is_tuple = is_tuple;
  for (const Value& v : items) list->extent.include(v);
  list->extent.check();
  list->items = std::move(items);
  return Value(std::shared_ptr<const List>(std::move(list)));
}

Value Value::dict(std::vector<std::pair<MarkedText, Value>> members) {
  auto dict = std::make_shared<Dict>();
  for (const auto& [key, v] : members) {
    dict->extent.include(v);
    dict->extent.weight += key.size();
  }
  dict->extent.check();
  dict->members = std::move(members);
  return of(std::move(dict));
}

bool Value::truthy() const {
  if (is_bool() || is_int()) return as_int() != 0;
  if (is_float()) return as_float() != 0;
  if (text() != nullptr) return !text()->empty();
  if (list() != nullptr) return !list()->items.empty();
  if (dict() != nullptr) return dict()->is_namespace || !dict()->members.empty();
  return function() != nullptr;
}

Extent Value::extent() const {
  if (text() != nullptr) return {0, kValueWeight + text()->size()};
  if (list() != nullptr) return {list()->extent.depth + 1, kValueWeight + list()->extent.weight};
  // A namespace may hold itself, but nothing recurses into it.
  if (dict() != nullptr && !dict()->is_namespace) return {dict()->extent.depth + 1, kValueWeight + dict()->extent.weight};
  return {0, kValueWeight};
}

const char* Value::kind_name() const {
  static constexpr const char* kNames[] = {"undefined", "none", "boolean", "integer", "float",
                                           "string",    "list", "dict",    "function"};
  return kNames[v_.index()];
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    return a.is_float() || b.is_float() ? a.as_float() == b.as_float() : a.as_int() == b.as_int();
  }
  if (a.v_.index() != b.v_.index()) return false;
  if (a.text() != nullptr) return a.text()->bytes == b.text()->bytes;
  if (a.list() != nullptr) return a.list()->is_tuple == b.list()->is_tuple && a.list()->items == b.list()->items;
  if (a.dict() != nullptr) {
    if (a.dict()->is_namespace || b.dict()->is_namespace) return a.dict() == b.dict();
    if (a.dict()->members.size() != b.dict()->members.size()) return false;
    return std::all_of(a.dict()->members.begin(), a.dict()->members.end(), [&](const auto& member) {
      const Value* other = b.dict()->find(member.first.bytes);
      return other != nullptr && member.second == *other;
    });
  }
  return a.function() == b.function();
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string scientific(buffer, end);
  const std::size_t e = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(e + 1));
  if (exponent < -4 || exponent >= 16) return scientific;  // Both write at least two digits of exponent.
  const auto fixed_end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  std::string fixed(buffer, fixed_end);
  if (fixed.find('.') == std::string::npos) fixed += ".0";
  return fixed;
}

MarkedText to_text(const Value& value) {
  if (value.text() != nullptr) return *value.text();
  if (value.is_undefined()) return {};
  return to_repr(value);
}

MarkedText to_repr(const Value& value) {
  MarkedText out;
  if (value.is_none()) {
    out.append("None");
  } else if (value.is_bool()) {
    out.append(value.as_int() != 0 ? "True" : "False");
  } else if (value.is_int()) {
    out.append(std::to_string(value.as_int()));
  } else if (value.is_float()) {
    out.append(float_text(value.as_float()));
  } else if (const MarkedText* text = value.text()) {
    const bool has_single = text->bytes.find('\'') != std::string::npos;
    const char quote = has_single && text->bytes.find('"') == std::string::npos ? '"' : '\'';
    out.append(std::string_view(&quote, 1));
    for (std::size_t at = 0; at < text->size();) {
      const Utf8Char c = next_utf8(text->bytes, at);
      const bool mark = text->marks[at] != 0;
      const auto end = at + static_cast<std::size_t>(c.length);
      if (c.code == static_cast<char32_t>(quote) || c.code == '\\') {
        out.append("\\", mark);
        out.append_slice(*text, at, end);
      } else if (c.code == '\n' || c.code == '\r' || c.code == '\t') {
        out.append(c.code == '\n' ? "\\n" : c.code == '\r' ? "\\r" : "\\t", mark);
      } else if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA1)) {
        append_hex(out, "\\x", c.code, 2, mark);
      } else {
        out.append_slice(*text, at, end);
      }
      at = end;
    }
    out.append(std::string_view(&quote, 1));
  } else if (const List* list = value.list()) {
    out.append(list->is_tuple ? "(" : "[");
    for (const Value& item : list->items) {
      if (out.size() > 1) out.append(", ");
      out.append(to_repr(item));
    }
    if (list->is_tuple && list->items.size() == 1) out.append(",");
    out.append(list->is_tuple ? ")" : "]");
  } else if (const Dict* dict = value.dict()) {
    if (dict->is_namespace) {
      out.append("<Namespace>");
      return out;
    }
    out.append("{");
    for (const auto& [key, member] : dict->members) {
      if (out.size() > 1) out.append(", ");
      out.append(to_repr(Value::of(key)));
      out.append(": ");
      out.append(to_repr(member));
    }
    out.append("}");
  } else if (value.is_undefined()) {
    out.append("Undefined");
  } else {
    out.append("<function " + value.function()->name + ">");
  }
  return out;
}

namespace {

void append_json_string(MarkedText& out, const MarkedText& text, bool ensure_ascii) {
  out.append("\"");
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = next_utf8(text.bytes, at);
    const bool mark = text.marks[at] != 0;
    const auto end = at + static_cast<std::size_t>(c.length);
    constexpr std::string_view kNamed = "\"\\\n\r\t\b\f";
    const std::size_t named = c.code < 0x80 ? kNamed.find(static_cast<char>(c.code)) : std::string_view::npos;
    if (named != std::string_view::npos) {
      const char escape[] = {'\\', "\"\\nrtbf"[named]};
      out.append(std::string_view(escape, 2), mark);
    } else if (c.code < 0x20 || (ensure_ascii && c.code >= 0x7F && c.code < 0x10000)) {
      append_hex(out, "\\u", c.code, 4, mark);
    } else if (ensure_ascii && c.code >= 0x10000) {
      append_hex(out, "\\u", 0xD800 + ((c.code - 0x10000) >> 10), 4, mark);
      append_hex(out, "\\u", 0xDC00 + ((c.code - 0x10000) & 0x3FF), 4, mark);
    } else {
      out.append_slice(text, at, end);
    }
    at = end;
  }
  out.append("\"");
}

void append_json(MarkedText& out, const Value& value, const JsonStyle& style, int level) {
  const auto new_line = [&](int n) {
    if (style.indent >= 0) out.append("\n" + std::string(static_cast<std::size_t>(n * style.indent), ' '));
  };
  if (value.is_none()) {
    out.append("null");
  } else if (value.is_bool()) {
    out.append(value.as_int() != 0 ? "true" : "false");
  } else if (value.is_float()) {
    const double v = value.as_float();
    out.append(std::isnan(v) ? "NaN" : std::isinf(v) ? (v > 0 ? "Infinity" : "-Infinity") : float_text(v));
  } else if (value.is_int()) {
    out.append(std::to_string(value.as_int()));
  } else if (value.text() != nullptr) {
    append_json_string(out, *value.text(), style.ensure_ascii);
  } else if (const List* list = value.list()) {
    if (list->items.empty()) return out.append("[]");
    out.append("[");
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      if (i > 0) out.append(style.item_separator);
      new_line(level + 1);
      append_json(out, list->items[i], style, level + 1);
    }
    new_line(level);
    out.append("]");
  } else if (const Dict* dict = value.dict(); dict != nullptr && !dict->is_namespace) {
    if (dict->members.empty()) return out.append("{}");
    std::vector<const std::pair<MarkedText, Value>*> members;
    for (const auto& member : dict->members) members.push_back(&member);
    if (style.sort_keys) {
      std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first.bytes < b->first.bytes; });
    }
    out.append("{");
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out.append(style.item_separator);
      new_line(level + 1);
      append_json_string(out, members[i]->first, style.ensure_ascii);
      out.append(style.key_separator);
      append_json(out, members[i]->second, style, level + 1);
    }
    new_line(level);
    out.append("}");
  } else {
    throw Error(ErrorCode::kInvalidArgument, std::string("tojson: a value of kind ") + value.kind_name() + " has no JSON");
  }
}

}  // namespace

MarkedText to_json_text(const Value& value, const JsonStyle& style) {
  MarkedText out;
  append_json(out, value, style, 0);
  return out;
}

}  // namespace onggi::text::jinja
