#include "onggi/decode/schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>

#include "onggi/core/error.h"
#include "onggi/decode/json_patterns.h"

namespace onggi::decode {
namespace {

constexpr int kNull = 1;
constexpr int kBoolean = 2;
constexpr int kObject = 4;
constexpr int kArray = 8;
constexpr int kString = 16;
constexpr int kInteger = 32;
constexpr int kFraction = 64;  ///< Numbers that are not whole.
constexpr int kNumber = kInteger | kFraction;
constexpr int kAnything = 127;

constexpr int kMaxBound = 4096;         ///< Of lengths and numbers of items: each one is states of the automaton.
constexpr std::size_t kMaxTuple = 64;   ///< Each of these nests one deeper.
constexpr int kMaxDepth = 64;
constexpr int kMaxSchemas = 10'000;  ///< With every reference written out.

struct Keyword {
  std::string_view name;
  int types;  ///< The kinds of value that it says something about.
};

/// Keywords that judge one kind of value. The others that may stand in a schema are named where they are read.
constexpr std::array<Keyword, 32> kKeywords = {{
    {"minLength", kString}, {"maxLength", kString}, {"pattern", kString}, {"format", kString}, {"x-onggi-regex", kString},
    {"minimum", kNumber}, {"maximum", kNumber}, {"exclusiveMinimum", kNumber}, {"exclusiveMaximum", kNumber}, {"multipleOf", kNumber},
    {"items", kArray}, {"prefixItems", kArray}, {"additionalItems", kArray}, {"minItems", kArray}, {"maxItems", kArray},
    {"uniqueItems", kArray}, {"contains", kArray}, {"minContains", kArray}, {"maxContains", kArray}, {"unevaluatedItems", kArray},
    {"properties", kObject}, {"required", kObject}, {"additionalProperties", kObject}, {"minProperties", kObject},
    {"maxProperties", kObject}, {"patternProperties", kObject}, {"propertyNames", kObject}, {"dependentRequired", kObject},
    {"dependentSchemas", kObject}, {"dependencies", kObject}, {"unevaluatedProperties", kObject}, {"nullable", 0},
}};
constexpr std::array<std::string_view, 6> kChoosers = {"$ref", "enum", "const", "anyOf", "oneOf", "allOf"};
constexpr std::array<std::string_view, 12> kAnnotations = {"title", "description", "default", "examples", "$comment", "deprecated",
                                                           "readOnly", "writeOnly", "$schema", "$defs", "definitions", "$anchor"};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string step(const std::string& at, std::string_view name) {
  std::string out = at + "/";
  for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}
std::string step(const std::string& at, std::size_t index) { return at + "/" + std::to_string(index); }

[[noreturn]] void refuse(std::string_view keyword, const std::string& why, const std::string& at) {
  throw Error(ErrorCode::kInvalidArgument, "guide schema: \"" + std::string(keyword) + "\" " + why, at);
}

int type_of(const Json& value) {
  if (value.is_null()) return kNull;
  if (value.is_boolean()) return kBoolean;
  if (value.is_object()) return kObject;
  if (value.is_array()) return kArray;
  if (value.is_string()) return kString;
  if (value.is_number_float() && value.get<double>() != std::trunc(value.get<double>())) return kFraction;
  return kInteger;
}

int type_named(const Json& name, const std::string& at) {
  static constexpr std::array<Keyword, 7> kTypes = {{{"null", kNull}, {"boolean", kBoolean}, {"object", kObject}, {"array", kArray},
                                                     {"string", kString}, {"integer", kInteger}, {"number", kNumber}}};
  if (name.is_string()) {
    for (const auto& [known, bits] : kTypes) {
      if (name.get_ref<const std::string&>() == known) return bits;
    }
  }
  refuse("type", "holds " + dump_json(name) + ", which is no type", at);
}

/// Kinds of value that "type" lets through.
int own_types(const Json& schema, const std::string& at) {
  const auto type = schema.find("type");
  if (type == schema.end()) return kAnything;
  if (!type->is_array()) return type_named(*type, step(at, "type"));
  int bits = 0;
  for (const auto& one : *type) bits |= type_named(one, step(at, "type"));
  return bits;
}

class Compiler {
 public:
  Compiler(const Json& root, JsonSpacing spacing) : root_(root), spacing_(std::move(spacing)) {}

