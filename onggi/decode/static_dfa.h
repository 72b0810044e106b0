#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/decode/token_trie.h"

namespace onggi::decode {

/// A Dfa with what was found out about its states that is the same for all rows, whatever their slots' texts are.
/// Confined to one thread.
class StaticDfa {
 public:
  /// `num_kept_ids` counts the ids of all masks that are kept, here and elsewhere.
  StaticDfa(std::shared_ptr<const Nfa> nfa, std::span<const SlotContent> contents, std::size_t& num_kept_ids)
      : dfa(std::move(nfa), contents), num_kept_ids_(num_kept_ids) {}

  /// Places inside tokens where a slot may begin: in the state that the bytes before it lead to, the next nodes of the
  /// vocabulary's trie, in the order of their bytes.
  struct MidTokenSlots {
    int state;
    std::vector<std::pair<std::uint8_t, int>> next_nodes;
  };
  /// All of them, whatever was written before the token.
  const std::vector<MidTokenSlots>& mid_token_slots(const TokenTrie& vocabulary);

  /// The mask that was kept for a state, null if there is none.
  const std::vector<int>* mask(int state) const;
  /// Takes and keeps a mask, unless those that are kept are too many: then null, and the mask stays. A bounded string
  /// has a mask of the whole vocabulary for each length.
  const std::vector<int>* keep_mask(int state, std::vector<int>&& mask);

  Dfa dfa;

 private:
  std::size_t& num_kept_ids_;
  std::unordered_map<int, std::vector<int>> masks_;
  bool has_mid_token_slots_ = false;
  std::vector<MidTokenSlots> mid_token_slots_;
};

/// The StaticDfas of one Nfa: rows whose slots have a text, the empty text or none leave other states alive. Most rows
/// of a guide share one. Confined to one thread.
class StaticDfas {
 public:
  explicit StaticDfas(std::shared_ptr<const Nfa> nfa) : nfa_(std::move(nfa)) {}
  StaticDfas(const StaticDfas&) = delete;
  StaticDfas& operator=(const StaticDfas&) = delete;

  /// For rows whose slots have this content.
  StaticDfa& of(const std::vector<SlotContent>& contents);
  /// True where it is time to begin again with a new one.
  bool is_full() const;

 private:
  std::shared_ptr<const Nfa> nfa_;
  std::size_t num_kept_ids_ = 0;
  std::vector<std::unique_ptr<StaticDfa>> dfas_;
  std::map<std::vector<SlotContent>, StaticDfa*> by_contents_;
};

}  // namespace onggi::decode
