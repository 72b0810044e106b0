// The work of multiplying out; what each keyword adds is in schema_keywords.cpp.

#include <algorithm>
#include <iterator>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/schema_parts.h"

namespace onggi::decode {
namespace {

constexpr int kMaxSteps = 100'000;   ///< Of one schema, which bounds the time that it takes.
constexpr int kMaxOwnSteps = 4'000;  ///< Of one rule.
constexpr std::size_t kMaxAlternatives = 1'000;

constexpr std::size_t kMaxAnyOf = 8;  ///< Where which of them hold matters.

Place step_of(const Place& place, int index) {
  Place out = place;
  out.push_back(index);
  return out;
}

}  // namespace

struct SchemaExpander::Chain {
  const Json* schema;
  std::shared_ptr<const Chain> outer;
  Place silenced;  ///< Of the innermost schema that was made.
  bool collects;   ///< Some schema asks for what is evaluated.
};

bool Origin::is_seen_from(const Place& scope) const {
  const auto begins = [](const Place& whole, const Place& front) {
    return whole.size() >= front.size() && std::equal(front.begin(), front.end(), whole.begin());
  };
  return begins(place, scope) && begins(scope, silenced);
}

/// Of what the keyword with this index adds.
Origin SchemaExpander::origin_of(const Step& step, int index) {
  return {step_of(step.place, index), step.chain->silenced};
}

std::vector<Conjunction> SchemaExpander::expand(const Schemas& schemas) {
  Work work;
  for (std::size_t i = schemas.size(); i-- > 0;)
    work.open.push_back({schemas[i], {static_cast<int>(i)}, nullptr, {}, 0});
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
      const auto by_place = [](const auto& a, const auto& b) { return a.origin.place < b.origin.place; };
      std::stable_sort(work.conjunction.objects.begin(), work.conjunction.objects.end(), by_place);
      std::stable_sort(work.conjunction.required.begin(), work.conjunction.required.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      resolve_unevaluated(work);
      out.push_back(std::move(work.conjunction));
      return;
    }
    const Step choice = std::move(work.choices.back());
    work.choices.pop_back();
    if (choice.choices.size() > widest_) {
      widest_ = choice.choices.size();
      widest_at_ = choice.chain->schema;
      widest_keyword_ = std::next(widest_at_->begin(), choice.index).key();
    }
    for (const Schemas& option : choice.choices) {
      Work branch = work;
      for (std::size_t i = option.size(); i-- > 0;)
        branch.open.push_back({option[i], step_of(choice.place, static_cast<int>(i)), choice.chain, {}, 0});
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
  // Where annotations count it matters from where a schema is referred to.
  if (!document_.has_unevaluated()) {
    if (holds(work.seen, &schema)) return;
    work.seen.push_back(&schema);
  }
  Chain chain{&schema, step.chain, {}, false};
  if (step.chain) chain.silenced = step.chain->silenced;
  if (document_.is_made(schema)) chain.silenced = step.place;
  const bool has_own = schema.contains("unevaluatedProperties") || schema.contains("unevaluatedItems");
  chain.collects = document_.has_unevaluated() && (has_own || (step.chain && step.chain->collects));
  Step inner{nullptr, step.place, std::make_shared<const Chain>(std::move(chain)), {}, 0};
  if (document_.draft() <= Draft::k7 && schema.contains("$ref")) {
    also(inner, 0, document_.target(schema, "$ref"), work);
    return;
  }
  int index = 0;
  bool has_object_layer = false;
  if (!document_.is_of_this_dialect(schema))
    document_.refuse(schema, "$schema", "is another one than that of the whole schema, which is not supported");
  for (const auto& [keyword, value] : schema.items()) {
    inner.index = index++;
    if (is_left_out(schema, keyword)) continue;
    if (keyword == "properties" || keyword == "patternProperties" || keyword == "additionalProperties") {
      if (!std::exchange(has_object_layer, true))
        read_object(schema, "properties", value, origin_of(inner, inner.index), work);
    } else {
      read_keyword(schema, keyword, value, inner, inner.index, work);
    }
  }
}

void SchemaExpander::also(const Step& step, int index, const Json& schema, Work& work) {
  work.open.push_back({&schema, step_of(step.place, index), step.chain, {}, 0});
}

void SchemaExpander::choose(const Step& step, int index, std::vector<Schemas> choices, Work& work) {
  if (choices.size() == 1) {
    for (std::size_t i = choices[0].size(); i-- > 0;)
      work.open.push_back({choices[0][i], step_of(step_of(step.place, index), static_cast<int>(i)), step.chain, {}, 0});
    return;
  }
  work.choices.push_back({nullptr, step_of(step.place, index), step.chain, std::move(choices), step.index});
}

void SchemaExpander::read_keyword(const Json& schema, const std::string& keyword, const Json& value, const Step& step,
                                  int index, Work& work) {
  Conjunction& c = work.conjunction;
  const bool is_unevaluated = keyword == "unevaluatedProperties" || keyword == "unevaluatedItems";
  if (keyword == "type") {
    c.types &= types_of(schema, value);
  } else if (keyword == "enum" || keyword == "const") {
    read_listed(schema, keyword, value, step, index, work);
  } else if (is_unevaluated && document_.draft() >= Draft::k201909) {
    work.unevaluated.push_back({{step.place, step.chain->silenced}, &schema, &value, keyword == "unevaluatedItems"});
  } else if (keyword == "$recursiveRef" || keyword == "x-onggi-regex") {
    document_.refuse(schema, keyword, "is not supported here");
  } else if (!read_applicator(schema, keyword, value, step, index, work) &&
             !read_text_or_number(schema, keyword, value, c) &&
             !read_array(schema, keyword, value, origin_of(step, index), c) &&
             !read_object(schema, keyword, value, origin_of(step, index), work)) {
    is_ignored(schema, keyword);
  }
}

/// Keywords of other schemas for the same value.
bool SchemaExpander::read_applicator(const Json& schema, const std::string& keyword, const Json& value,
                                     const Step& step, int index, Work& work) {
  if (keyword == "\1schema") {
    also(step, index, *nodes_[value.get<std::size_t>()], work);
  } else if (keyword == "\1not") {
    also(step, index, negation(*nodes_[value.get<std::size_t>()]), work);
  } else if (keyword == "$ref") {
    also(step, index, document_.target(schema, keyword), work);
  } else if (keyword == "$dynamicRef" && document_.draft() >= Draft::k202012) {
    also(step, index, document_.dynamic_target(schema), work);
  } else if (keyword == "allOf") {
    Schemas all;
    for (const Json& part : list(schema, keyword, value)) all.push_back(&part);
    choose(step, index, {std::move(all)}, work);
  } else if (keyword == "anyOf") {
    read_any_of(schema, list(schema, keyword, value), step, index, work);
  } else if (keyword == "oneOf") {
    read_one_of(list(schema, keyword, value), step, index, work);
  } else if (keyword == "not") {
    also(step, index, negation(value), work);
  } else if (keyword == "if" && document_.draft() >= Draft::k7) {
    read_if(schema, value, step, index, work);
  } else if (keyword == "dependentRequired" || keyword == "dependentSchemas" || keyword == "dependencies") {
    read_dependent(schema, keyword, value, step, index, work);
  } else {
    return false;
  }
  return true;
}

void SchemaExpander::read_any_of(const Json& schema, const Json& value, const Step& step, int index, Work& work) {
  std::vector<Schemas> choices;
  if (!step.chain->collects) {
    for (const Json& part : value) choices.push_back({&part});
    return choose(step, index, std::move(choices), work);
  }
  // What is evaluated grows with each part that holds, and more of it never makes a value invalid: so a value is valid
  // if and only if it is with some of the parts that hold and what these evaluate.
  if (value.size() > kMaxAnyOf)
    document_.refuse(schema, "anyOf",
                     "of more than " + std::to_string(kMaxAnyOf) + " schemas inside of one with " +
                         "\"unevaluatedProperties\" or \"unevaluatedItems\" is not supported");
  for (std::size_t some = 1; some < std::size_t{1} << value.size(); ++some) {
    Schemas option;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if ((some >> i & 1) != 0) option.push_back(&value[i]);
    }
    choices.push_back(std::move(option));
  }
  choose(step, index, std::move(choices), work);
}

void SchemaExpander::read_if(const Json& schema, const Json& value, const Step& step, int index, Work& work) {
  const bool has_then = schema.contains("then");
  const bool has_else = schema.contains("else");
  Schemas with = {&value};
  if (!has_then && !has_else) {
    // It decides nothing, but what it evaluates counts where it holds.
    if (step.chain->collects) choose(step, index, {std::move(with), {}}, work);
    return;
  }
  Schemas without = {&negation(value)};
  if (has_then) with.push_back(&schema["then"]);
  if (has_else) without.push_back(&schema["else"]);
  choose(step, index, {std::move(with), std::move(without)}, work);
}

void SchemaExpander::read_dependent(const Json& schema, const std::string& keyword, const Json& value, const Step& step,
                                    int index, Work& work) {
  if (!value.is_object()) document_.refuse(schema, keyword, "is no object");
  Step one = step;
  one.place = step_of(step.place, index);
  int member = 0;
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
    choose(one, member++, {std::move(with), {&absent}}, work);
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

}  // namespace onggi::decode