  /// Values that `schema` allows among those of the kinds in `types`. `at` is the schema's JSON pointer.
  Pattern compile(const Json& schema, const std::string& at, int types) {
    require(++num_schemas_ <= kMaxSchemas,
            [] { return "guide schema: more than " + std::to_string(kMaxSchemas) + " schemas with all references written out"; },
            ErrorCode::kExhausted, at);
    require(++depth_ <= kMaxDepth, "guide schema: nested too deep", ErrorCode::kExhausted, at);
    Pattern p = checked(schema, at, types);
    --depth_;
    return p;
  }

 private:
  Pattern checked(const Json& schema, const std::string& at, int types) {
    if (schema.is_boolean()) return schema.get<bool>() ? typed(Json::object(), at, types) : nothing();
    require(schema.is_object(), "guide schema: a schema must be an object, true or false", ErrorCode::kInvalidArgument, at);
    std::string_view chooser;
    std::string_view judge;
    types &= own_types(schema, at);
    for (const auto& [key, value] : schema.items()) {
      const auto keyword = std::find_if(kKeywords.begin(), kKeywords.end(), [&key = key](const Keyword& k) { return k.name == key; });
      if (keyword != kKeywords.end() && keyword->types != 0) {
        if ((keyword->types & types) != 0) judge = keyword->name;
      } else if (holds(kChoosers, key)) {
        if (!chooser.empty()) refuse(key, "beside \"" + std::string(chooser) + "\" is not supported", step(at, key));
        chooser = *std::find(kChoosers.begin(), kChoosers.end(), key);
      } else if (key != "type" && !holds(kAnnotations, key) && !((key == "$id" || key == "id") && at == "#")) {
        refuse(key, "is not supported", step(at, key));
      }
    }
    if (chooser.empty()) return typed(schema, at, types);
    const Json& choice = schema.at(std::string(chooser));
    const std::string where = step(at, chooser);
    if (chooser == "enum" || chooser == "const") return values(schema, chooser == "enum" ? choice : Json::array({choice}), at, types);
    if (!judge.empty()) refuse(chooser, "beside \"" + std::string(judge) + "\" is not supported", where);
    if (chooser == "$ref") {
      // Draft 7 ignores what stands beside a reference, 2020-12 does not.
      if (schema.contains("type")) refuse(chooser, "beside \"type\" is not supported", where);
      return reference(choice, where, types);
    }
    if (!choice.is_array() || choice.empty()) refuse(chooser, "must be a list of schemas, at least one", where);
    if (chooser == "allOf" && choice.size() > 1) refuse(chooser, "with more than one schema is not supported", where);
    if (chooser == "oneOf") require_disjoint(choice, where);
    std::vector<Pattern> parts;
    for (std::size_t i = 0; i < choice.size(); ++i) parts.push_back(compile(choice[i], step(where, i), types));
    return Pattern::any_of(std::move(parts));
  }

