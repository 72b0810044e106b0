#include "onggi/decode/stack_masks.h"

#include <algorithm>

namespace onggi::decode {
namespace {

constexpr std::size_t kManyIds = 4096;  ///< Past this a set of bits is smaller, or faster to unite.
constexpr std::size_t kBytesOfEntry = 96;

}  // namespace

void StackMasks::forget() {
  masks_.clear();
  beyond_.clear();
  locals_.clear();
  num_bytes_ = 0;
}

template <class Visit>
void StackMasks::read(const TokenTrie& trie, int node, int set, Visit&& visit) {
  open_.assign(1, {node, set});
  while (!open_.empty()) {
    const auto [parent, from] = open_.back();
    open_.pop_back();
    const int first = trie.node(parent).first_child;
    const int end = first + trie.node(parent).num_children;
    for (int i = first; i < end; ++i) {
      const int next = walk_.next(from, trie.node(i).byte);
      if (next == Pushdown::kDead) continue;
      visit(i, next);
      if (trie.node(i).num_children > 0 && !walk_.is_only_bottom(next)) open_.emplace_back(i, next);
    }
  }
}

const LocalMask& StackMasks::local(int machine, int state) {
  const auto key_of = [&](int s) { return static_cast<std::uint64_t>(machine) << 32 | static_cast<std::uint32_t>(s); };
  if (const auto known = locals_.find(key_of(state)); known != locals_.end()) return *known->second;
  const Machine::Likeness like = walk_.machine(machine).like(state, vocabulary_->max_token_bytes());
  auto& alike = locals_[key_of(like.state)];
  if (!alike) alike = made(machine, like);
  std::shared_ptr<const LocalMask> mask = alike;
  if (!like.refused.empty()) {
    mask = std::make_shared<const LocalMask>(without(*mask, like.refused));
    num_bytes_ += kBytesOfEntry + (mask->ids.size() + mask->exits.size()) * sizeof(int) +
                  mask->bits.size() * sizeof(std::uint64_t);
  }
  return *(locals_[key_of(state)] = std::move(mask));
}

std::shared_ptr<const LocalMask> StackMasks::made(int machine, const Machine::Likeness& like) {
  if (like.family != nullptr) {
    if (auto kept = vocabulary_->family_mask(like.family)) return kept;
  }
  auto mask = std::make_shared<LocalMask>();
  if (const int run = walk_.machine(machine).plain_run(like.state); run != Machine::kUnknownRun)
    mask->plain = vocabulary_->plain(run);
  mask->trie = mask->plain != nullptr ? &vocabulary_->rest() : &vocabulary_->all();
  read(*mask->trie, TokenTrie::kRoot, walk_.lone(machine, like.state), [&](int node, int set) {
    const TokenTrie::Node& at = mask->trie->node(node);
    const auto tokens = mask->trie->tokens(at);
    mask->ids.insert(mask->ids.end(), tokens.begin(), tokens.end());
    if (at.num_children > 0 && walk_.is_open(set)) mask->exits.push_back(node);
  });
  if (mask->ids.size() > kManyIds) {
    mask->bits.resize(vocabulary_->num_words());
    for (const int id : mask->ids) mask->bits[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
    mask->ids = {};
  }
  std::sort(mask->ids.begin(), mask->ids.end());
  std::sort(mask->exits.begin(), mask->exits.end());
  mask->ids.shrink_to_fit();
  num_bytes_ += kBytesOfEntry + sizeof(LocalMask) + (mask->ids.size() + mask->exits.size()) * sizeof(int) +
                mask->bits.size() * sizeof(std::uint64_t);
  if (like.family != nullptr) vocabulary_->keep_family_mask(like.family, mask);
  return mask;
}

LocalMask StackMasks::without(LocalMask mask, const std::vector<std::string>& texts) const {
  for (const std::string& text : texts) {
    const int top = mask.trie->find(text);
    if (top < 0) continue;
    std::vector<int> nodes = {top};
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const TokenTrie::Node& at = mask.trie->node(nodes[i]);
      for (const int id : mask.trie->tokens(at)) {
        if (!mask.bits.empty()) mask.bits[static_cast<std::size_t>(id) / 64] &= ~(std::uint64_t{1} << (id % 64));
        const auto found = std::lower_bound(mask.ids.begin(), mask.ids.end(), id);
        if (found != mask.ids.end() && *found == id) mask.ids.erase(found);
      }
      const auto exit = std::lower_bound(mask.exits.begin(), mask.exits.end(), nodes[i]);
      if (exit != mask.exits.end() && *exit == nodes[i]) mask.exits.erase(exit);
      for (int child = 0; child < at.num_children; ++child) nodes.push_back(at.first_child + child);
    }
  }
  return mask;
}

const std::vector<int>& StackMasks::beyond(const LocalMask& mask, int set) {
  const auto [at, is_new] = beyond_.try_emplace({&mask, set});
  std::vector<int>& ids = at->second;
  if (!is_new) return ids;
  for (const int exit : mask.exits) {
    read(*mask.trie, exit, set, [&](int node, int) {
      const auto tokens = mask.trie->tokens(mask.trie->node(node));
      ids.insert(ids.end(), tokens.begin(), tokens.end());
    });
  }
  num_bytes_ += kBytesOfEntry + ids.size() * sizeof(int);
  return ids;
}

const SetMask& StackMasks::of(int set) {
  auto& kept = masks_[set];
  if (kept) return *kept;
  auto mask = std::make_unique<SetMask>();
  const std::vector<Pushdown::Frame> frames(walk_.frames(set).begin(), walk_.frames(set).end());
  for (const Pushdown::Frame& f : frames) {
    if (f.machine == Pushdown::kEnd) mask->ids.push_back(vocabulary_->stop_id());
    if (f.machine < 0) continue;
    const LocalMask& own = local(f.machine, f.state);
    if (own.is_dense()) mask->dense.push_back(&own);
    if (!own.is_dense()) mask->ids.insert(mask->ids.end(), own.ids.begin(), own.ids.end());
    if (own.exits.empty()) continue;
    const int below = walk_.after(f.below);
    if (walk_.is_only_bottom(below)) continue;
    const auto& more = beyond(own, below);
    mask->ids.insert(mask->ids.end(), more.begin(), more.end());
  }
  std::sort(mask->ids.begin(), mask->ids.end());
  mask->ids.erase(std::unique(mask->ids.begin(), mask->ids.end()), mask->ids.end());
  num_bytes_ += kBytesOfEntry + mask->ids.size() * sizeof(int) + mask->dense.size() * sizeof(void*);
  return *(kept = std::move(mask));
}

}  // namespace onggi::decode
