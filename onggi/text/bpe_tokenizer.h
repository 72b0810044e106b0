#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onggi/text/merge_table.h"
#include "onggi/text/phrase_matcher.h"
#include "onggi/text/token_table.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {

/// What both kinds of BPE share: the vocabulary, control tokens found in template text, special ids.
class BpeTokenizer : public Tokenizer {
 public:
  BpeTokenizer(const BpeTokenizer&) = delete;  // Maps point into its own tokens.
  BpeTokenizer& operator=(const BpeTokenizer&) = delete;
  int vocab_size() const override { return static_cast<int>(spec_.tokens.size()); }
  void encode(std::string_view text, std::vector<int>& ids) const override;
  void encode_with_control(std::string_view text, std::vector<int>& ids) const override;
  void encode_spans(std::span<const TextSpan> spans, std::vector<int>& ids) const override;
  std::string_view token_bytes(int id) const override;
  bool is_control(int id) const override;
  int bos_id() const override { return spec_.bos_id; }
  int eos_id() const override { return spec_.eos_id; }
  int id_of(std::string_view token) const override;
  std::span<const int> stop_ids() const override { return stop_ids_; }
  bool adds_bos() const override { return spec_.adds_bos; }
  bool adds_space_prefix() const override { return spec_.space_prefix != SpacePrefix::kNone; }
  const std::string& chat_template() const override { return spec_.chat_template; }
  const std::string& content_hash() const override { return content_hash_; }

 protected:
  explicit BpeTokenizer(TokenizerSpec spec);

  /// Encodes text without phrases. `is_first` and `after_control` say what stands before it, for the space prefix.
  virtual void encode_plain(std::string_view text, bool is_first, bool after_control, std::vector<int>& ids) const = 0;

  /// True where U+2581 in text is a space, as in SentencePiece.
  virtual bool reads_mark_as_space() const { return false; }

  const TokenizerSpec& spec() const { return spec_; }
  /// Fills `merges` in the spec's order: the listed ones, or every split of a normal token into two symbols, which are
  /// normal tokens or what `symbol_of_char` knows (-1 for none). Splits fall between characters, or bytes for kByteBpe.
  void add_merges(MergeTable& merges, const std::function<int(std::string_view)>& symbol_of_char) const;

  /// Normal tokens by their bytes.
  TokenTable normal_ids_;

 private:
  /// `template_ends` are ends of template and content parts in turn, a template part first (it may be empty).
  void encode_parts(std::string_view text, std::span<const std::size_t> ends, std::vector<int>& ids) const;
  bool has_mark(std::string_view text) const;
  void check_special_ids();
  void find_stop_ids();
  std::string hash_of_content() const;

  TokenizerSpec spec_;
  PhraseMatcher anywhere_;     // User-defined tokens.
  PhraseMatcher in_template_;  // Control and markup tokens.
  std::unordered_map<std::string, int> other_ids_;  // Tokens that are not normal, by their spelling.
  std::vector<int> stop_ids_;
  std::string content_hash_;
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
  std::vector<int> low_symbols_;                      // By code point below 65,536; -1 is unknown.
  std::unordered_map<char32_t, int> high_symbols_;    // The other code points.
  std::vector<std::string> extra_symbols_;            // Characters inside tokens that are no token; ids from vocab_size.
  std::vector<bool> joins_space_;                     // By code point below 65,536: some token has it before a space.
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