  /// "enum" and "const". Other keywords filter the values, judged by the automaton of those keywords.
  Pattern values(const Json& schema, const Json& list, const std::string& at, int types) {
    if (!list.is_array() || list.empty()) refuse("enum", "must be a list of values, at least one", step(at, "enum"));
    std::vector<Pattern> parts;
    std::map<int, Dfa> judges;
    for (const Json& value : list) {
      const int type = type_of(value);
      if ((type & types) == 0) continue;
      Pattern p = json_value(value, spacing_);
      const auto judge = std::find_if(kKeywords.begin(), kKeywords.end(),
                                      [&](const Keyword& k) { return (k.types & type) != 0 && schema.contains(std::string(k.name)); });
      if (judge != kKeywords.end()) {
        if (value.is_structured()) refuse(judge->name, "beside listed values that are objects or arrays is not supported", step(at, judge->name));
        if (!judges.contains(type)) judges.emplace(type, build_nfa(typed(schema, at, type), SlotUse::kNone, {}));
        Dfa& dfa = judges.at(type);
        std::string text;
        for (const auto& part : p.parts.empty() ? std::vector{p} : p.parts) text += part.bytes;
        const int end = dfa.start() == Dfa::kDead ? Dfa::kDead : dfa.walk(dfa.start(), text);
        if (end == Dfa::kDead || !dfa.is_accepting(end)) continue;
      }
      parts.push_back(std::move(p));
    }
    return Pattern::any_of(std::move(parts));
  }

  const Json& target(const Json& reference, const std::string& at) const {
    if (!reference.is_string()) refuse("$ref", "is no text", at);
    const auto& text = reference.get_ref<const std::string&>();
    if (!text.starts_with("#/$defs/") && !text.starts_with("#/definitions/")) {
      refuse("$ref", "is \"" + text + "\"; only #/$defs/... and #/definitions/... are supported", at);
    }
    const Json* found = &root_;
    for (std::size_t from = 2; from <= text.size();) {
      const std::size_t to = std::min(text.find('/', from), text.size());
      const std::string name = unescape(text.substr(from, to - from), at);
      if (!found->is_object() || !found->contains(name)) refuse("$ref", "names \"" + text + "\", which is not there", at);
      found = &(*found)[name];
      from = to + 1;
    }
    return *found;
  }

  static std::string unescape(const std::string& text, const std::string& at) {
    if (text.find('%') != std::string::npos) refuse("$ref", "with a percent sign is not supported", at);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool is_escape = text[i] == '~' && i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1');
      out += !is_escape ? text[i] : text[++i] == '0' ? '~' : '/';
    }
    return out;
  }

  Pattern reference(const Json& name, const std::string& at, int types) {
    const Json& schema = target(name, at);
    const auto& text = name.get_ref<const std::string&>();
    if (holds(open_references_, text)) refuse("$ref", "to \"" + text + "\" is recursive: write the levels out", at);
    open_references_.push_back(text);
    Pattern p = compile(schema, text, types);
    open_references_.pop_back();
    return p;
  }

  const Json& resolved(const Json& schema, const std::string& at) const {
    const Json* s = &schema;
    for (int i = 0; i < kMaxDepth && s->is_object() && s->contains("$ref"); ++i) s = &target((*s)["$ref"], at);
    return *s;
  }

  /// The scalars that a schema lists; none if it lists none or also other values.
  static std::vector<Json> listed(const Json& schema) {
    if (!schema.is_object()) return {};
    Json list = schema.contains("const") ? Json::array({schema["const"]}) : schema.value("enum", Json::array());
    if (!list.is_array() || std::any_of(list.begin(), list.end(), [](const Json& v) { return v.is_structured(); })) return {};
    return list.get<std::vector<Json>>();
  }

  static bool differ(const std::vector<Json>& a, const std::vector<Json>& b) {
    return !a.empty() && !b.empty() && std::none_of(a.begin(), a.end(), [&](const Json& v) { return holds_value(b, v); });
  }
  static bool holds_value(const std::vector<Json>& list, const Json& value) { return std::find(list.begin(), list.end(), value) != list.end(); }

  int possible_types(const Json& schema, const std::string& at) const {
    if (!schema.is_object()) return kAnything;
    int types = own_types(schema, at);
    if (const auto list = listed(schema); !list.empty()) {
      int found = 0;
      for (const auto& value : list) found |= type_of(value);
      types &= found;
    }
    return types;
  }

