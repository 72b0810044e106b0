#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "onggi/decode/pushdown.h"
#include "onggi/decode/schema_parts.h"
#include "onggi/decode/string_machine.h"

namespace onggi::decode {

/// Adds a machine to a grammar and gives its number.
int add_machine(Grammar& grammar, std::unique_ptr<Machine> machine);
/// A text as JSON spells it, with its quotes.
std::string spelt(const std::string& text);

/// Machines of the values that are no arrays or objects: each is made once for all rules that need it.
class ScalarMachines {
 public:
  ScalarMachines(Grammar& grammar, const SchemaDocument& document, const SchemaReading& reading)
      : grammar_(grammar), document_(document), reading_(reading) {}

  /// Adds the machines of an alternative's scalars that are not there yet.
  void add(const Conjunction& c, std::vector<int>& machines);
  /// Machine of the strings, -1 if there are none. Contents and names are told apart by their addresses.
  int string_machine(const StringSpec& spec);
  /// The texts that an alternative's strings may be. Throws kInvalidArgument for lengths above 256; `from` is the
  /// schema that asks for them.
  ByteDfa texts_of(const Conjunction& c, const Json& from);

  /// The strings of an alternative, always with a content.
  StringSpec strings_of(const Conjunction& c);
  /// The numbers of an alternative, in any of some ways. Throws kInvalidArgument for what is not supported.
  std::vector<NumberSpec> numbers_of(const Conjunction& c) const;

 private:
  NumberSpec number_spec(const Conjunction& c) const;
  std::vector<Json> listed_numbers(const Conjunction& c) const;
  int literal_machine(const std::vector<Pattern>& texts, const std::string& key);
  int string_machine(const Conjunction& c);
  int number_machine(const Conjunction& c);
  std::shared_ptr<const ByteDfa> content_of(const Conjunction& c);
  Pattern number_text(const Json& number) const;

  Grammar& grammar_;
  const SchemaDocument& document_;
  const SchemaReading& reading_;
  std::map<std::string, int> machines_;  ///< By their descriptions.
  std::map<std::string, std::shared_ptr<const ByteDfa>> contents_;
};

}  // namespace onggi::decode
