#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/decode/slot_part.h"
#include "onggi/decode/static_dfa.h"
#include "onggi/decode/token_trie.h"

namespace onggi::decode {

/// Where a row's walk stands: outside of slots, in a state of the automaton that rows share, and inside of slots, in a
/// list of threads. Either may be empty. Threads of slots that begin here are not listed: the state implies them.
struct Place {
  int state = Dfa::kDead;
  int threads = 0;  ///< A list that the RowWalk knows; 0 is the empty one.

  bool operator==(const Place&) const = default;
};
constexpr Place kNowhere;

/// The part of a guide's walk that is one row's own: automata of the texts that its slots have, compiled once however
/// often the guide quotes them, and the steps that go through them. What it does with the automaton around the slots is
/// learnt for all rows. Confined to one thread.
class RowWalk {
 public:
  /// Throws kInvalidArgument naming a slot that the row does not have, or if its text is not UTF-8.
  RowWalk(std::span<const SlotPart> parts, const Slots& slots);

  const std::vector<SlotContent>& contents() const { return contents_; }
  /// The place after one more byte. `dfa` is the one that `place` was made with.
  Place step(Dfa& dfa, Place place, std::uint8_t byte);
  /// The place after the bytes, kNowhere if they leave the language's prefixes.
  Place walk(Dfa& dfa, Place place, std::string_view bytes);
  /// Every token of which a byte can stand inside a slot, whatever was written before; ids may come twice. All other
  /// tokens are allowed where the shared automaton reads them.
  std::vector<int> slot_tokens(StaticDfa& loose, const TokenTrie& vocabulary);

 private:
  /// A text of a slot that is being written: its automaton's state, and where its end leads to in the guide's Nfa.
  struct Thread {
    int target;
    int slot;
    int state;
    auto operator<=>(const Thread&) const = default;
  };
  /// The place after a byte that is read by the threads, by the slots that begin at `begin`, and by what stands
  /// outside, which it leads to `outside`.
  Place read(Dfa& dfa, int threads, int begin, int outside, std::uint8_t byte);
  Place everywhere_inside(Dfa& dfa);
  /// Sorts, merges those of one slot and target.
  int list_of(std::vector<Thread>& threads);

  std::vector<Dfa> texts_;  ///< By slot.
  std::vector<SlotContent> contents_;
  std::vector<std::vector<Thread>> lists_;
  std::map<std::vector<Thread>, int> known_lists_;
  std::size_t num_threads_ = 0;  ///< In all lists.
  std::vector<Thread> read_;     ///< Of one step.
};

}  // namespace onggi::decode
