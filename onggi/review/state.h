#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onggi/review/records.h"

namespace onggi::review {

/// What one person has said of an item and not taken back.
struct Opinion {
  std::string person;
  std::string event;  ///< Id of the decision.
  std::int64_t seq = 0;
  Action action = Action::kAccept;
  std::string answer;  ///< As Event has it.
  int reason = 0;
};

enum class ItemStatus {
  kOpen,      ///< Fewer opinions than wanted.
  kAgreed,    ///< All that are wanted, and the same.
  kDisputed,  ///< All that are wanted, and not the same.
  kSettled,   ///< Someone had the last word.
};

/// An item and what the log says of it.
struct ItemState {
  ItemHead head;
  std::vector<Event> log;  ///< Decisions and settlements that stand, in their order; a person's last one counts.
  std::map<std::string, int, std::less<>> versions;  ///< Events of each person.
  int version = 0;                                   ///< Events of all.

  /// Of a person who reviews: how many events that person has made here. What others do does not change it, since
  /// opinions are independent.
  int version_of(std::string_view person) const;
  /// The person's last decision that stands, a skip too; null: none.
  const Event* decision_of(std::string_view person) const;
  /// One a person, in the order of their first decision; skips are none.
  std::vector<const Event*> opinions() const;
  /// The last word, if there is one.
  const Event* settlement() const;
  ItemStatus status() const;
  /// The decision that makes the item's answer: the settlement, or one of those that agree; null where it has none yet.
  const Event* verdict() const;
};

/// Why an event can't be taken.
enum class Verdict {
  kGood,
  kStale,    ///< The item has another version now.
  kUnknown,  ///< No such item, or no such event to take back.
  kForeign,  ///< The event to take back is another person's.
};

/// Everything that the log says: a fold of events, the same whether they came one by one or all at once. Leases lie
/// beside it: they pass by themselves. Not thread-safe.
class State {
 public:
  /// Heads in the order of their numbers, which follow each other.
  void add_items(std::vector<ItemHead> heads);
  /// An event of the log: it has been judged before, and is taken whatever it says.
  void apply(const Event& event);
  /// Whether this may become part of the log; `version` is what the item had for the person when the decision was made
  /// (of a settlement: the version of all), negative: whatever it is.
  Verdict judge(const Event& event, int version) const;

  /// Whether an event of this id is in the log.
  const Event* find_event(std::string_view id) const;
  /// Ids of the decisions that were made at once under this id; empty if there are none.
  std::vector<std::string> bulk(std::string_view id) const;
  /// Null if there is none.
  const ItemState* find(std::string_view key) const;
  const ItemState* find(std::int64_t number) const;
  const std::vector<ItemState>& items() const { return items_; }
  std::int64_t last_seq() const { return last_seq_; }
  /// Whether others have the item before them.
  bool is_held(std::int64_t number, std::string_view but_by, std::int64_t now_ms) const {
    return num_others_holding(number, but_by, now_ms) > 0;
  }
  /// Gives the person this item too.
  Lease hold(std::int64_t number, std::string_view person, std::int64_t until_ms);
  /// Opinions of each person that stand.
  const std::map<std::string, std::int64_t, std::less<>>& num_judged() const { return num_judged_; }
  /// The same text for the same state: what a fold over all events is compared by.
  std::string fingerprint() const;

  /// Gives up to `count` items to a person, as leases until `until_ms`: those that the person holds already first (but
  /// `have`), then by priority. Items that the person has judged, and those that enough people have or hold, are left
  /// out; those skipped come when nothing else is left. With `gold_every` n, one of n is a gold item, at places that
  /// `seed` and the person decide.
  std::vector<Lease> lease(std::string_view person, int count, const std::set<std::string, std::less<>>& have,
                           std::int64_t now_ms, std::int64_t until_ms, int gold_every, std::uint64_t seed);
  /// Prolongs what the person holds of these.
  std::vector<Lease> renew(std::string_view person, const std::set<std::string, std::less<>>& have, std::int64_t now_ms,
                           std::int64_t until_ms);
  /// As the store kept it.
  void restore(const Lease& lease);

  struct Counts {
    std::int64_t items = 0;  ///< Without gold.
    std::int64_t done = 0;   ///< Agreed or settled.
    std::int64_t disputed = 0;
    std::int64_t decisions = 0;                           ///< Opinions that stand, gold items' too.
    std::int64_t gold = 0;                                ///< Gold items.
    std::int64_t accepted = 0, edited = 0, rejected = 0;  ///< First opinions of each item, without gold.
  };
  const Counts& counts() const { return counts_; }

 private:
  void count(const ItemState& item, int sign);
  bool is_due(const ItemState& item, std::string_view person, std::int64_t now_ms, bool with_skipped) const;
  int num_others_holding(std::int64_t number, std::string_view person, std::int64_t now_ms) const;
  void grant(std::int64_t number, std::string_view person, std::int64_t until_ms, std::vector<Lease>& granted);
  void sort_queue();

  std::vector<ItemState> items_;  ///< By number, from 1.
  std::unordered_map<std::string, std::int64_t> by_key_;
  std::unordered_map<std::string, Event> events_;
  std::unordered_map<std::string, std::vector<std::string>> bulks_;
  std::vector<std::int64_t> queue_, gold_;  ///< Numbers by priority.
  std::size_t first_open_ = 0;              ///< Of the queue: all before it are complete.
  std::map<std::int64_t, std::map<std::string, std::int64_t, std::less<>>> leases_;  ///< Item, person, end.
  std::map<std::string, std::int64_t, std::less<>> num_judged_;  ///< Opinions of each person, gold items' too.
  std::int64_t last_seq_ = 0;
  Counts counts_;
};

}  // namespace onggi::review
