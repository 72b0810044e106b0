// What each keyword adds to a conjunction; what "not" makes of them is in schema_negate.cpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/schema_parts.h"
#include "onggi/decode/text_language.h"

namespace onggi::decode {
namespace {

constexpr std::array<std::string_view, 17> kAnnotations = {
    "title",    "description", "default",        "examples",      "$comment",    "deprecated",
    "readOnly", "writeOnly",   "$schema",        "$defs",         "definitions", "$anchor",
    "$id",      "id",          "$dynamicAnchor", "contentSchema", "$vocabulary"};
constexpr std::array<std::string_view, 7> kBeside = {
    "additionalItems", "then", "else", "minContains", "maxContains", "patternProperties", "additionalProperties"};

/// The validation vocabulary, and the applicators that are not for references.
constexpr std::array<std::string_view, 20> kValidation = {
    "type",      "enum",        "const",       "multipleOf",    "maximum",       "exclusiveMaximum", "minimum",
    "maxLength", "minLength",   "pattern",     "maxItems",      "minItems",      "exclusiveMinimum", "uniqueItems",
    "required",  "maxContains", "minContains", "maxProperties", "minProperties", "dependentRequired"};
constexpr std::array<std::string_view, 15> kApplicators = {"prefixItems",
                                                           "items",
                                                           "contains",
                                                           "additionalProperties",
                                                           "properties",
                                                           "patternProperties",
                                                           "dependentSchemas",
                                                           "propertyNames",
                                                           "if",
                                                           "then",
                                                           "else",
                                                           "allOf",
                                                           "anyOf",
                                                           "oneOf",
                                                           "not"};

unsigned type_named(const std::string& name) {
  static const std::map<std::string, unsigned> kTypes = {{"null", kNullType},     {"boolean", kTrueType | kFalseType},
                                                         {"object", kObjectType}, {"array", kArrayType},
                                                         {"string", kStringType}, {"integer", kWholeType},
                                                         {"number", kNumberTypes}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? 0 : found->second;
}

}  // namespace

Decimal decimal_of(const Json& number) { return Decimal::parse(number.dump()); }

bool SchemaExpander::is_ignored(const Json& schema, const std::string& keyword) const {
  if (holds(kAnnotations, keyword) || holds(kBeside, keyword)) return true;
  if (!reading_.passes_over_unknown) document_.refuse(schema, keyword, "is not supported");
  return true;
}

/// The vocabularies of the metaschema say so.
bool SchemaExpander::is_left_out(const Json& schema, const std::string& keyword) const {
  const Dialect& dialect = document_.dialect();
  const bool is_out = (!dialect.has_validation && holds(kValidation, keyword)) ||
                      (!dialect.has_applicator && holds(kApplicators, keyword));
  if (is_out && !reading_.passes_over_unknown)
    document_.refuse(schema, keyword, "is of no vocabulary that the metaschema has");
  return is_out;
}

/// Whether "format" holds here.
bool SchemaExpander::asserts_formats(const Json& schema, const std::string& keyword) const {
  if (reading_.formats != SchemaReading::Formats::kAnnotate || document_.dialect().asserts_formats) return true;
  if (!document_.dialect().is_known)
    document_.refuse(schema, keyword,
                     "may hold or not: the metaschema of \"$schema\", which is not in \"documents\", says");
  return false;
}

const Json& SchemaExpander::list(const Json& schema, const std::string& keyword, const Json& value) const {
  if (!value.is_array() || value.empty()) document_.refuse(schema, keyword, "must be a list, at least of one");
  return value;
}

unsigned SchemaExpander::types_of(const Json& schema, const Json& value) const {
  unsigned types = 0;
  const auto add = [&](const Json& name) {
    const unsigned bits = name.is_string() ? type_named(name.get_ref<const std::string&>()) : 0;
    if (bits == 0) document_.refuse(schema, "type", "holds " + dump_json(name) + ", which is no type");
    types |= bits;
  };
  if (value.is_array()) {
    for (const Json& name : value) add(name);
  } else {
    add(value);
  }
  return types;
}

int SchemaExpander::bound(const Json& schema, const std::string& keyword, const Json& value) const {
  const bool is_whole = value.is_number() && decimal_of(value).is_whole() && !decimal_of(value).is_negative();
  if (!is_whole) document_.refuse(schema, keyword, "is " + dump_json(value) + ", expected a whole number of 0 or more");
  return static_cast<int>(std::min(value.get<double>(), 1e9));
}

void SchemaExpander::read_listed(const Json& schema, const std::string& keyword, const Json& value, const Step& step,
                                 int index, Work& work) {
  const Json one = Json::array({value});
  const Json& values = keyword == "const" ? one : value;
  if (!values.is_array()) document_.refuse(schema, keyword, "must be a list of values");
  Conjunction& c = work.conjunction;
  unsigned types = 0;
  std::vector<std::string> texts;
  std::vector<Json> numbers;
  std::vector<Schemas> structured;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Json& item = values[i];
    if (item.is_null()) types |= kNullType;
    if (item.is_boolean()) types |= item.get<bool>() ? kTrueType : kFalseType;
    if (item.is_string()) {
      types |= kStringType;
      texts.push_back(item.get<std::string>());
    }
    if (item.is_number()) {
      types |= decimal_of(item).is_whole() ? kWholeType : kFractionType;
      numbers.push_back(item);
    }
    if (!item.is_structured()) continue;
    const Json* kept = keyword == "const" ? &value : &value[i];
    auto& closed = closed_[kept];
    if (closed == nullptr) {
      Json made = {{"type", item.is_array() ? "array" : "object"}};
      if (item.is_array()) {
        Json prefix = Json::array();
        for (const Json& part : item) prefix.push_back({{"const", part}});
        made["minItems"] = item.size();
        made["maxItems"] = item.size();
        if (!prefix.empty()) made["\1prefix"] = std::move(prefix);
      } else {
        made["properties"] = Json::object();
        made["required"] = Json::array();
        made["additionalProperties"] = false;
        for (const auto& [name, part] : item.items()) {
          made["properties"][name] = {{"const", part}};
          made["required"].push_back(name);
        }
      }
      closed = &document_.keep(std::move(made), schema);
    }
    structured.push_back({closed});
  }
  const auto narrow = [](auto& known, auto found, auto&& same) {
    if (known)
      std::erase_if(found, [&](const auto& v) {
        return std::none_of(known->begin(), known->end(), [&](const auto& k) { return same(k, v); });
      });
    known = std::move(found);
  };
  const auto narrow_scalars = [&](Conjunction& to) {
    narrow(to.listed_texts, texts, [](const std::string& a, const std::string& b) { return a == b; });
    narrow(to.listed_numbers, numbers, [](const Json& a, const Json& b) { return decimal_of(a) == decimal_of(b); });
  };
  if (structured.empty()) {
    c.types &= types;
    narrow_scalars(c);
    return;
  }
  if (types != 0) {
    Json scalars = Json::array();
    for (const Json& item : values) {
      if (!item.is_structured()) scalars.push_back(item);
    }
    auto& kept = closed_[&values == &one ? &schema : &values];
    if (kept == nullptr) kept = &document_.keep({{"enum", std::move(scalars)}}, schema);
    structured.push_back({kept});
  }
  choose(step, index, std::move(structured), work);
}

const ByteDfa& SchemaExpander::pattern(const std::string& source, const Json& schema, const std::string& keyword) {
  if (const auto known = patterns_.find(source); known != patterns_.end()) return known->second;
  try {
    return patterns_.emplace(source, pattern_language(source, "")).first->second;
  } catch (const Error& e) {
    throw Error(e.code(), "guide schema: " + document_.spelt_keyword(schema, keyword) + ": " + e.message(),
                keyword == "patternProperties" ? pointer_step(document_.pointer(schema), source)
                                               : document_.pointer(schema, keyword));
  }
}

bool SchemaExpander::read_text_or_number(const Json& schema, const std::string& keyword, const Json& value,
                                         Conjunction& c) {
  const auto at_most = [](int& bound, int limit) { bound = bound < 0 ? limit : std::min(bound, limit); };
  const auto shared = [](const ByteDfa& dfa) { return std::shared_ptr<const ByteDfa>(std::shared_ptr<void>(), &dfa); };
  if (read_content(schema, keyword, value, c)) return true;
  if (keyword == "minLength") {
    c.min_length = std::max(c.min_length, bound(schema, keyword, value));
  } else if (keyword == "maxLength") {
    at_most(c.max_length, bound(schema, keyword, value));
  } else if (keyword == "pattern" || keyword == "\1no_pattern") {
    if ((c.types & kStringType) == 0) return true;
    if (!value.is_string()) document_.refuse(schema, keyword, "is no text");
    (keyword == "pattern" ? c.texts : c.other_texts)
        .push_back(shared(pattern(value.get<std::string>(), schema, keyword)));
  } else if (keyword == "format" || keyword == "\1no_format") {
    if ((c.types & kStringType) == 0 || !asserts_formats(schema, "format")) return true;
    const auto* format = value.is_string() ? format_language(value.get_ref<const std::string&>()) : nullptr;
    if (format == nullptr) {
      const bool is_standard = value == Json("regex") || value == Json("idn-hostname");  // Not ours to pass over.
      const bool may_pass =
          reading_.formats == SchemaReading::Formats::kAssertKnown && !document_.dialect().asserts_formats;
      if (may_pass && keyword == "format" && !is_standard) return true;
      document_.refuse(schema, "format", "is " + dump_json(value) + ", which is not known");
    }
    (keyword == "format" ? c.texts : c.other_texts).push_back(format->texts);
    if (format->max_length >= 0 && keyword == "format") at_most(c.max_length, format->max_length);
  } else if (keyword == "\1no_texts") {
    for (const Json& text : value) c.excluded_texts.push_back(text.get<std::string>());
  } else if (keyword == "\1no_numbers") {
    for (const Json& number : value) c.numbers.excluded.push_back(decimal_of(number));
  } else if (keyword == "\1types") {
    c.types &= value.get<unsigned>();
  } else if (keyword == "minimum" || keyword == "maximum" || keyword == "exclusiveMinimum" ||
             keyword == "exclusiveMaximum") {
    const bool is_low = keyword.ends_with("inimum");
    if (value.is_boolean() && keyword.starts_with("exclusive")) return true;  // Draft 4: read with its bound.
    if (!value.is_number()) document_.refuse(schema, keyword, "is no number");
    const bool is_open = keyword.starts_with("exclusive") ||
                         schema.value(is_low ? "exclusiveMinimum" : "exclusiveMaximum", Json()) == Json(true);
    const Bound found{decimal_of(value), is_open};
    auto& kept = is_low ? c.numbers.low : c.numbers.high;
    const bool is_tighter = !kept || (is_low ? found.value > kept->value : found.value < kept->value) ||
                            (found.value == kept->value && is_open);
    if (is_tighter) kept = found;
  } else if (keyword == "multipleOf") {
    if (!value.is_number() || decimal_of(value).is_zero() || decimal_of(value).is_negative())
      document_.refuse(schema, keyword, "is no number above 0");
    c.numbers.factors.push_back(decimal_of(value));
  } else {
    return false;
  }
  return true;
}

/// Only in draft 7 do strings have to hold what they say, and there only if the reader asks for it (8.2).
bool SchemaExpander::read_content(const Json& schema, const std::string& keyword, const Json& value, Conjunction& c) {
  if (keyword != "contentEncoding" && keyword != "contentMediaType") return false;
  if (document_.draft() != Draft::k7 || reading_.formats == SchemaReading::Formats::kAnnotate ||
      (c.types & kStringType) == 0)
    return true;
  const std::string name = value.is_string() ? value.get<std::string>() : "";
  const bool is_encoding = keyword == "contentEncoding";
  if (is_encoding) {
    auto& known = encodings_[name];
    if (!known) known = encoding_language(name);
    if (known) {
      c.texts.push_back(known);
      return true;
    }
  }
  const bool says_nothing = is_encoding && (name == "7bit" || name == "8bit" || name == "binary");
  const bool may_pass = reading_.formats == SchemaReading::Formats::kAssertKnown && name != "application/json";
  if (!says_nothing && !may_pass)
    document_.refuse(schema, keyword,
                     "is " + dump_json(value) + ", which can't be enforced (\"format\": \"annotate\" passes over it)");
  return true;
}

bool SchemaExpander::read_array(const Json& schema, const std::string& keyword, const Json& value, const Origin& origin,
                                Conjunction& c) {
  if (keyword == "items" || keyword == "prefixItems" || keyword == "\1prefix") {
    // Up to draft 2019-09 a list of "items" is what is now "prefixItems", and "additionalItems" is "items".
    const bool is_list = keyword == "items" && value.is_array();
    if (keyword == "items" && !is_list && schema.contains("prefixItems")) return true;  // Read with the others.
    const Json* prefix = keyword == "items" ? (is_list ? &value : nullptr) : &value;
    ArrayLayer layer{origin, {}, nullptr, nullptr};
    if (prefix != nullptr) {
      if (!prefix->is_array()) document_.refuse(schema, keyword, "is no list");
      for (const Json& part : *prefix) layer.prefix.push_back(&part);
    }
    const char* rest = is_list ? "additionalItems" : "items";
    if (schema.contains(rest)) layer.rest = &schema[rest];
    c.arrays.push_back(std::move(layer));
  } else if (keyword == "minItems") {
    c.min_items = std::max(c.min_items, bound(schema, keyword, value));
  } else if (keyword == "maxItems") {
    const int most = bound(schema, keyword, value);
    c.max_items = c.max_items < 0 ? most : std::min(c.max_items, most);
  } else if (keyword == "uniqueItems") {
    if (value == Json(true)) {
      c.has_unique_items = true;
      c.unique_at = &schema;
    }
  } else if (keyword == "contains" && document_.draft() >= Draft::k6) {
    Contained found{&value, 1, -1};
    if (document_.draft() >= Draft::k201909) {
      if (schema.contains("minContains")) found.fewest = bound(schema, "minContains", schema["minContains"]);
      if (schema.contains("maxContains")) found.most = bound(schema, "maxContains", schema["maxContains"]);
    }
    const auto is_same = [&](const Contained& other) {
      return other.schema == found.schema && other.fewest == found.fewest && other.most == found.most;
    };
    const bool is_known = std::any_of(c.contained.begin(), c.contained.end(), is_same);
    if (!is_known && (found.fewest > 0 || found.most >= 0)) c.contained.push_back(found);
    if (document_.draft() >= Draft::k202012) c.arrays.push_back({origin, {}, nullptr, &value});
  } else {
    return false;
  }
  return true;
}

bool SchemaExpander::read_object(const Json& schema, const std::string& keyword, const Json& value,
                                 const Origin& origin, Work& work) {
  Conjunction& c = work.conjunction;
  if (keyword == "properties") {
    ObjectLayer layer{origin, nullptr, nullptr, nullptr};
    for (const auto& [name, into] :
         {std::pair("properties", &layer.properties), std::pair("patternProperties", &layer.patterns)}) {
      if (!schema.contains(name)) continue;
      if (!schema[name].is_object()) document_.refuse(schema, name, "is no object");
      *into = &schema[name];
    }
    if (schema.contains("additionalProperties")) layer.additional = &schema["additionalProperties"];
    c.objects.push_back(std::move(layer));
  } else if (keyword == "required") {
    if (value.is_boolean() && document_.draft() == Draft::k4) return true;
    if (!value.is_array()) document_.refuse(schema, keyword, "is no list");
    for (const Json& name : value) {
      if (!name.is_string()) document_.refuse(schema, keyword, "holds something that is no text");
      c.required.emplace_back(origin.place, name.get<std::string>());
    }
  } else if (keyword == "minProperties") {
    c.min_members = std::max(c.min_members, bound(schema, keyword, value));
  } else if (keyword == "maxProperties") {
    const int most = bound(schema, keyword, value);
    c.max_members = c.max_members < 0 ? most : std::min(c.max_members, most);
  } else if (keyword == "propertyNames") {
    if (document_.draft() >= Draft::k6) c.names.push_back(&value);
  } else if (keyword == "\1want") {
    WantedMember wanted;
    wanted.domain = nodes_[value["domain"].get<std::size_t>()];
    wanted.pattern = value["pattern"].get<std::string>();
    wanted.schema = nodes_[value["schema"].get<std::size_t>()];
    c.wanted.push_back(std::move(wanted));
  } else {
    return false;
  }
  return true;
}

}  // namespace onggi::decode
