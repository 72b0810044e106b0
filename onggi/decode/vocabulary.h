#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "onggi/decode/token_trie.h"
#include "onggi/text/tokenizer.h"

namespace onggi::decode {

/// One bit an id, in words of 64.
using TokenBits = std::vector<std::uint64_t>;

/// The tokens that one frame reads whatever stands below it, and the places in the vocabulary's trie where it may end,
/// so that what stands below must read on. Kept for each state, as most of a mask depends on nothing else.
struct LocalMask {
  const TokenBits* plain = nullptr;  ///< Tokens of the vocabulary that are read all; null: none.
  std::vector<int> ids;              ///< Others, ascending; empty where `bits` has them.
  TokenBits bits;                    ///< Others, where they are many; else empty.
  const TokenTrie* trie = nullptr;   ///< Which `exits` are of.
  std::vector<int> exits;            ///< Nodes with children where the frame may have ended, ascending.

  bool is_dense() const { return plain != nullptr || !bits.empty(); }
};

/// A tokenizer's tokens as masks need them. Plain tokens are those made of whole characters that a JSON string holds as
/// they are: most of every vocabulary, and wherever such a string may go on, all of them are allowed at once.
/// Thread-safe.
class Vocabulary {
 public:
  static constexpr int kMaxRun = 32;

  explicit Vocabulary(std::shared_ptr<const text::Tokenizer> tokenizer);

  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const TokenTrie& all() const { return *all_; }
  /// Without the plain tokens.
  const TokenTrie& rest() const { return rest_; }
  /// Plain tokens of at most `run` characters; null where `run` is too small to be worth a set of its own or lies
  /// between kMaxRun and the longest token.
  const TokenBits* plain(int run) const;
  /// Tokens that hold this text between two quotes.
  std::span<const int> quoting(const std::string& text) const {
    const auto found = quoted_.find(text);
    return found == quoted_.end() ? std::span<const int>() : std::span<const int>(found->second);
  }
  /// The mask of a family of states that is the same in every grammar; null until it is kept. Thread-safe.
  std::shared_ptr<const LocalMask> family_mask(const std::string& family) const;
  void keep_family_mask(const std::string& family, std::shared_ptr<const LocalMask> mask) const;
  int max_token_bytes() const { return max_token_bytes_; }
  int stop_id() const { return stop_id_; }
  /// Words of a set of ids.
  std::size_t num_words() const { return (static_cast<std::size_t>(tokenizer_->vocab_size()) + 63) / 64; }
  /// Every id that is no control token and stands for some bytes, and the stop id; ascending.
  const std::vector<int>& ids() const { return ids_; }

 private:
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::shared_ptr<const TokenTrie> all_;
  TokenTrie rest_;
  std::array<TokenBits, kMaxRun + 1> plain_;  ///< By the number of characters; the last are all.
  std::unordered_map<std::string, std::vector<int>> quoted_;
  int max_plain_ = 0;
  int max_token_bytes_ = 0;
  int stop_id_ = -1;
  std::vector<int> ids_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const LocalMask>> family_masks_;
};

/// What all guides of one tokenizer share. Throws kInvalidArgument if it has no end token.
std::shared_ptr<const Vocabulary> shared_vocabulary(const std::shared_ptr<const text::Tokenizer>& tokenizer);

}  // namespace onggi::decode
