// Whether two schemas have no value in common, for "oneOf".

#include <algorithm>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/schema_parts.h"

namespace onggi::decode {
namespace {

constexpr int kMaxEmptyDepth = 3;
constexpr int kMaxNesting = 12;

}  // namespace

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

}  // namespace onggi::decode
