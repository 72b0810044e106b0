#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onggi/nn/kv_cache.h"

namespace onggi::runtime {

/// Keys and values of prompts' beginnings, so that the next prompt that begins alike computes the rest only. What is
/// found has the bits that computing it again would have. A trie of pieces of kPieceTokens tokens; each node holds a
/// sequence up to its piece's end, blocks shared with its neighbours. The least recently used leaf goes first. Confined
/// to one thread.
class PrefixCache {
 public:
  static constexpr int kPieceTokens = 64;

  /// Holds at most `max_tokens` tokens, whole pieces.
  explicit PrefixCache(std::int64_t max_tokens) : max_pieces_(max_tokens / kPieceTokens) {}

  /// The longest cached beginning that is shorter than `tokens` (the last one is always computed), as a sequence to go
  /// on from. `key` names what else decides the values: the adapter's content, never its name.
  std::optional<nn::KvSequence> find(const std::string& key, std::span<const int> tokens);

  /// Keeps the pieces of `tokens`, which the sequence begins with, that end in (first, sequence.length()], where
  /// `first` is the sequence's length before its last pass: what a window has let go before is not there to be kept.
  /// Pieces up to `first` must be there, or nothing is kept.
  void insert(const std::string& key, std::span<const int> tokens, const nn::KvSequence& sequence, int first);

  std::int64_t num_tokens() const { return num_pieces_ * kPieceTokens; }
  /// Forgets what belongs to a key: its adapter is gone.
  void erase(const std::string& key);

 private:
  struct Node {
    Node* parent = nullptr;
    std::vector<int> piece;
    std::map<std::vector<int>, std::unique_ptr<Node>> children;
    std::optional<nn::KvSequence> sequence;  ///< Not in a root.
    std::map<std::uint64_t, Node*>::iterator use;
  };
  void touch(Node& node);
  void drop(Node& leaf);
  void make_room();
  void forget(Node& node);

  std::int64_t max_pieces_ = 0;
  std::int64_t num_pieces_ = 0;
  std::uint64_t clock_ = 0;
  std::map<std::string, Node> roots_;
  std::map<std::uint64_t, Node*> by_use_;  ///< Ancestors are always used after their children, so the first is a leaf.
};

}  // namespace onggi::runtime
