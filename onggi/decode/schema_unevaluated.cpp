// "unevaluatedProperties" and "unevaluatedItems" of one alternative, in which it is known what holds: they become
// "additionalProperties" and "items" beside all that the parts of their schema evaluate (2020-12, 11).

#include <algorithm>
#include <string>

#include "onggi/decode/schema_parts.h"

namespace onggi::decode {
namespace {

const Origin kUnseen{{-1}, {}};

}  // namespace

void SchemaExpander::resolve_unevaluated(Work& work) {
  // The layers that are made here stand behind all others, and no schema sees them.
  const std::vector<Unevaluated>& all = work.unevaluated;
  for (const Unevaluated& u : all) {
    if (is_true(*u.value)) continue;
    // One further in leaves nothing for this one.
    const bool is_nested = std::any_of(all.begin(), all.end(), [&](const Unevaluated& other) {
      return other.is_of_items == u.is_of_items && other.origin.place != u.origin.place &&
             other.origin.is_seen_from(u.origin.place);
    });
    if (is_nested) continue;
    if (u.is_of_items) {
      close_items(u, work.conjunction);
    } else {
      close_members(u, work.conjunction);
    }
  }
}

void SchemaExpander::close_members(const Unevaluated& u, Conjunction& c) {
  Json evaluated = {{"properties", Json::object()}, {"patternProperties", Json::object()}};
  for (const ObjectLayer& layer : c.objects) {
    if (!layer.origin.is_seen_from(u.origin.place)) continue;
    if (layer.additional != nullptr) return;  // Then everything is.
    for (const auto& [from, to] :
         {std::pair(layer.properties, "properties"), std::pair(layer.patterns, "patternProperties")}) {
      if (from == nullptr) continue;
      for (const auto& [name, value] : from->items()) evaluated[to][name] = true;
    }
  }
  const Json*& kept = evaluated_[evaluated.dump()];
  if (kept == nullptr) kept = &document_.keep(std::move(evaluated), *u.schema);
  const Json& patterns = (*kept)["patternProperties"];
  c.objects.push_back({kUnseen, &(*kept)["properties"], patterns.empty() ? nullptr : &patterns, u.value});
}

void SchemaExpander::close_items(const Unevaluated& u, Conjunction& c) {
  static const Json anything = true;
  std::size_t num_evaluated = 0;
  Schemas options;
  for (const ArrayLayer& layer : c.arrays) {
    if (!layer.origin.is_seen_from(u.origin.place)) continue;
    if (layer.rest != nullptr) return;  // Then everything is.
    num_evaluated = std::max(num_evaluated, layer.prefix.size());
    if (layer.contains != nullptr) options.push_back(layer.contains);
  }
  const Json* rest = u.value;
  if (!options.empty()) {
    options.push_back(u.value);
    const Json*& kept = options_[options];
    if (kept == nullptr) {
      Json any = Json::array();
      for (const Json* option : options) any.push_back(reference(*option));
      kept = &document_.keep({{"anyOf", std::move(any)}}, *u.schema);
    }
    rest = kept;
  }
  c.arrays.push_back({kUnseen, Schemas(num_evaluated, &anything), rest, nullptr});
}

}  // namespace onggi::decode