  void require_disjoint(const Json& schemas, const std::string& at) const {
    for (std::size_t i = 0; i < schemas.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const Json& a = resolved(schemas[i], step(at, i));
        const Json& b = resolved(schemas[j], step(at, j));
        if ((possible_types(a, at) & possible_types(b, at)) == 0 || differ(listed(a), listed(b)) || told_apart(a, b, at)) continue;
        refuse("oneOf", "schemas " + std::to_string(j) + " and " + std::to_string(i) + " are not provably disjoint; use \"anyOf\"", at);
      }
    }
  }

  /// Both are objects that must have one property whose listed values differ.
  bool told_apart(const Json& a, const Json& b, const std::string& at) const {
    const auto needs = [](const Json& s, const std::string& name) {
      const auto list = s.find("required");
      return list != s.end() && list->is_array() && std::find(list->begin(), list->end(), Json(name)) != list->end();
    };
    if (possible_types(a, at) != kObject || possible_types(b, at) != kObject) return false;
    const Json mine = a.value("properties", Json::object());
    const Json theirs = b.value("properties", Json::object());
    if (!mine.is_object() || !theirs.is_object()) return false;
    for (const auto& [name, schema] : mine.items()) {
      if (theirs.contains(name) && needs(a, name) && needs(b, name) && differ(listed(schema), listed(theirs[name]))) return true;
    }
    return false;
  }

  /// Values of the kinds in `types`, by the keywords that judge them.
  Pattern typed(const Json& schema, const std::string& at, int types) {
    require(types != kAnything, "guide schema: without \"type\" any value would fit, which is no regular language; add \"type\"",
            ErrorCode::kInvalidArgument, at);
    std::vector<Pattern> parts;
    if ((types & kNull) != 0) parts.push_back(Pattern::literal("null"));
    if ((types & kBoolean) != 0) parts.push_back(Pattern::any_of({Pattern::literal("true"), Pattern::literal("false")}));
    if ((types & kString) != 0) parts.push_back(string(schema, at));
    if ((types & kNumber) != 0) parts.push_back(number(schema, at, types));
    if ((types & kArray) != 0) parts.push_back(array(schema, at));
    if ((types & kObject) != 0) parts.push_back(object(schema, at));
    return parts.size() == 1 ? std::move(parts[0]) : Pattern::any_of(std::move(parts));
  }

  static void refuse_any(const Json& schema, const std::string& at, std::initializer_list<const char*> keywords) {
    for (const char* keyword : keywords) {
      if (schema.contains(keyword)) refuse(keyword, "is not supported", step(at, keyword));
    }
  }

  /// A length or a number of items.
  static int bound(const Json& schema, const std::string& at, const char* keyword, int fallback) {
    const auto found = schema.find(keyword);
    if (found == schema.end()) return fallback;
    const bool is_whole = found->is_number() && type_of(*found) == kInteger;
    if (!is_whole || found->get<double>() < 0 || found->get<double>() > kMaxBound) {
      refuse(keyword, "is " + dump_json(*found) + ", expected a whole number of 0 to " + std::to_string(kMaxBound), step(at, keyword));
    }
    return static_cast<int>(found->get<double>());
  }

  Pattern string(const Json& schema, const std::string& at);
  Pattern number(const Json& schema, const std::string& at, int types);
  Pattern array(const Json& schema, const std::string& at);
  Pattern object(const Json& schema, const std::string& at);

  const Json& root_;
  JsonSpacing spacing_;
  int num_schemas_ = 0;
  int depth_ = 0;
  std::vector<std::string> open_references_;
};

