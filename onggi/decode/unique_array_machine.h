#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "onggi/decode/machine.h"
#include "onggi/decode/number_machine.h"
#include "onggi/decode/string_machine.h"

namespace onggi::decode {

struct UniqueArraySpec {
  /// One item: strings, numbers or words, each in any of some ways.
  struct Item {
    std::vector<StringSpec> strings;  ///< With a content, so that equal strings are equal texts.
    std::vector<NumberSpec> numbers;
    std::vector<std::string> words;  ///< null, true, false
  };
  std::vector<Item> prefix;
  Item rest;
  int min_items = 0;
  int max_items = -1;       ///< -1: none.
  bool is_flexible = true;  ///< White space between tokens; else ", ".
};

/// JSON arrays of scalars of which no two are equal; 1 and 1.0 are. A state holds the values that are written, and the
/// next item's machines leave these out: so every state can be completed. Numbers have no exponent.
class UniqueArrayMachine : public Machine {
 public:
  /// Throws kInvalidArgument where items of several kinds have too few values for `min_items`, or that can't be told.
  explicit UniqueArrayMachine(UniqueArraySpec spec);
  bool is_empty() const { return is_empty_; }

  int start() override { return intern({Place::kBefore, 0, {}, {}}); }
  int next(int state, std::uint8_t byte) override;
  bool is_accepting(int state) override { return states_[static_cast<std::size_t>(state)].place == Place::kAfter; }
  bool is_last(int state) override { return is_accepting(state); }
  int plain_run(int state) override;
  void forget() override;

 private:
  using Values = std::vector<std::string>;  ///< Ascending; each in one form.
  using Inner = std::pair<int, int>;        ///< A machine of the item, and its state.
  using Machines = std::vector<std::unique_ptr<Machine>>;
  enum class Place : std::uint8_t { kBefore, kFirst, kItem, kAfterItem, kSpace, kComma, kAfter };
  struct State {
    Place place;
    int used;                  ///< Index in used_.
    std::vector<Inner> inner;  ///< Of the item that is open.
    std::string text;          ///< What is written of it.
    auto operator<=>(const State&) const = default;
  };
  int intern(State state);
  int intern(Values values);
  const UniqueArraySpec::Item& item(std::size_t index) const {
    return index < spec_.prefix.size() ? spec_.prefix[index] : spec_.rest;
  }
  static Machines made(const UniqueArraySpec::Item& item, const Values& used);
  /// Machines of the item that comes after some values.
  Machines& machines(int used);
  bool can_go_on(int used);
  bool is_complete(const State& state);
  int begin_item(const State& state, std::uint8_t byte);
  int go_on(const State& state, std::uint8_t byte);
  /// The number of values of an item, at most `enough`; -1 if that takes too long.
  static int num_values(const UniqueArraySpec::Item& item, int enough);

  UniqueArraySpec spec_;
  bool is_empty_ = false;
  std::vector<Values> used_;
  std::map<Values, int> known_used_;
  std::map<int, Machines> machines_;
  std::vector<State> states_;
  std::map<State, int> known_;
};

}  // namespace onggi::decode
