#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/text/unicode.h"

namespace onggi::text {

/// Cuts text into the pieces inside which a byte-level BPE merges. One or more stages, each cutting the pieces of the
/// one before. The published patterns are scanned by hand; any other one runs in ICU. Immutable and thread-safe.
class PreTokenizer {
 public:
  /// No stage: the text is one piece.
  PreTokenizer() = default;

  /// By GGUF's `tokenizer.ggml.pre`: "gpt-2", "llama-bpe", "qwen2", "smollm", "default" and their aliases.
  /// Throws kInvalidArgument naming the ones that are known.
  static PreTokenizer by_name(std::string_view name, std::string_view where = {});

  /// Adds a stage: a regular expression whose matches are pieces, as are the gaps between them.
  void add_pattern(const std::string& pattern);
  /// Adds a stage: each character of \p{N} is a piece of its own.
  void add_single_digits();
  /// Adds the pattern of GPT-2, which is also that of Hugging Face's ByteLevel.
  void add_gpt2();

  /// Appends where each piece of `text` ends, in bytes and ascending; the last is text.size(). Nothing for "".
  void split(std::string_view text, std::vector<std::size_t>& ends) const;

  /// The stages in words, for content hashes and messages.
  std::string describe() const;

 private:
  enum class Scan { kGpt2, kGpt2DigitsApart, kCl100k, kDigits, kRegex };
  struct Stage {
    Scan scan;
    int max_digits = 0;  // kCl100k: how many digits go together.
    std::string pattern;
    std::shared_ptr<const UnicodeRegex> regex;
  };
  static void run(const Stage& stage, std::string_view text, std::size_t offset, std::vector<std::size_t>& ends);

  std::vector<Stage> stages_;
};

/// The patterns behind the names, as published (GPT-2, Llama 3, Qwen 2).
extern const char* const kGpt2Pattern;
extern const char* const kLlama3Pattern;
extern const char* const kQwen2Pattern;

}  // namespace onggi::text
