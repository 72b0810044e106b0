#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "onggi/decode/machine.h"

namespace onggi::decode {

constexpr int kNoRule = -1;  ///< No text fits.

struct ArraySpec {
  /// One item: the rule of its texts; with "contains", that of those which count and that of the others.
  struct Item {
    int any = kNoRule;
    int counted = kNoRule;
  };
  std::vector<Item> prefix;
  Item rest;
  int min_items = 0;
  int max_items = -1;  ///< -1: none.
  int min_counted = 0;
  int max_counted = -1;     ///< If set, `any` are the others only.
  bool is_flexible = true;  ///< White space between tokens; else ", ".
};

/// JSON arrays.
class ArrayMachine : public Machine {
 public:
  /// Throws kExhausted where "contains" beside many items would need too many states.
  explicit ArrayMachine(ArraySpec spec);
  bool is_empty() const { return !can_end(0, 0); }

  int start() override { return intern({Place::kBefore, 0, 0}); }
  int next(int state, std::uint8_t byte) override;
  bool is_accepting(int state) override { return states_[static_cast<std::size_t>(state)].place == Place::kAfter; }
  bool is_last(int state) override { return is_accepting(state); }
  void calls(int state, std::vector<Call>& out) override;
  void forget() override;

 private:
  enum class Place : std::uint8_t { kBefore, kFirst, kItem, kSpace, kComma, kAfter };
  struct State {
    Place place;
    int count;
    int counted;
  };
  int intern(State state);
  const ArraySpec::Item& item(int index) const {
    return index < static_cast<int>(spec_.prefix.size()) ? spec_.prefix[static_cast<std::size_t>(index)] : spec_.rest;
  }
  bool may_end(int count, int counted) const { return count >= spec_.min_items && counted >= spec_.min_counted; }
  bool can_end(int count, int counted) const;
  /// Some item may come next.
  bool can_go_on(int count, int counted) const;
  int after_item(int count) const;
  int after_counted(int counted) const;
  void find_ends();

  ArraySpec spec_;
  int longest_ = 0;  ///< Items at most; kEndlessRun: no bound.
  bool counts_;      ///< "contains" is there.
  int width_ = 0;    ///< Of can_end_.
  std::vector<bool> can_end_;
  std::vector<State> states_;
  std::unordered_map<std::uint64_t, int> known_;
};

}  // namespace onggi::decode
