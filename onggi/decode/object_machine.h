#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "onggi/decode/array_machine.h"
#include "onggi/decode/machine.h"

namespace onggi::decode {

struct ObjectSpec {
  /// A member's value: the rule of its texts, and for each of `num_wanted` the rule of those that fulfil it.
  struct Value {
    int rule = kNoRule;
    std::vector<int> wanted;
  };
  struct Name {
    std::string key;  ///< As it is spelt, with its quotes.
    bool is_required = false;
    Value value;
  };
  /// All other names of one kind.
  struct Others {
    int key_rule = kNoRule;
    Value value;
  };
  std::vector<Name> names;  ///< In the order in which they are written.
  std::vector<Others> others;
  int min_members = 0;
  int max_members = -1;     ///< -1: none.
  int num_wanted = 0;       ///< Things that some member must fulfil.
  bool is_flexible = true;  ///< White space between tokens; else ", " and ": ".
  bool is_ordered = true;   ///< Else names stand anywhere; only where nothing is wanted.
};

/// JSON objects: named members in their order, then others in any; or all in any order.
class ObjectMachine : public Machine {
 public:
  /// Throws kExhausted where names, bounds and wishes together need too many states.
  explicit ObjectMachine(ObjectSpec spec);
  bool is_empty() const { return !can_end(0, 0, 0); }

  int start() override { return intern({Place::kBefore, 0, 0, 0, 0}); }
  int next(int state, std::uint8_t byte) override;
  bool is_accepting(int state) override { return states_[static_cast<std::size_t>(state)].place == Place::kAfter; }
  bool is_last(int state) override { return is_accepting(state); }
  void calls(int state, std::vector<Call>& out) override;
  void forget() override;

 private:
  enum class Place : std::uint8_t {
    kBefore,
    kFirst,
    kComma,
    kCommaSpace,
    kKey,
    kAfterKey,
    kColonSpace,
    kValue,
    kAfterValue,
    kAfter
  };
  struct State {
    Place place;
    int position;  ///< Names before this one are written or left out; without an order, the set of those written.
    int count;     ///< Members, as far as it matters.
    int wanted;    ///< Bits of what is fulfilled.
    int at;        ///< Node of the trie of names; or whose value it is: a name, or past them one of the others.
  };
  /// Node of the trie of the names' spellings.
  struct Node {
    std::map<std::uint8_t, int> next;
    std::vector<int> names;  ///< Below it, ascending.
    int name = -1;           ///< That ends here.
  };
  int num_names() const { return static_cast<int>(spec_.names.size()); }
  int intern(State state);
  bool may_end(int position, int count, int wanted) const;
  bool can_end(int position, int count, int wanted) const;
  bool can_end_after(const ObjectSpec::Value& value, int position, int count, int wanted) const;
  /// A member may come next: one of the names from `position` to the next that is required, or another.
  bool can_take_name(int name, const State& s) {
    return is_open(name, s.position) && can_end_after(spec_.names[static_cast<std::size_t>(name)].value,
                                                      past(name, s.position), after_member(s.count), s.wanted);
  }
  /// The name may come at this position, as far as the order goes.
  bool is_open(int name, int position) const;
  int past(int name, int position);
  int past_names(int position) const { return spec_.is_ordered ? num_names() : position; }
  bool misses_required(int position) const;
  bool can_take_others(const State& s) const;
  bool can_go_on(const State& s);
  int last_name(int position) const { return last_[static_cast<std::size_t>(position)]; }
  int after_member(int count) const {
    return spec_.max_members >= 0 ? count + 1 : std::min(count + 1, spec_.min_members);
  }
  void find_ends();

  ObjectSpec spec_;
  std::vector<Node> trie_;
  std::vector<int> last_;  ///< By position: the first required name from there on, else the last name.
  bool is_bound_;
  int num_counts_ = 1;
  std::vector<bool> can_end_;
  std::vector<State> states_;
  std::map<std::vector<int>, int> known_;
  /// Sets of names that are written, where there is no order; the first is empty.
  struct Written {
    std::vector<bool> names;
    int num_missing = 0;  ///< Required names that are not there.
    int num_open = 0;
  };
  std::vector<Written> written_;
  std::map<std::vector<bool>, int> known_written_;
};

}  // namespace onggi::decode
