#include "onggi/decode/static_dfa.h"

#include <algorithm>

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxKeptIds = std::size_t{1} << 23;
// What may be kept from row to row. A row may need more, up to the limits of a Dfa, before it begins again.
constexpr std::size_t kMaxKeptStates = 20'000;
constexpr std::size_t kMaxKeptMembers = std::size_t{1} << 23;
constexpr std::size_t kMaxNfaStates = std::size_t{1} << 22;  ///< Of all Dfas; each has a few bytes for every one.
constexpr std::size_t kMaxContents = 256;

}  // namespace

const std::vector<StaticDfa::MidTokenSlots>& StaticDfa::mid_token_slots(const TokenTrie& vocabulary) {
  if (has_mid_token_slots_) return mid_token_slots_;
  std::map<int, std::vector<std::pair<std::uint8_t, int>>> by_state;
  const auto add_children = [&](int index, int state) {
    if (dfa.slot_edges(state).empty()) return;
    const TokenTrie::Node& node = vocabulary.node(index);
    for (int i = node.first_child; i < node.first_child + node.num_children; ++i)
      by_state[state].emplace_back(vocabulary.node(i).byte, i);
  };
  if (const int all = dfa.everything(); all != Dfa::kDead) {
    vocabulary.walk(
        TokenTrie::kRoot, all, Dfa::kDead, [&](int state, std::uint8_t byte) { return dfa.next(state, byte); },
        add_children);
  }
  for (auto& [state, nodes] : by_state) {
    std::sort(nodes.begin(), nodes.end());
    mid_token_slots_.push_back({state, std::move(nodes)});
  }
  has_mid_token_slots_ = true;
  return mid_token_slots_;
}

const std::vector<int>* StaticDfa::mask(int state) const {
  const auto it = masks_.find(state);
  return it == masks_.end() ? nullptr : &it->second;
}

const std::vector<int>* StaticDfa::keep_mask(int state, std::vector<int>&& mask) {
  if (num_kept_ids_ >= kMaxKeptIds) return nullptr;
  num_kept_ids_ += mask.size();
  return &masks_.emplace(state, std::move(mask)).first->second;
}

StaticDfa& StaticDfas::of(const std::vector<SlotContent>& contents) {
  if (const auto it = by_contents_.find(contents); it != by_contents_.end()) return *it->second;
  auto made = std::make_unique<StaticDfa>(nfa_, contents, num_kept_ids_);
  const auto same =
      std::find_if(dfas_.begin(), dfas_.end(), [&](const auto& known) { return known->dfa.is_same_as(made->dfa); });
  if (same != dfas_.end()) return *(by_contents_[contents] = same->get());
  dfas_.push_back(std::move(made));
  return *(by_contents_[contents] = dfas_.back().get());
}

bool StaticDfas::is_full() const {
  std::size_t num_states = 0;
  std::size_t num_members = 0;
  for (const auto& known : dfas_) {
    num_states += static_cast<std::size_t>(known->dfa.num_states());
    num_members += known->dfa.num_members();
  }
  const std::size_t num_nfa_states = dfas_.size() * static_cast<std::size_t>(nfa_->num_states());
  return num_states > kMaxKeptStates || num_members > kMaxKeptMembers || num_nfa_states > kMaxNfaStates ||
         by_contents_.size() > kMaxContents;
}

}  // namespace onggi::decode
