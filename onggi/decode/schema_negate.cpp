// What "not" makes of each keyword: schemas again, so that there is one reading of both.

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/decode/schema_parts.h"
#include "onggi/decode/text_language.h"

namespace onggi::decode {

/// A schema that stands for another one.
Json SchemaExpander::reference(const Json& schema) {
  nodes_.push_back(&schema);
  return {{"\1schema", nodes_.size() - 1}};
}

const Json& SchemaExpander::negation(const Json& schema) {
  if (const auto known = negations_.find(&schema); known != negations_.end()) return *known->second;
  const auto keep = [&](Json made) -> const Json& {
    const Json& kept = document_.keep(std::move(made), schema);
    negations_[&schema] = &kept;
    negations_[&kept] = &schema;
    return kept;
  };
  if (schema.is_boolean()) return keep(!schema.get<bool>());
  require(schema.is_object(), "guide schema: a schema must be an object, true or false", ErrorCode::kInvalidArgument,
          document_.pointer(schema));
  // Schemas may refer to themselves below their members, so this one must be known before its parts are read.
  const Json& kept = keep(Json::object());
  Json alternatives = Json::array();
  const bool is_reference = document_.draft() <= Draft::k7 && schema.contains("$ref");
  try {
    for (const auto& [keyword, value] : schema.items()) {
      if ((!is_reference || keyword == "$ref") && !is_left_out(schema, keyword))
        negate_keyword(schema, keyword, value, alternatives);
    }
  } catch (const Error&) {  // Else it would be known as what it is now, which everything fits.
    negations_.erase(&kept);
    negations_.erase(&schema);
    throw;
  }
  Json& made = const_cast<Json&>(kept);
  if (alternatives.empty()) {
    made = false;
  } else {
    made["anyOf"] = std::move(alternatives);
  }
  return kept;
}

void SchemaExpander::negate_keyword(const Json& schema, const std::string& keyword, const Json& value, Json& out) {
  const auto negated = [&](const Json& part) -> Json {
    nodes_.push_back(&part);
    return {{"\1not", nodes_.size() - 1}};
  };
  const auto add = [&](unsigned types, Json made) {
    made["\1types"] = types;
    out.push_back(std::move(made));
  };
  const auto no = [&](const std::string& why) {
    document_.refuse(schema, keyword, "inside \"not\" or \"oneOf\" " + why);
  };
  if (keyword == "\1schema") {
    out.push_back(negated(*nodes_[value.get<std::size_t>()]));
  } else if (keyword == "\1not") {
    out.push_back({{"\1schema", value}});
  } else if (keyword == "\1types") {
    add(kAllTypes & ~value.get<unsigned>(), Json::object());
  } else if (keyword == "type") {
    const unsigned others = kAllTypes & ~types_of(schema, value);
    if (others != 0) add(others, Json::object());
  } else if (keyword == "enum" || keyword == "const") {
    const Json values = keyword == "const" ? Json::array({value}) : value;
    unsigned types = kAllTypes;
    Json texts = Json::array();
    Json numbers = Json::array();
    Json all = Json::array();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Json& item = values[i];
      if (item.is_null()) types &= ~kNullType;
      if (item.is_boolean()) types &= ~(item.get<bool>() ? kTrueType : kFalseType);
      if (item.is_string()) texts.push_back(item);
      if (item.is_number()) numbers.push_back(item);
      if (item.is_structured()) all.push_back(i);
    }
    if (!all.empty()) no("lists objects or arrays, which is not supported");
    add(types, {{"\1no_texts", std::move(texts)}, {"\1no_numbers", std::move(numbers)}});
  } else if (keyword == "$ref") {
    out.push_back(negated(document_.target(schema, keyword)));
  } else if (keyword == "$dynamicRef" && document_.draft() >= Draft::k202012) {
    out.push_back(negated(document_.dynamic_target(schema)));
  } else if (keyword == "allOf") {
    for (const Json& part : list(schema, keyword, value)) out.push_back(negated(part));
  } else if (keyword == "anyOf") {
    Json none = Json::array();
    for (const Json& part : list(schema, keyword, value)) none.push_back(negated(part));
    out.push_back({{"allOf", std::move(none)}});
  } else if (keyword == "oneOf") {
    Json none = Json::array();
    for (const Json& part : list(schema, keyword, value)) none.push_back(negated(part));
    out.push_back({{"allOf", std::move(none)}});
    for (std::size_t i = 0; i < value.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (!are_disjoint(value[i], value[j]))
          out.push_back({{"allOf", Json::array({reference(value[i]), reference(value[j])})}});
      }
    }
  } else if (keyword == "not") {
    out.push_back(reference(value));
  } else if (keyword == "if") {
    if (schema.contains("then")) out.push_back({{"allOf", Json::array({reference(value), negated(schema["then"])})}});
    if (schema.contains("else")) out.push_back({{"allOf", Json::array({negated(value), negated(schema["else"])})}});
  } else if (keyword == "minLength") {
    if (bound(schema, keyword, value) > 0) add(kStringType, {{"maxLength", bound(schema, keyword, value) - 1}});
  } else if (keyword == "maxLength") {
    add(kStringType, {{"minLength", bound(schema, keyword, value) + 1}});
  } else if (keyword == "pattern") {
    add(kStringType, {{"\1no_pattern", value}});
  } else if (keyword == "format") {
    if (!asserts_formats(schema, keyword)) return;
    const auto* format = value.is_string() ? format_language(value.get_ref<const std::string&>()) : nullptr;
    if (format == nullptr || format->max_length >= 0) no("is not supported");
    add(kStringType, {{"\1no_format", value}});
  } else if (keyword == "contentEncoding" || keyword == "contentMediaType") {
    if (document_.draft() == Draft::k7 && reading_.formats != SchemaReading::Formats::kAnnotate) no("is not supported");
  } else if (keyword == "minimum" || keyword == "exclusiveMinimum") {
    if (value.is_boolean()) return;
    const bool is_open = keyword != "minimum" || schema.value("exclusiveMinimum", Json()) == Json(true);
    add(kNumberTypes, {{is_open ? "maximum" : "exclusiveMaximum", value}});
  } else if (keyword == "maximum" || keyword == "exclusiveMaximum") {
    if (value.is_boolean()) return;
    const bool is_open = keyword != "maximum" || schema.value("exclusiveMaximum", Json()) == Json(true);
    add(kNumberTypes, {{is_open ? "minimum" : "exclusiveMinimum", value}});
  } else if (keyword == "multipleOf") {
    if (value != Json(1)) no("is not supported");
    add(kFractionType, Json::object());
  } else if (keyword == "required") {
    if (!value.is_array()) document_.refuse(schema, keyword, "is no list");
    for (const Json& name : value) {
      if (!name.is_string()) document_.refuse(schema, keyword, "holds something that is no text");
      add(kObjectType, {{"properties", {{name.get<std::string>(), false}}}});
    }
  } else if (keyword == "properties") {
    for (const auto& [name, part] : value.items()) {
      add(kObjectType, {{"required", Json::array({name})}, {"properties", {{name, negated(part)}}}});
    }
  } else if (keyword == "additionalProperties" || keyword == "patternProperties") {
    nodes_.push_back(&schema);
    const std::size_t domain = nodes_.size() - 1;
    const auto want = [&](const std::string& source, const Json& part) {
      nodes_.push_back(&negation(part));
      add(kObjectType, {{"\1want", {{"domain", domain}, {"pattern", source}, {"schema", nodes_.size() - 1}}}});
    };
    if (keyword == "additionalProperties") {
      if (value != Json(true) && value != Json::object()) want("", value);
    } else {
      for (const auto& [source, part] : value.items()) want(source, part);
    }
  } else if (keyword == "minProperties") {
    if (bound(schema, keyword, value) > 0) add(kObjectType, {{"maxProperties", bound(schema, keyword, value) - 1}});
  } else if (keyword == "maxProperties") {
    add(kObjectType, {{"minProperties", bound(schema, keyword, value) + 1}});
  } else if (keyword == "minItems") {
    if (bound(schema, keyword, value) > 0) add(kArrayType, {{"maxItems", bound(schema, keyword, value) - 1}});
  } else if (keyword == "maxItems") {
    add(kArrayType, {{"minItems", bound(schema, keyword, value) + 1}});
  } else if (keyword == "prefixItems" || keyword == "\1prefix" || (keyword == "items" && value.is_array())) {
    if (schema.contains("additionalItems") || schema.contains("items")) {
      if (keyword != "items" || schema.contains("additionalItems")) no("beside the other items is not supported");
    }
    Json prefix = Json::array();
    for (const Json& part : value) {
      prefix.push_back(negated(part));
      add(kArrayType, {{"minItems", prefix.size()}, {"\1prefix", prefix}});
      prefix.back() = Json::object();
    }
  } else if (keyword == "items") {
    if (schema.contains("prefixItems")) no("beside \"prefixItems\" is not supported");
    if (value != Json(true) && value != Json::object()) add(kArrayType, {{"contains", negated(value)}});
  } else if (keyword == "contains") {
    const int fewest = schema.contains("minContains") ? bound(schema, "minContains", schema["minContains"]) : 1;
    if (fewest > 0) add(kArrayType, {{"contains", reference(value)}, {"minContains", 0}, {"maxContains", fewest - 1}});
    if (schema.contains("maxContains"))
      add(kArrayType,
          {{"contains", reference(value)}, {"minContains", bound(schema, "maxContains", schema["maxContains"]) + 1}});
  } else if (keyword == "dependentRequired" || keyword == "dependentSchemas" || keyword == "dependencies") {
    for (const auto& [name, then] : value.items()) {
      if (then.is_array()) {
        for (const Json& other : then)
          add(kObjectType, {{"required", Json::array({name})}, {"properties", {{other.get<std::string>(), false}}}});
      } else {
        add(kObjectType, {{"required", Json::array({name})}, {"allOf", Json::array({negated(then)})}});
      }
    }
  } else if (keyword == "propertyNames") {
    if (is_false(value)) {
      add(kObjectType, {{"minProperties", 1}});
    } else if (!is_true(value)) {
      no("is not supported");
    }
  } else if (keyword == "uniqueItems") {
    if (value != Json(false)) no("is not supported");
  } else if (keyword.starts_with("unevaluated") && document_.draft() >= Draft::k201909) {
    if (!is_true(value)) no("is not supported");
  } else if (keyword.starts_with('\1') || keyword == "$recursiveRef") {
    no("is not supported");
  } else {
    is_ignored(schema, keyword);
  }
}

}  // namespace onggi::decode
