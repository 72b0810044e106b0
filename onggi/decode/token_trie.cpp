#include "onggi/decode/token_trie.h"

#include <algorithm>
#include <map>
#include <mutex>
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

int TokenTrie::find(std::string_view bytes) const {
  int at = kRoot;
  for (const char c : bytes) {
    const int end = node(at).first_child + node(at).num_children;
    at = node(at).first_child;
    while (at < end && node(at).byte != static_cast<std::uint8_t>(c)) ++at;
    if (at == end) return -1;
  }
  return at;
}

void TokenTrie::collect_under(std::string_view bytes, std::vector<int>& out) const {
  const int at = find(bytes);
  if (at < 0) return;
  const auto own = tokens(node(at));
  out.insert(out.end(), own.begin(), own.end());
  walk(at, true, false, [](bool, std::uint8_t) { return true; },
       [&](int index, bool) {
         const auto ids = tokens(node(index));
         out.insert(out.end(), ids.begin(), ids.end());
       });
}

void TokenTrie::collect(Dfa& dfa, int state, std::vector<int>& out) const {
  walk(
      kRoot, state, Dfa::kDead, [&](int from, std::uint8_t byte) { return dfa.next(from, byte); },
      [&](int index, int) {
        const auto ids = tokens(node(index));
        out.insert(out.end(), ids.begin(), ids.end());
      });
}

std::shared_ptr<const TokenTrie> shared_trie(const std::shared_ptr<const text::Tokenizer>& tokenizer) {
  static std::mutex mutex;
  static std::map<const text::Tokenizer*,
                  std::pair<std::weak_ptr<const text::Tokenizer>, std::weak_ptr<const TokenTrie>>>
      known;
  const std::scoped_lock lock(mutex);
  std::erase_if(known, [](const auto& entry) { return entry.second.first.expired(); });
  auto& [owner, trie] = known[tokenizer.get()];
  if (auto found = trie.lock(); found && owner.lock() == tokenizer) return found;
  auto made = std::make_shared<const TokenTrie>(*tokenizer);
  owner = tokenizer;
  trie = made;
  return made;
}

}  // namespace onggi::decode