/// A schema's "pattern" finds a match anywhere: each alternative is anchored by its own ^ and $ only.
Pattern found_anywhere(std::string_view source, const std::string& at) {
  const Pattern any = Pattern::repeat({.kind = Pattern::Kind::kClass, .ranges = {{0, 0x10FFFF}}}, 0, Pattern::kUnbounded);
  std::vector<Pattern> choices;
  const auto add = [&](std::string_view part) {
    const bool from_start = part.starts_with('^');
    if (from_start) part.remove_prefix(1);
    bool to_end = part.ends_with('$');
    if (to_end) part.remove_suffix(1);
    const auto last = part.find_last_not_of('\\');
    const std::size_t num_backslashes = part.size() - (last == std::string_view::npos ? 0 : last + 1);
    if (to_end && num_backslashes % 2 == 1) refuse("pattern", "that ends in \"\\$\" is not supported; write \"[$]$\"", at);
    std::vector<Pattern> parts;
    if (!from_start) parts.push_back(any);
    parts.push_back(parse_regex(part, {.has_slots = false, .where = at}));
    if (!to_end) parts.push_back(any);
    choices.push_back(parts.size() == 1 ? std::move(parts[0]) : Pattern::sequence(std::move(parts)));
  };
  std::size_t from = 0;
  int depth = 0;
  bool in_class = false;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (c == '\\') {
      ++i;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
    } else if (c == '(' || c == ')') {
      depth += c == '(' ? 1 : -1;
    } else if (c == '|' && depth == 0) {
      add(source.substr(from, i - from));
      from = i + 1;
    }
  }
  add(source.substr(from));
  return choices.size() == 1 ? std::move(choices[0]) : Pattern::any_of(std::move(choices));
}

Pattern Compiler::string(const Json& schema, const std::string& at) {
  refuse_any(schema, at, {"format"});
  const int low = bound(schema, at, "minLength", 0);
  const int high = bound(schema, at, "maxLength", Pattern::kUnbounded);
  if (high != Pattern::kUnbounded && high < low) return nothing();
  const bool has_slots = schema.contains("x-onggi-regex");
  const char* keyword = has_slots ? "x-onggi-regex" : "pattern";
  if (has_slots) refuse_any(schema, at, {"pattern"});
  const auto source = schema.find(keyword);
  if (source == schema.end()) return json_string(low, high);
  const std::string where = step(at, keyword);
  if (!source->is_string()) refuse(keyword, "is no text", where);
  Pattern content = has_slots ? parse_regex(source->get_ref<const std::string&>(), {.where = where}) : found_anywhere(source->get_ref<const std::string&>(), where);
  if (low > 0 || high != Pattern::kUnbounded) {
    const bool is_run = content.kind == Pattern::Kind::kRepeat && content.parts[0].kind == Pattern::Kind::kClass;
    const auto range = length_range(content);
    if (is_run) {
      content.low = std::max(content.low, low);
      if (high != Pattern::kUnbounded) content.high = content.high == Pattern::kUnbounded ? high : std::min(content.high, high);
      if (content.high != Pattern::kUnbounded && content.high < content.low) return nothing();
    } else if (!range || range->first < low || (high != Pattern::kUnbounded && (range->second == Pattern::kUnbounded || range->second > high))) {
      refuse(range && range->first >= low ? "maxLength" : "minLength", std::string("beside a \"") + keyword + "\" that does not itself keep to it is not supported", at);
    }
  }
  return json_string_of(std::move(content));
}

