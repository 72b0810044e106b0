#include "onggi/decode/token_trie.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace onggi::decode {
namespace {

/// No vocabulary has longer tokens that a text would need; a hostile one may.
constexpr std::size_t kMaxTokenBytes = 4096;

}  // namespace

TokenTrie::TokenTrie(const text::Tokenizer& tokenizer, std::span<const int> ids) {
  // The first bytes as a number decide most comparisons.
  struct Entry {
    std::uint64_t first_bytes;
    std::string_view bytes;
    int id;
  };
  std::vector<Entry> entries;
  const auto add = [&](int id) {
    const auto bytes = tokenizer.token_bytes(id);
    if (bytes.empty() || bytes.size() > kMaxTokenBytes || tokenizer.is_control(id)) return;
    std::uint64_t first = 0;
    for (std::size_t i = 0; i < 8; ++i) first = first << 8 | (i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0U);
    entries.push_back({first, bytes, id});
  };
  if (ids.empty()) {
    for (int id = 0; id < tokenizer.vocab_size(); ++id) add(id);
  } else {
    for (const int id : ids) add(id);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    if (a.first_bytes != b.first_bytes) return a.first_bytes < b.first_bytes;
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.id < b.id;
  });
  for (const auto& entry : entries) tokens_.push_back(entry.id);

  // Each node stands for a run of entries that share their first `depth` bytes; those that end there come first.
  struct Run {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };
  std::vector<Run> runs = {{0, entries.size(), 0}};
  nodes_.push_back({});
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto [at, end, depth] = runs[i];
    nodes_[i].first_token = static_cast<std::int32_t>(at);
    while (at < end && entries[at].bytes.size() == depth) ++at;
    nodes_[i].num_tokens = static_cast<std::int32_t>(at) - nodes_[i].first_token;
    nodes_[i].first_child = num_nodes();
    while (at < end) {
      const char byte = entries[at].bytes[depth];
      const std::size_t begin = at;
      while (at < end && entries[at].bytes[depth] == byte) ++at;
      runs.push_back({begin, at, depth + 1});
      nodes_.push_back({.byte = static_cast<std::uint8_t>(byte)});
      ++nodes_[i].num_children;
    }
  }
}

void TokenTrie::collect(Dfa& dfa, int state, std::vector<int>& out) const {
  walk(
      kRoot, state, Dfa::kDead, [&](int from, std::uint8_t byte) { return dfa.next(from, byte); },
      [&](int index, int) {
        const auto ids = tokens(node(index));
        out.insert(out.end(), ids.begin(), ids.end());
      });
}

}  // namespace onggi::decode
