#pragma once

#include <functional>
#include <optional>

#include "onggi/decode/array_machine.h"
#include "onggi/decode/object_machine.h"
#include "onggi/decode/schema_parts.h"
#include "onggi/decode/schema_scalars.h"
#include "onggi/decode/unique_array_machine.h"

namespace onggi::decode {

/// What the alternatives of arrays and objects are read with.
struct RuleMaker {
  SchemaDocument& document;
  SchemaExpander& expander;
  const SchemaReading& reading;
  ScalarMachines& scalars;
  std::function<int(Schemas)> rule_of;      ///< Rule of the values that fit all of some schemas.
  std::function<int(int)> rule_of_machine;  ///< Rule of one machine.
};

/// What an alternative allows of arrays; none if nothing.
std::optional<ArraySpec> array_spec(const Conjunction& c, const RuleMaker& maker);

/// The same where items must be unique and more than one may come. Throws kInvalidArgument naming keyword and pointer
/// for items that are arrays or objects.
std::optional<UniqueArraySpec> unique_array_spec(const Conjunction& c, const RuleMaker& maker);
inline bool needs_unique_items(const Conjunction& c) {
  return c.has_unique_items && (c.max_items < 0 || c.max_items > 1);
}

/// Names of members that `properties` does not name and that the same patterns match.
struct NameKind {
  std::shared_ptr<const ByteDfa> names;
  std::vector<bool> matched;                           ///< By pattern.
  std::shared_ptr<const NameTrie> excluded = nullptr;  ///< Instead, where that is all: less to compute.
};
/// What an alternative allows of objects; none if nothing. Kinds of names are added to `kept`: while it lives their
/// machines are told apart by addresses.
std::optional<ObjectSpec> object_spec(const Conjunction& c, const RuleMaker& maker, std::vector<NameKind>& kept);

}  // namespace onggi::decode