Pattern Compiler::number(const Json& schema, const std::string& at, int types) {
  if (const auto factor = schema.find("multipleOf"); factor != schema.end()) {
    if (*factor != 1) refuse("multipleOf", "is supported for 1 only", step(at, "multipleOf"));
    types &= ~kFraction;
  }
  std::optional<std::int64_t> low;
  std::optional<std::int64_t> high;
  for (const bool is_low : {true, false}) {
    auto& limit = is_low ? low : high;
    const char* inclusive = is_low ? "minimum" : "maximum";
    const char* exclusive = is_low ? "exclusiveMinimum" : "exclusiveMaximum";
    for (const char* keyword : {inclusive, exclusive}) {
      const auto found = schema.find(keyword);
      if (found == schema.end() || (keyword == exclusive && found->is_boolean())) continue;
      const std::string where = step(at, keyword);
      if (!found->is_number()) refuse(keyword, "is no number", where);
      // Draft 4: a truth beside the bound.
      const bool is_open = keyword == exclusive || schema.value(exclusive, Json()) == Json(true);
      if ((types & kFraction) != 0) {
        if (std::string_view(keyword) == "minimum" && *found == 0 && !is_open) continue;
        refuse(keyword, "is supported for integers only (and \"minimum\": 0 for numbers)", where);
      }
      const double value = found->get<double>();
      if (!(std::abs(value) < 0x1.0p63) && !found->is_number_integer()) refuse(keyword, "is too large", where);
      if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX - 1) refuse(keyword, "is too large", where);
      if (found->is_number_integer() && found->get<std::int64_t>() == INT64_MIN) refuse(keyword, "is too small", where);
      const bool is_whole = type_of(*found) == kInteger;
      std::int64_t edge = found->is_number_integer() ? found->get<std::int64_t>() : static_cast<std::int64_t>(is_low ? std::ceil(value) : std::floor(value));
      if (is_open && is_whole) edge += is_low ? 1 : -1;
      limit = !limit ? edge : is_low ? std::max(*limit, edge) : std::min(*limit, edge);
    }
  }
  if ((types & kFraction) != 0) return json_number(!schema.contains("minimum"));
  return json_integer(low, high);
}

Pattern Compiler::array(const Json& schema, const std::string& at) {
  refuse_any(schema, at, {"contains", "minContains", "maxContains", "unevaluatedItems"});
  // Up to draft 2019-09 a list of "items" is what is now "prefixItems", and "additionalItems" is "items".
  const bool is_old = schema.contains("items") && schema["items"].is_array();
  const char* prefix_keyword = is_old ? "items" : "prefixItems";
  const char* rest_keyword = is_old ? "additionalItems" : "items";
  if (is_old) refuse_any(schema, at, {"prefixItems"});
  const Json prefix = schema.value(prefix_keyword, Json::array());
  if (!prefix.is_array() || prefix.size() > kMaxTuple) {
    refuse(prefix_keyword, "must be a list of at most " + std::to_string(kMaxTuple) + " schemas", step(at, prefix_keyword));
  }
  const int fixed = static_cast<int>(prefix.size());
  const int low = bound(schema, at, "minItems", 0);
  int high = bound(schema, at, "maxItems", Pattern::kUnbounded);
  const bool is_closed = schema.contains(rest_keyword) && schema[rest_keyword] == Json(false);
  if (is_closed && (high == Pattern::kUnbounded || high > fixed)) high = fixed;
  if (schema.value("uniqueItems", Json(false)) != Json(false) && (high == Pattern::kUnbounded || high > 1)) {
    refuse("uniqueItems", "is not supported", step(at, "uniqueItems"));
  }
  if (high != Pattern::kUnbounded && high < low) return nothing();

  // From the end: what may follow the first i items, i > 0.
  Pattern after;
  if (high == Pattern::kUnbounded || high > fixed) {
    if (!schema.contains(rest_keyword)) {
      refuse(rest_keyword, "is missing: an array without it may hold anything; add it or \"maxItems\"", at);
    }
    const Pattern item = compile(schema[rest_keyword], step(at, rest_keyword), kAnything);
    const int most = high == Pattern::kUnbounded ? high : high - std::max(fixed, 1);
    after = Pattern::repeat(Pattern::sequence({spacing_.comma, item}), std::max(low - std::max(fixed, 1), 0), most);
    if (fixed == 0) after = Pattern::sequence({item, std::move(after)});
  }
  for (int i = std::min(fixed, high == Pattern::kUnbounded ? fixed : high) - 1; i >= 0; --i) {
    const auto index = static_cast<std::size_t>(i);
    const Pattern item = compile(prefix[index], step(step(at, prefix_keyword), index), kAnything);
    after = i == 0 ? Pattern::sequence({item, std::move(after)}) : Pattern::sequence({spacing_.comma, item, std::move(after)});
    if (i >= low && i > 0) after = Pattern::repeat(std::move(after), 0, 1);
  }
  if (low == 0) after = Pattern::repeat(std::move(after), 0, 1);
  return Pattern::sequence({Pattern::literal("["), spacing_.inside, std::move(after), spacing_.inside, Pattern::literal("]")});
}

