#pragma once

#include <string>
#include <vector>

#include "onggi/text/vocabulary_tokenizer.h"

namespace onggi::text {

/// WordPiece (Schuster and Nakajima 2012) as BERT has it: words by white space and punctuation, each cut into the
/// longest tokens from the left, or one unknown token where that fails.
class WordPieceTokenizer : public VocabularyTokenizer {
 public:
  explicit WordPieceTokenizer(TokenizerSpec spec);
  std::string_view kind() const override { return "wordpiece"; }
  /// " word" for a word's beginning, "ing" for "##ing".
  std::string_view token_bytes(int id) const override;
  /// The first word has no space.
  bool adds_space_prefix() const override { return true; }

 private:
  void encode_plain(std::string_view text, bool is_first, bool after_control, std::vector<int>& ids) const override;
  void encode_word(std::string_view word, std::vector<int>& ids) const;

  TokenTable beginnings_;     // Tokens that begin a word.
  TokenTable continuations_;  // The others, without "##".
  std::size_t longest_ = 0;   // Bytes of the longest token.
  std::vector<std::string> running_text_;
};

/// The text as its words are cut from it: cleaned, Chinese characters apart, without accents, in lower case.
std::string normalise_for_bert(std::string_view text, const WordPieceRules& rules);

}  // namespace onggi::text
