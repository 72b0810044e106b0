#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/text/tokenizer.h"

namespace onggi::decode {

/// Tokens as a byte trie, flattened depth first, so that a mask is one pass over an array that skips the subtrees of
/// refused bytes. Control tokens are left out: they never match as text. Immutable and thread-safe.
class TokenTrie {
 public:
  /// All ordinary tokens, or only `ids` (ascending) if not empty.
  explicit TokenTrie(const text::Tokenizer& tokenizer, std::span<const int> ids = {});

  /// Appends every token whose bytes can be read from `state`; not sorted.
  void collect(Dfa& dfa, int state, std::vector<int>& out) const;
  int num_nodes() const { return static_cast<int>(nodes_.size()); }

 private:
  struct Node {
    std::uint8_t byte;
    std::uint16_t num_tokens;
    std::int32_t first_token;  ///< Into tokens_; several ids may share their bytes.
    std::int32_t end;          ///< Node after its subtree.
  };
  std::vector<Node> nodes_;
  std::vector<std::int32_t> depth_;  ///< Of each node, 0 below the root.
  std::vector<int> tokens_;
  int max_depth_ = 0;
};

}  // namespace onggi::decode
