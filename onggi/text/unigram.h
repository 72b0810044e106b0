#pragma once

#include <array>
#include <vector>

#include "onggi/text/charsmap.h"
#include "onggi/text/vocabulary_tokenizer.h"

namespace onggi::text {

/// Unigram language model (Kudo 2018, arXiv:1804.10959; the models of XLM-RoBERTa and multilingual E5): of all ways to
/// cut the text into tokens the one whose scores have the greatest sum.
class UnigramTokenizer : public VocabularyTokenizer {
 public:
  explicit UnigramTokenizer(TokenizerSpec spec);
  std::string_view kind() const override { return "unigram"; }

 private:
  void encode_plain(std::string_view text, bool is_first, bool after_control, std::vector<int>& ids) const override;
  void encode_part(std::string_view part, bool add_space, std::vector<int>& ids) const;
  std::string_view stripped(std::string_view text) const;
  template <class Sum>
  void encode_best_path(std::string_view text, std::vector<int>& ids) const;
  void append_unknown(std::string_view bytes, std::vector<int>& ids) const;

  Charsmap charsmap_;
  double unknown_score_ = 0;
  std::array<int, 256> byte_ids_;
  bool has_bytes_ = false;
  std::array<std::uint16_t, 65536> longest_{};  // Bytes of the longest token that begins with these two; of 1 byte: 0.
  std::array<bool, 256> has_single_{};          // Tokens of one byte.
};

}  // namespace onggi::text
