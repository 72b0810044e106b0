#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/text/tokenizer.h"

namespace onggi::decode {

/// Tokens as a byte trie whose nodes lie beside their siblings, so that a mask is a walk that leaves out the subtrees of
/// refused bytes. Control tokens are left out: they never match as text. Immutable and thread-safe.
class TokenTrie {
 public:
  /// All ordinary tokens, or only `ids` (ascending) if not empty.
  explicit TokenTrie(const text::Tokenizer& tokenizer, std::span<const int> ids = {});

  /// Appends every token whose bytes can be read from `state`; not sorted.
  void collect(Dfa& dfa, int state, std::vector<int>& out) const;
  /// With the root.
  int num_nodes() const { return static_cast<int>(nodes_.size()); }

 private:
  struct Node {
    std::int32_t first_child = 0;
    std::int32_t first_token = 0;  ///< Into tokens_; several ids may share their bytes.
    std::int32_t num_tokens = 0;
    std::uint16_t num_children = 0;
    std::uint8_t byte = 0;
  };
  std::vector<Node> nodes_;  ///< The root first.
  std::vector<int> tokens_;
};

}  // namespace onggi::decode
