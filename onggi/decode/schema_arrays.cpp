#include <algorithm>

#include "onggi/decode/schema_structures.h"

namespace onggi::decode {

std::optional<ArraySpec> array_spec(const Conjunction& c, const RuleMaker& maker) {
  ArraySpec spec;
  spec.is_flexible = maker.reading.is_flexible;
  spec.min_items = c.min_items;
  spec.max_items = c.max_items;
  if (c.max_items >= 0 && c.max_items < c.min_items) return std::nullopt;
  if (c.contained.size() > 1)
    maker.document.refuse(*c.contained[1].schema, "contains", "twice for one list is not supported");
  if (c.has_unique_items && (c.max_items < 0 || c.max_items > 1))
    maker.document.refuse(*c.unique_at, "uniqueItems", "is not supported");
  const Contained* contained = c.contained.empty() ? nullptr : &c.contained[0];
  if (contained != nullptr) {
    spec.min_counted = contained->fewest;
    spec.max_counted = contained->most;
    if (contained->most >= 0 && contained->most < contained->fewest) return std::nullopt;
  }
  std::size_t num_fixed = 0;
  for (const ArrayLayer& layer : c.arrays) num_fixed = std::max(num_fixed, layer.prefix.size());
  const auto item = [&](std::size_t index) {
    Schemas all;
    for (const ArrayLayer& layer : c.arrays) {
      if (index < layer.prefix.size()) {
        all.push_back(layer.prefix[index]);
      } else if (layer.rest != nullptr) {
        all.push_back(layer.rest);
      }
    }
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
  if (c.max_items >= 0) num_fixed = std::min(num_fixed, static_cast<std::size_t>(c.max_items));
  for (std::size_t i = 0; i < num_fixed; ++i) spec.prefix.push_back(item(i));
  spec.rest = item(num_fixed);
  return spec;
}

}  // namespace onggi::decode
