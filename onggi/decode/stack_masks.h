#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onggi/decode/pushdown.h"
#include "onggi/decode/vocabulary.h"

namespace onggi::decode {

/// The mask of a stack set in parts: the union of those of `dense`, and `ids`.
struct SetMask {
  std::vector<const LocalMask*> dense;
  std::vector<int> ids;  ///< Ascending.
};

/// Masks of a pushdown walk's stack sets, kept as they are made. Confined to one thread.
class StackMasks {
 public:
  StackMasks(Pushdown& walk, std::shared_ptr<const Vocabulary> vocabulary)
      : walk_(walk), vocabulary_(std::move(vocabulary)) {}

  /// Lives until forget().
  const SetMask& of(int set);
  bool is_full() const { return num_bytes_ > kMaxBytes; }
  void forget();

 private:
  static constexpr std::size_t kMaxBytes = std::size_t{48} << 20;
  const LocalMask& local(int machine, int state);
  std::shared_ptr<const LocalMask> made(int machine, const Machine::Likeness& like);
  /// Without the tokens that begin with some texts.
  LocalMask without(LocalMask mask, const std::vector<std::string>& texts) const;
  /// Tokens that begin at an exit of a frame and go on in `set`.
  const std::vector<int>& beyond(const LocalMask& mask, int set);
  /// Every token below a node that can be read on from a set; `visit` is told each node and the set there.
  template <class Visit>
  void read(const TokenTrie& trie, int node, int set, Visit&& visit);

  Pushdown& walk_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const LocalMask>> locals_;  ///< By machine and state.
  struct PairHash {
    std::size_t operator()(const std::pair<const LocalMask*, int>& pair) const {
      return std::hash<const void*>()(pair.first) * 31 + static_cast<std::size_t>(pair.second);
    }
  };
  std::unordered_map<std::pair<const LocalMask*, int>, std::vector<int>, PairHash> beyond_;
  std::unordered_map<int, std::unique_ptr<SetMask>> masks_;
  std::vector<std::pair<int, int>> open_;  ///< Of one walk.
  std::size_t num_bytes_ = 0;
};

}  // namespace onggi::decode
