#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onggi/text/phrase_matcher.h"
#include "onggi/text/token_table.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {

/// What all kinds share: the vocabulary, control tokens found in template text, special ids.
class VocabularyTokenizer : public Tokenizer {
 public:
  VocabularyTokenizer(const VocabularyTokenizer&) = delete;  // Maps point into its own tokens.
  VocabularyTokenizer& operator=(const VocabularyTokenizer&) = delete;
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
  explicit VocabularyTokenizer(TokenizerSpec spec);

  /// Encodes text without phrases. `is_first` and `after_control` say what stands before it, for the space prefix.
  virtual void encode_plain(std::string_view text, bool is_first, bool after_control, std::vector<int>& ids) const = 0;

  /// True where U+2581 in text is a space, as in SentencePiece.
  virtual bool reads_mark_as_space() const { return false; }

  const TokenizerSpec& spec() const { return spec_; }

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
  PhraseMatcher anywhere_;                          // User-defined tokens.
  PhraseMatcher in_template_;                       // Control and markup tokens.
  std::unordered_map<std::string, int> other_ids_;  // Tokens that are not normal, by their spelling.
  std::vector<int> stop_ids_;
  std::string content_hash_;
};

}  // namespace onggi::text