Pattern Compiler::object(const Json& schema, const std::string& at) {
  refuse_any(schema, at, {"propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties"});
  if (schema.value("patternProperties", Json::object()) != Json::object()) refuse("patternProperties", "is not supported", step(at, "patternProperties"));
  const Json properties = schema.value("properties", Json::object());
  const Json required = schema.value("required", Json::array());
  if (!properties.is_object()) refuse("properties", "is no object", step(at, "properties"));
  if (!required.is_array()) refuse("required", "is no list", step(at, "required"));
  const auto fewest = static_cast<std::size_t>(bound(schema, at, "minProperties", 0));
  const int most = bound(schema, at, "maxProperties", Pattern::kUnbounded);
  if (most != 0 && schema.value("additionalProperties", Json()) != Json(false)) {
    refuse("additionalProperties", "must be false: an open object may hold anything", step(at, "additionalProperties"));
  }
  for (const auto& name : required) {
    if (!name.is_string()) refuse("required", "holds something that is no text", step(at, "required"));
    if (!properties.contains(name.get_ref<const std::string&>())) return nothing();
  }
  std::vector<Pattern> members = {spacing_.comma};
  std::size_t num_required = 0;
  for (const auto& [name, property] : properties.items()) {
    const bool is_required = std::find(required.begin(), required.end(), Json(name)) != required.end();
    num_required += is_required ? 1 : 0;
    Pattern value = compile(property, step(step(at, "properties"), name), kAnything);
    Pattern member = Pattern::sequence({json_value(Json(name), spacing_), spacing_.colon, std::move(value)});
    members.push_back(is_required ? std::move(member) : Pattern::repeat(std::move(member), 0, 1));
  }
  if (most == 0) members.resize(1);
  const std::size_t count = members.size() - 1;
  if (fewest > count || (most == 0 && num_required > 0)) return nothing();
  if (fewest > std::max<std::size_t>(num_required, 1)) {
    refuse("minProperties", "above the number of required properties is not supported", step(at, "minProperties"));
  }
  if (most != Pattern::kUnbounded && static_cast<std::size_t>(most) < count) {
    refuse("maxProperties", "below the number of properties is not supported", step(at, "maxProperties"));
  }
  Pattern body{.kind = Pattern::Kind::kMembers, .parts = std::move(members), .low = fewest > 0 ? 1 : 0};
  return Pattern::sequence({Pattern::literal("{"), spacing_.inside, std::move(body), spacing_.inside, Pattern::literal("}")});
}

}  // namespace

Pattern schema_pattern(const Json& schema, const std::string& whitespace) {
  require(whitespace == "compact" || whitespace == "flexible",
          [&] { return "guide: /whitespace is \"" + whitespace + "\", expected compact or flexible"; });
  JsonSpacing spacing{Pattern::literal(", "), Pattern::literal(": "), {}};
  if (whitespace == "flexible") {
    const Pattern blank = parse_regex("[ \\t\\n\\r]*");
    spacing = {Pattern::sequence({blank, Pattern::literal(","), blank}), Pattern::sequence({blank, Pattern::literal(":"), blank}), blank};
  }
  return Compiler(schema, std::move(spacing)).compile(schema, "#", kAnything);
}

}  // namespace onggi::decode
