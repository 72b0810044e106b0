// Positive keywords; what "not" makes of them is in schema_negate.cpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/schema_parts.h"
#include "onggi/decode/text_language.h"

namespace onggi::decode {
namespace {

constexpr int kMaxSteps = 100'000;   ///< Of one schema, which bounds the time that it takes.
constexpr int kMaxOwnSteps = 4'000;  ///< Of one rule.
constexpr std::size_t kMaxAlternatives = 1'000;
constexpr int kMaxEmptyDepth = 3;
constexpr int kMaxNesting = 12;

constexpr std::array<std::string_view, 17> kAnnotations = {
    "title",    "description", "default",        "examples",      "$comment",    "deprecated",
    "readOnly", "writeOnly",   "$schema",        "$defs",         "definitions", "$anchor",
    "$id",      "id",          "$dynamicAnchor", "contentSchema", "$vocabulary"};
constexpr std::array<std::string_view, 7> kBeside = {
    "additionalItems", "then", "else", "minContains", "maxContains", "patternProperties", "additionalProperties"};
/// Known, and beyond what a grammar can hold.
constexpr std::array<std::string_view, 5> kRefused = {"$dynamicRef", "$recursiveRef", "unevaluatedProperties",
                                                      "unevaluatedItems", "x-onggi-regex"};

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

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool is_false(const Json& schema) { return schema.is_boolean() && !schema.get<bool>(); }
bool is_true(const Json& schema) {
  return schema.is_boolean() ? schema.get<bool>() : schema.is_object() && schema.empty();
}

Place step_of(const Place& place, int index) {
  Place out = place;
  out.push_back(index);
  return out;
}

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

struct SchemaExpander::Chain {
  const Json* schema;
  std::shared_ptr<const Chain> outer;
};

std::vector<Conjunction> SchemaExpander::expand(const Schemas& schemas) {
  Work work;
  for (std::size_t i = schemas.size(); i-- > 0;) work.open.push_back({schemas[i], {static_cast<int>(i)}, nullptr, {}});
  std::vector<Conjunction> out;
  const int outer = std::exchange(num_own_steps_, 0);
  widest_ = 0;
  widest_at_ = nullptr;
  run(std::move(work), out);
  num_own_steps_ = outer;
  return out;
}

void SchemaExpander::refuse_size() const {
  const std::string why = " has too many alternatives once they are multiplied out";
  if (widest_at_ == nullptr) throw Error(ErrorCode::kExhausted, "guide schema: its \"allOf\" or \"$ref\"" + why);
  throw Error(ErrorCode::kExhausted, "guide schema: " + document_.spelt_keyword(*widest_at_, widest_keyword_) + why,
              document_.pointer(*widest_at_, widest_keyword_));
}

void SchemaExpander::run(Work work, std::vector<Conjunction>& out) {
  while (work.conjunction.types != 0) {
    if (++num_steps_ > kMaxSteps || ++num_own_steps_ > kMaxOwnSteps || out.size() > kMaxAlternatives) refuse_size();
    if (!work.open.empty()) {
      const Step step = std::move(work.open.back());
      work.open.pop_back();
      read(step, work);
      continue;
    }
    if (work.choices.empty()) {
      const auto by_place = [](const auto& a, const auto& b) { return a.place < b.place; };
      std::stable_sort(work.conjunction.objects.begin(), work.conjunction.objects.end(), by_place);
      std::stable_sort(work.conjunction.required.begin(), work.conjunction.required.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      out.push_back(std::move(work.conjunction));
      return;
    }
    const Step choice = std::move(work.choices.back());
    work.choices.pop_back();
    if (choice.choices.size() > widest_) {
      widest_ = choice.choices.size();
      widest_at_ = choice.chain->schema;
      widest_keyword_ = std::next(widest_at_->begin(), choice.place.back()).key();
    }
    for (const Schemas& option : choice.choices) {
      Work branch = work;
      for (std::size_t i = option.size(); i-- > 0;)
        branch.open.push_back({option[i], step_of(choice.place, static_cast<int>(i)), choice.chain, {}});
      run(std::move(branch), out);
    }
    return;
  }
}

void SchemaExpander::read(const Step& step, Work& work) {
  const Json& schema = *step.schema;
  if (is_true(schema)) return;
  if (is_false(schema)) {
    work.conjunction.types = 0;
    return;
  }
  require(schema.is_object(), "guide schema: a schema must be an object, true or false", ErrorCode::kInvalidArgument,
          document_.pointer(schema));
  for (auto at = step.chain; at; at = at->outer) {
    if (at->schema == &schema) document_.refuse(schema, "$ref", "comes back to itself without anything between");
  }
  if (std::find(work.seen.begin(), work.seen.end(), &schema) != work.seen.end()) return;
  work.seen.push_back(&schema);
  Step inner{nullptr, step.place, std::make_shared<const Chain>(Chain{&schema, step.chain}), {}};
  if (document_.draft() <= Draft::k7 && schema.contains("$ref")) {
    also(inner, 0, document_.target(schema, "$ref"), work);
    return;
  }
  int index = 0;
  bool has_object_layer = false;
  if (!document_.is_of_this_dialect(schema))
    document_.refuse(schema, "$schema", "is another one than that of the whole schema, which is not supported");
  for (const auto& [keyword, value] : schema.items()) {
    if (is_left_out(schema, keyword)) continue;
    if (keyword == "properties" || keyword == "patternProperties" || keyword == "additionalProperties") {
      if (!std::exchange(has_object_layer, true))
        read_object(schema, "properties", value, step_of(step.place, index), work);
    } else {
      read_keyword(schema, keyword, value, inner, index, work);
    }
    ++index;
  }
}

void SchemaExpander::also(const Step& step, int index, const Json& schema, Work& work) {
  work.open.push_back({&schema, step_of(step.place, index), step.chain, {}});
}

void SchemaExpander::choose(const Step& step, int index, std::vector<Schemas> choices, Work& work) {
  if (choices.size() == 1) {
    for (std::size_t i = choices[0].size(); i-- > 0;)
      work.open.push_back({choices[0][i], step_of(step_of(step.place, index), static_cast<int>(i)), step.chain, {}});
    return;
  }
  work.choices.push_back({nullptr, step_of(step.place, index), step.chain, std::move(choices)});
}

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

void SchemaExpander::read_keyword(const Json& schema, const std::string& keyword, const Json& value, const Step& step,
                                  int index, Work& work) {
  Conjunction& c = work.conjunction;
  if (keyword == "\1schema") return also(step, index, *nodes_[value.get<std::size_t>()], work);
  if (keyword == "\1not") return also(step, index, negation(*nodes_[value.get<std::size_t>()]), work);
  if (keyword == "type") {
    c.types &= types_of(schema, value);
  } else if (keyword == "enum" || keyword == "const") {
    read_listed(schema, keyword, value, step, index, work);
  } else if (keyword == "$ref") {
    also(step, index, document_.target(schema, keyword), work);
  } else if (keyword == "$dynamicRef" && value.is_string() &&
             value.get_ref<const std::string&>().find('#') == std::string::npos) {
    also(step, index, document_.target(schema, keyword), work);
  } else if (keyword == "allOf") {
    Schemas all;
    for (const Json& part : list(schema, keyword, value)) all.push_back(&part);
    choose(step, index, {std::move(all)}, work);
  } else if (keyword == "anyOf") {
    std::vector<Schemas> choices;
    for (const Json& part : list(schema, keyword, value)) choices.push_back({&part});
    choose(step, index, std::move(choices), work);
  } else if (keyword == "oneOf") {
    read_one_of(list(schema, keyword, value), step, index, work);
  } else if (keyword == "not") {
    also(step, index, negation(value), work);
  } else if (keyword == "if" && document_.draft() >= Draft::k7) {
    const bool has_then = schema.contains("then");
    const bool has_else = schema.contains("else");
    if (!has_then && !has_else) return;
    Schemas with = {&value};
    Schemas without = {&negation(value)};
    if (has_then) with.push_back(&schema["then"]);
    if (has_else) without.push_back(&schema["else"]);
    choose(step, index, {std::move(with), std::move(without)}, work);
  } else if (holds(kRefused, keyword)) {
    if (keyword.starts_with("unevaluated") && is_true(value)) return;
    document_.refuse(schema, keyword, "is not supported here");
  } else if (keyword == "dependentRequired" || keyword == "dependentSchemas" || keyword == "dependencies") {
    if (!value.is_object()) document_.refuse(schema, keyword, "is no object");
    for (const auto& [name, then] : value.items()) {
      const Json& absent = document_.keep({{"properties", {{name, false}}}}, schema);
      Json present = {{"type", "object"}, {"required", Json::array({name})}};
      Schemas with;
      if (then.is_array()) {
        for (const Json& other : then) present["required"].push_back(other);
      } else {
        with.push_back(&then);
      }
      with.insert(with.begin(), &document_.keep(std::move(present), schema));
      choose(step, index, {std::move(with), {&absent}}, work);
    }
  } else if (!read_text_or_number(schema, keyword, value, c) && !read_array(schema, keyword, value, c) &&
             !read_object(schema, keyword, value, step_of(step.place, index), work)) {
    is_ignored(schema, keyword);
  }
}

void SchemaExpander::read_one_of(const Json& value, const Step& step, int index, Work& work) {
  std::vector<Schemas> choices;
  for (std::size_t i = 0; i < value.size(); ++i) {
    Schemas option = {&value[i]};
    for (std::size_t j = 0; j < value.size(); ++j) {
      if (j != i && !are_disjoint(value[i], value[j])) option.push_back(&negation(value[j]));
    }
    choices.push_back(std::move(option));
  }
  choose(step, index, std::move(choices), work);
}

bool SchemaExpander::are_disjoint(const Json& a, const Json& b) {
  const std::pair<const Json*, const Json*> key = std::minmax({&a, &b});  // Of two arguments it keeps references.
  if (const auto known = disjoint_.find(key); known != disjoint_.end()) return known->second;
  disjoint_[key] = false;  // Where the question comes up again inside of itself.
  const bool result = is_surely_empty({&a, &b}, 0);
  return disjoint_[key] = result;
}

/// True only if no value fits all of them, as far as that can be seen quickly.
bool SchemaExpander::is_surely_empty(const Schemas& schemas, int depth) {
  // Unions inside of unions ask again, and recursion may ask for ever.
  if (nesting_ >= kMaxNesting) return false;
  ++nesting_;
  std::vector<Conjunction> all;
  try {
    all = expand(schemas);
  } catch (const Error&) {  // What is wrong with it is told where it is used.
    --nesting_;
    return false;
  }
  const bool is_empty = are_surely_empty(all, depth);
  --nesting_;
  return is_empty;
}

bool SchemaExpander::are_surely_empty(const std::vector<Conjunction>& all, int depth) {
  return std::all_of(all.begin(), all.end(), [&](const Conjunction& c) {
    if ((c.types & ~(kObjectType | kStringType | kNumberTypes)) != 0) return false;
    if ((c.types & kNumberTypes) != 0 &&
        !(c.listed_numbers && std::none_of(c.listed_numbers->begin(), c.listed_numbers->end(),
                                           [&](const Json& n) { return c.numbers.holds(decimal_of(n)); }))) {
      if (!c.numbers.low || !c.numbers.high || c.numbers.low->value <= c.numbers.high->value) return false;
    }
    if ((c.types & kStringType) != 0) {
      if (c.listed_texts) {
        const auto fits = [&](const std::string& text) {
          return std::all_of(c.texts.begin(), c.texts.end(), [&](const auto& dfa) { return dfa->accepts(text); }) &&
                 !holds(c.excluded_texts, text);
        };
        if (std::any_of(c.listed_texts->begin(), c.listed_texts->end(), fits)) return false;
      } else {
        if (c.texts.size() < 2) return false;
        ByteDfa common = *c.texts[0];
        for (std::size_t i = 1; i < c.texts.size(); ++i) common = ByteDfa::both(common, *c.texts[i]);
        if (!common.is_empty()) return false;
      }
    }
    if ((c.types & kObjectType) == 0) return true;
    if (depth >= kMaxEmptyDepth) return false;
    // A member that must be there and can't be.
    return std::any_of(c.required.begin(), c.required.end(), [&](const auto& name) {
      Schemas held;
      for (const ObjectLayer& layer : c.objects) {
        if (layer.properties != nullptr && layer.properties->contains(name.second)) {
          held.push_back(&(*layer.properties)[name.second]);
        } else if (layer.additional != nullptr && layer.patterns == nullptr) {
          held.push_back(layer.additional);
        }
      }
      return !held.empty() && is_surely_empty(held, depth + 1);
    });
  });
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

bool SchemaExpander::read_array(const Json& schema, const std::string& keyword, const Json& value, Conjunction& c) {
  if (keyword == "items" || keyword == "prefixItems" || keyword == "\1prefix") {
    // Up to draft 2019-09 a list of "items" is what is now "prefixItems", and "additionalItems" is "items".
    const bool is_list = keyword == "items" && value.is_array();
    if (keyword == "items" && !is_list && schema.contains("prefixItems")) return true;  // Read with the others.
    const Json* prefix = keyword == "items" ? (is_list ? &value : nullptr) : &value;
    ArrayLayer layer;
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
    if (found.fewest > 0 || found.most >= 0) c.contained.push_back(found);
  } else {
    return false;
  }
  return true;
}

bool SchemaExpander::read_object(const Json& schema, const std::string& keyword, const Json& value, const Place& place,
                                 Work& work) {
  Conjunction& c = work.conjunction;
  if (keyword == "properties") {
    ObjectLayer layer{place, nullptr, nullptr, nullptr};
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
      c.required.emplace_back(place, name.get<std::string>());
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
