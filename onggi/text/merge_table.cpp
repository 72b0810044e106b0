#include "onggi/text/merge_table.h"

#include <algorithm>
#include <queue>
#include <utility>

namespace onggi::text {
namespace {

constexpr std::uint32_t kNoRank = ~std::uint32_t{0};
constexpr std::size_t kScanLimit = 48;  // Symbols; above it the queue is faster.

struct Node {
  int symbol;
  int previous;
  int next;
};

struct Candidate {
  std::uint32_t rank;
  int position;
  int left;
  int right;
  int merged;

  bool operator<(const Candidate& other) const {  // std::priority_queue gives the greatest.
    return std::pair(rank, position) > std::pair(other.rank, other.position);
  }
};

}  // namespace

void MergeTable::add(int left, int right, std::uint32_t rank, int merged) {
  if (left < 0 || right < 0) return;
  if ((size_ + 1) * 2 > slots_.size()) resize(std::max<std::size_t>(64, slots_.size() * 2));
  const std::uint64_t key = key_of(left, right);
  std::size_t at = slot_of(key);
  while (slots_[at].key != kEmpty) {
    if (slots_[at].key == key) return;
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = {key, rank, merged};
  ++size_;
}

void MergeTable::reserve(std::size_t num_merges) {
  std::size_t num_slots = 64;
  while (num_slots < num_merges * 2) num_slots *= 2;
  if (num_slots > slots_.size()) resize(num_slots);
}

void MergeTable::resize(std::size_t num_slots) {
  const std::vector<Entry> old = std::exchange(slots_, {});
  slots_.resize(num_slots);
  shift_ = 64;
  for (std::size_t n = slots_.size(); n > 1; n /= 2) --shift_;
  size_ = 0;
  for (const Entry& e : old) {
    if (e.key != kEmpty) add(static_cast<int>(e.key >> 32), static_cast<int>(e.key & 0xFFFFFFFFu), e.rank, e.merged);
  }
}

const MergeTable::Entry* MergeTable::find(int left, int right) const {
  if (left < 0 || right < 0 || slots_.empty()) return nullptr;
  const std::uint64_t key = key_of(left, right);
  for (std::size_t at = slot_of(key); slots_[at].key != kEmpty; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].key == key) return &slots_[at];
  }
  return nullptr;
}

void MergeTable::merge(std::vector<int>& symbols) const {
  if (symbols.size() <= kScanLimit) {
    merge_by_scan(symbols);
  } else {
    merge_by_queue(symbols);
  }
}

void MergeTable::merge_by_scan(std::vector<int>& symbols) const {
  std::size_t n = symbols.size();
  if (n < 2) return;
  // joins[i] is what symbols i and i + 1 would do.
  std::uint32_t rank_buffer[kScanLimit];
  int merged_buffer[kScanLimit];
  std::vector<std::uint32_t> many_ranks;
  std::vector<int> many_merged;
  std::uint32_t* ranks = rank_buffer;
  int* merged = merged_buffer;
  if (n > kScanLimit) {
    many_ranks.resize(n);
    many_merged.resize(n);
    ranks = many_ranks.data();
    merged = many_merged.data();
  }
  const auto look_up = [&](std::size_t i) {
    const Entry* e = find(symbols[i], symbols[i + 1]);
    ranks[i] = e != nullptr ? e->rank : kNoRank;
    merged[i] = e != nullptr ? e->merged : 0;
  };
  for (std::size_t i = 0; i + 1 < n; ++i) look_up(i);
  while (n > 1) {
    const std::size_t best = static_cast<std::size_t>(std::min_element(ranks, ranks + n - 1) - ranks);
    if (ranks[best] == kNoRank) break;
    symbols[best] = merged[best];
    std::copy(symbols.begin() + best + 2, symbols.begin() + n, symbols.begin() + best + 1);
    std::copy(ranks + best + 1, ranks + n - 1, ranks + best);
    std::copy(merged + best + 1, merged + n - 1, merged + best);
    --n;
    if (best + 1 < n) look_up(best);
    if (best > 0) look_up(best - 1);
  }
  symbols.resize(n);
}

void MergeTable::merge_by_queue(std::vector<int>& symbols) const {
  const int n = static_cast<int>(symbols.size());
  std::vector<Node> nodes(symbols.size());
  std::priority_queue<Candidate> queue;
  const auto offer = [&](int at) {
    if (at < 0 || nodes[at].next >= n) return;
    const int right = nodes[nodes[at].next].symbol;
    if (const Entry* e = find(nodes[at].symbol, right)) queue.push({e->rank, at, nodes[at].symbol, right, e->merged});
  };
  for (int i = 0; i < n; ++i) nodes[i] = {symbols[i], i - 1, i + 1};
  for (int i = 0; i < n; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate c = queue.top();
    queue.pop();
    Node& left = nodes[c.position];
    // Stale where either side has joined something else meanwhile (a swallowed node has symbol -1).
    if (left.symbol != c.left || left.next >= n || nodes[left.next].symbol != c.right) continue;
    Node& right = nodes[left.next];
    left.symbol = c.merged;
    right.symbol = -1;
    left.next = right.next;
    if (right.next < n) nodes[right.next].previous = c.position;
    offer(left.previous);
    offer(c.position);
  }
  symbols.clear();
  for (int i = 0; i < n; i = nodes[i].next) symbols.push_back(nodes[i].symbol);
}

}  // namespace onggi::text
