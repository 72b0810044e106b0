#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onggi/text/merge_table.h"
#include "onggi/text/vocabulary_tokenizer.h"

namespace onggi::text {

/// What both kinds of BPE share.
class BpeTokenizer : public VocabularyTokenizer {
 protected:
  using VocabularyTokenizer::VocabularyTokenizer;

  /// Fills `merges` in the spec's order: the listed ones, or every split of a normal token into two symbols, which are
  /// normal tokens or what `symbol_of_char` knows (-1 for none). Splits fall between characters, or bytes for kByteBpe.
  void add_merges(MergeTable& merges, const std::function<int(std::string_view)>& symbol_of_char) const;
};

/// SentencePiece BPE with byte fallback (Kudo and Richardson 2018; the models of Llama 2 and Gemma).
class SpmBpeTokenizer : public BpeTokenizer {
 public:
  explicit SpmBpeTokenizer(TokenizerSpec spec);
  std::string_view kind() const override { return "spm-bpe"; }

 private:
  void encode_plain(std::string_view text, bool is_first, bool after_control, std::vector<int>& ids) const override;
  bool reads_mark_as_space() const override { return true; }
  int symbol_of(char32_t code) const;
  void append_bytes(std::string_view bytes, std::vector<int>& ids) const;
  void flush(std::vector<int>& symbols, std::vector<int>& ids) const;

  MergeTable merges_;
  std::vector<int> low_symbols_;                    // By code point below 65,536; -1 is unknown.
  std::unordered_map<char32_t, int> high_symbols_;  // The other code points.
  std::vector<std::string> extra_symbols_;          // Characters inside tokens that are no token; ids from vocab_size.
  std::vector<bool> joins_space_;                   // By code point below 65,536: some token has it before a space.
  bool high_joins_space_ = false;
  std::array<int, 256> byte_ids_;
};

/// Byte-level BPE (GPT-2, Llama 3, Qwen; tiktoken).
class ByteBpeTokenizer : public BpeTokenizer {
 public:
  explicit ByteBpeTokenizer(TokenizerSpec spec);
  std::string_view kind() const override { return "byte-bpe"; }

 private:
  void encode_plain(std::string_view text, bool is_first, bool after_control, std::vector<int>& ids) const override;

  MergeTable merges_;
  std::array<int, 256> byte_ids_;
};

}  // namespace onggi::text
