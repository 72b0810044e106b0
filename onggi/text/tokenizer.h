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

/// A piece of a prompt. Content comes from users (messages, rows) and is read literally; the rest comes from a template,
/// and there control tokens may be spelt.
struct TextSpan {
  std::string text;
  bool is_content = false;
};

/// Text to ids and back. Immutable and thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual int vocab_size() const = 0;

  /// Appends the ids of `text`, read literally: text that spells a control token ("<bos>") is ordinary text. No BOS.
  virtual void encode(std::string_view text, std::vector<int>& ids) const = 0;
  /// The same, but control tokens spelt in `text` become their ids (templates and the reference's behaviour).
  virtual void encode_with_control(std::string_view text, std::vector<int>& ids) const = 0;
  /// The spans as one text, in which a control token counts only if it lies wholly in one template span. Joins pieces
  /// across the borders as the reference does; encode each span on its own where token borders must follow the spans.
  virtual void encode_spans(std::span<const TextSpan> spans, std::vector<int>& ids) const;

  /// The bytes that an id stands for in running text (byte tokens give one byte, control tokens their spelling). Empty
  /// for ids outside the vocabulary, as a model's padded head may give.
  virtual std::string_view token_bytes(int id) const = 0;
  /// True for tokens that must never come out of user text: BOS, EOS, turn markers, padding, unused; also for ids
  /// outside the vocabulary.
  virtual bool is_control(int id) const = 0;

  /// Ids to bytes; control tokens are left out unless `keep_control`. May end inside a UTF-8 character. The space that
  /// `adds_space_prefix` vocabularies put before a text is taken off again.
  std::string decode(std::span<const int> ids, bool keep_control = false) const;

  /// -1 where the vocabulary has none.
  virtual int bos_id() const = 0;
  virtual int eos_id() const = 0;
  virtual int id_of(std::string_view token) const = 0;
  /// Every id that ends an answer: EOS, end of turn ...
  virtual std::span<const int> stop_ids() const = 0;
  virtual bool adds_bos() const = 0;
  /// True where encode puts a space before the text (Llama 2; not Gemma nor byte-level vocabularies).
  virtual bool adds_space_prefix() const { return false; }
  /// Jinja source of the chat template; empty where the checkpoint has none.
  virtual const std::string& chat_template() const = 0;
  /// "spm-bpe", "byte-bpe", "wordpiece", "unigram".
  virtual std::string_view kind() const = 0;
  /// SHA-256 over the vocabulary and rules, for manifests.
  virtual const std::string& content_hash() const = 0;
};

/// Tokenizer of a model (GGUF key-values; tokenizer.json or tokenizer.model of a folder). Throws kNotFound where there is
/// none, kCorrupt or kInvalidArgument for one that can't be read or that follows rules which we do not have.
std::unique_ptr<Tokenizer> open_tokenizer(const formats::Checkpoint& checkpoint);
/// From one file, told by content: GGUF, tokenizer.json, SentencePiece .model, .tiktoken (not gzipped); or from a folder
/// that holds one. tokenizer_config.json, generation_config.json and chat_template.jinja beside it are read too.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path);

/// Gives back whole UTF-8 characters as ids arrive, the same text as `decode` in all. Bytes that can't become valid
/// come out as U+FFFD. Not thread-safe.
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
  bool at_start_ = true;
};

}  // namespace onggi::text
