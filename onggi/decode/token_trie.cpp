#include "onggi/decode/token_trie.h"

#include <algorithm>
#include <numeric>

namespace onggi::decode {

TokenTrie::TokenTrie(const text::Tokenizer& tokenizer, std::span<const int> ids) {
  std::vector<int> order(ids.begin(), ids.end());
  if (order.empty()) {
    order.resize(static_cast<std::size_t>(tokenizer.vocab_size()));
    std::iota(order.begin(), order.end(), 0);
  }
  std::erase_if(order, [&](int id) { return tokenizer.is_control(id) || tokenizer.token_bytes(id).empty(); });
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    const auto x = tokenizer.token_bytes(a);
    const auto y = tokenizer.token_bytes(b);
    return x != y ? x < y : a < b;
  });
  // Sorted by bytes, so each token shares a path with the one before it; `open` holds that path.
  std::vector<std::int32_t> open;
  std::string_view before;
  for (const int id : order) {
    const auto bytes = tokenizer.token_bytes(id);
    std::size_t shared = 0;
    while (shared < bytes.size() && shared < before.size() && bytes[shared] == before[shared]) ++shared;
    while (open.size() > shared) {
      nodes_[static_cast<std::size_t>(open.back())].end = static_cast<std::int32_t>(nodes_.size());
      open.pop_back();
    }
    for (std::size_t i = shared; i < bytes.size(); ++i) {
      open.push_back(static_cast<std::int32_t>(nodes_.size()));
      nodes_.push_back({static_cast<std::uint8_t>(bytes[i]), 0, static_cast<std::int32_t>(tokens_.size()), 0});
      depth_.push_back(static_cast<std::int32_t>(i));
    }
    auto& node = nodes_[static_cast<std::size_t>(open.back())];
    if (node.num_tokens == 0) node.first_token = static_cast<std::int32_t>(tokens_.size());
    ++node.num_tokens;
    tokens_.push_back(id);
    max_depth_ = std::max(max_depth_, static_cast<int>(bytes.size()));
    before = bytes;
  }
  for (const std::int32_t node : open) nodes_[static_cast<std::size_t>(node)].end = static_cast<std::int32_t>(nodes_.size());
}

void TokenTrie::collect(Dfa& dfa, int state, std::vector<int>& out) const {
  std::vector<int> states(static_cast<std::size_t>(max_depth_) + 1);
  states[0] = state;
  for (std::size_t i = 0; i < nodes_.size();) {
    const Node& node = nodes_[i];
    const auto depth = static_cast<std::size_t>(depth_[i]);
    const int next = dfa.next(states[depth], node.byte);
    if (next == Dfa::kDead) {
      i = static_cast<std::size_t>(node.end);
      continue;
    }
    states[depth + 1] = next;
    for (std::uint16_t t = 0; t < node.num_tokens; ++t) out.push_back(tokens_[static_cast<std::size_t>(node.first_token + t)]);
    ++i;
  }
}

}  // namespace onggi::decode
