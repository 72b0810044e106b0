#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
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

  struct Node {
    std::int32_t first_child = 0;
    std::int32_t first_token = 0;  ///< Into the tokens; several ids may share their bytes.
    std::int32_t num_tokens = 0;
    std::uint16_t num_children = 0;
    std::uint8_t byte = 0;
  };
  static constexpr int kRoot = 0;

  /// With the root.
  int num_nodes() const { return static_cast<int>(nodes_.size()); }
  const Node& node(int index) const { return nodes_[static_cast<std::size_t>(index)]; }
  /// Ids of the tokens that end at the node.
  std::span<const int> tokens(const Node& node) const {
    return {tokens_.data() + node.first_token, static_cast<std::size_t>(node.num_tokens)};
  }

  /// Reads on from a node that `state` was reached at: `step(state, byte)` is the state after a byte, `dead` where the
  /// byte is refused, and `visit(index, state)` is told every node below that is reached.
  template <class State, class Step, class Visit>
  void walk(int index, const State& state, const State& dead, Step&& step, Visit&& visit) const {
    std::vector<std::pair<int, State>> open = {{index, state}};
    while (!open.empty()) {
      const auto [parent, from] = open.back();
      open.pop_back();
      const int first = node(parent).first_child;
      const int end = first + node(parent).num_children;
      for (int i = first; i < end; ++i) {
        const State next = step(from, node(i).byte);
        if (next == dead) continue;
        visit(i, next);
        if (node(i).num_children > 0) open.emplace_back(i, next);
      }
    }
  }

  /// The node that the bytes lead to, -1 where there is none.
  int find(std::string_view bytes) const;
  /// Appends every token that begins with the bytes.
  void collect_under(std::string_view bytes, std::vector<int>& out) const;
  /// Appends every token whose bytes can be read from `state`; not sorted.
  void collect(Dfa& dfa, int state, std::vector<int>& out) const;

 private:
  std::vector<Node> nodes_;  ///< The root first.
  std::vector<int> tokens_;
};

/// The trie of all ordinary tokens that every guide of one tokenizer shares.
std::shared_ptr<const TokenTrie> shared_trie(const std::shared_ptr<const text::Tokenizer>& tokenizer);

}  // namespace onggi::decode
