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

/// Sums over the states of a sequence's first tokens, by their number.
using StateSums = std::map<int, std::shared_ptr<const std::vector<double>>>;

/// A prompt's beginning as it was found.
struct CachedPrefix {
  nn::KvSequence sequence;                               ///< To go on from.
  std::shared_ptr<const std::vector<double>> state_sum;  ///< Null where nobody has summed its states yet.
};

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
  /// on from; with `needs_sum` the longest whose states are summed. `key` names what else decides the values: the
  /// adapter's content, never its name.
  std::optional<CachedPrefix> find(const std::string& key, std::span<const int> tokens, bool needs_sum = false);

  /// Keeps the pieces of `tokens`, which the sequence begins with, that end in (first, sequence.length()], where
  /// `first` is the sequence's length before its last pass: what a window has let go before is not there to be kept.
  /// Pieces up to `first` must be there, or nothing is kept. `sums`: of states, where they are known at the ends of
  /// pieces.
  void insert(const std::string& key, std::span<const int> tokens, const nn::KvSequence& sequence, int first,
              const StateSums& sums = {});

  std::int64_t num_tokens() const { return num_pieces_ * kPieceTokens; }
  /// Forgets what belongs to a key: its adapter is gone.
  void erase(const std::string& key);

 private:
  struct Node {
    Node* parent = nullptr;
    std::vector<int> piece;
    std::map<std::vector<int>, std::unique_ptr<Node>> children;
    std::optional<nn::KvSequence> sequence;  ///< Not in a root.
    std::shared_ptr<const std::vector<double>> state_sum;
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
