#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/formats/checkpoint.h"

namespace onggi::text {

/// Text to ids and back. Immutable and thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual int vocab_size() const = 0;

  /// Appends the ids of `text`, read literally: text that spells a control token ("<bos>") is ordinary text. No BOS.
  virtual void encode(std::string_view text, std::vector<int>& ids) const = 0;
  /// The same, but control tokens spelt in `text` become their ids (templates and the reference's behaviour).
  virtual void encode_with_control(std::string_view text, std::vector<int>& ids) const = 0;

  /// The bytes that an id stands for in running text (byte tokens give one byte, control tokens their spelling).
  virtual std::string_view token_bytes(int id) const = 0;
  /// True for tokens that must never come out of user text: BOS, EOS, turn markers, padding, unused.
  virtual bool is_control(int id) const = 0;

  /// Ids to bytes; control tokens are left out unless `keep_control`. May end inside a UTF-8 character.
  std::string decode(std::span<const int> ids, bool keep_control = false) const;

  /// -1 where the vocabulary has none.
  virtual int bos_id() const = 0;
  virtual int eos_id() const = 0;
  virtual int id_of(std::string_view token) const = 0;
  /// Every id that ends an answer: EOS, end of turn ...
  virtual std::span<const int> stop_ids() const = 0;
  virtual bool adds_bos() const = 0;
  /// Jinja source of the chat template; empty where the checkpoint has none.
  virtual const std::string& chat_template() const = 0;
  /// "spm-bpe", "byte-bpe", "wordpiece", "unigram".
  virtual std::string_view kind() const = 0;
  /// SHA-256 over the vocabulary and rules, for manifests.
  virtual const std::string& content_hash() const = 0;
};

/// Tokenizer of a model (GGUF key-values; tokenizer.json or tokenizer.model of a folder).
std::unique_ptr<Tokenizer> open_tokenizer(const formats::Checkpoint& checkpoint);
/// From one file: *.gguf, tokenizer.json, *.model (SentencePiece), *.tiktoken[.gz is not read]. By content.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path);

/// Gives back whole UTF-8 characters as ids arrive. Not thread-safe.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// Text that became complete with this id; may be empty.
  std::string push(int id);
  /// What is left; an incomplete character becomes U+FFFD.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  std::string pending_;
};

}  // namespace onggi::text
