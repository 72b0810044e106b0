#include <algorithm>

#include "onggi/decode/schema_structures.h"

namespace onggi::decode {
namespace {

/// Items that have a schema of their own.
std::size_t num_fixed_items(const Conjunction& c) {
  std::size_t most = 0;
  for (const ArrayLayer& layer : c.arrays) most = std::max(most, layer.prefix.size());
  return c.max_items < 0 ? most : std::min(most, static_cast<std::size_t>(c.max_items));
}

Schemas item_schemas(const Conjunction& c, std::size_t index) {
  Schemas all;
  for (const ArrayLayer& layer : c.arrays) {
    if (index < layer.prefix.size()) {
      all.push_back(layer.prefix[index]);
    } else if (layer.rest != nullptr) {
      all.push_back(layer.rest);
    }
  }
  return all;
}

}  // namespace

std::optional<ArraySpec> array_spec(const Conjunction& c, const RuleMaker& maker) {
  ArraySpec spec;
  spec.is_flexible = maker.reading.is_flexible;
  spec.min_items = c.min_items;
  spec.max_items = c.max_items;
  if (c.max_items >= 0 && c.max_items < c.min_items) return std::nullopt;
  if (c.contained.size() > 1)
    maker.document.refuse(*c.contained[1].schema, "contains", "twice for one list is not supported");
  const Contained* contained = c.contained.empty() ? nullptr : &c.contained[0];
  if (contained != nullptr) {
    spec.min_counted = contained->fewest;
    spec.max_counted = contained->most;
    if (contained->most >= 0 && contained->most < contained->fewest) return std::nullopt;
  }
  const std::size_t num_fixed = num_fixed_items(c);
  const auto item = [&](std::size_t index) {
    Schemas all = item_schemas(c, index);
    ArraySpec::Item made;
    if (contained == nullptr) {
      made.any = maker.rule_of(all);
      return made;
    }
    Schemas counted = all;
    counted.push_back(contained->schema);
    made.counted = maker.rule_of(counted);
    if (contained->most >= 0) all.push_back(&maker.expander.negation(*contained->schema));
    made.any = maker.rule_of(all);
    return made;
  };
  for (std::size_t i = 0; i < num_fixed; ++i) spec.prefix.push_back(item(i));
  spec.rest = item(num_fixed);
  return spec;
}

std::optional<UniqueArraySpec> unique_array_spec(const Conjunction& c, const RuleMaker& maker) {
  if (c.max_items >= 0 && c.max_items < c.min_items) return std::nullopt;
  if (!c.contained.empty()) maker.document.refuse(*c.unique_at, "uniqueItems", "beside \"contains\" is not supported");
  const auto item = [&](std::size_t index) {
    UniqueArraySpec::Item made;
    for (const Conjunction& part : maker.expander.expand(item_schemas(c, index))) {
      if ((part.types & (kArrayType | kObjectType)) != 0)
        maker.document.refuse(*c.unique_at, "uniqueItems", "of items that may be arrays or objects is not supported");
      if ((part.types & kStringType) != 0) made.strings.push_back(maker.scalars.strings_of(part));
      if ((part.types & kNumberTypes) != 0) {
        for (NumberSpec& numbers : maker.scalars.numbers_of(part)) made.numbers.push_back(std::move(numbers));
      }
      if ((part.types & kNullType) != 0) made.words.push_back("null");
      if ((part.types & kTrueType) != 0) made.words.push_back("true");
      if ((part.types & kFalseType) != 0) made.words.push_back("false");
    }
    return made;
  };
  UniqueArraySpec spec;
  spec.is_flexible = maker.reading.is_flexible;
  spec.min_items = c.min_items;
  spec.max_items = c.max_items;
  const std::size_t num_fixed = num_fixed_items(c);
  for (std::size_t i = 0; i < num_fixed; ++i) spec.prefix.push_back(item(i));
  spec.rest = item(num_fixed);
  return spec;
}

}  // namespace onggi::decode
