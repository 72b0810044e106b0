#pragma once

#include <string>
#include <vector>

#include "onggi/formats/checkpoint.h"

namespace onggi::text {

/// A file of a Hugging Face folder.
struct TokenizerFile {
  std::string name;
  std::string content;
};

/// The tokenizer of a GGUF file as tokenizer.model and tokenizer_config.json (chat template included), which
/// `open_tokenizer` and transformers read to the same ids. Empty for a vocabulary that is no SentencePiece one.
/// `tokenizer_class` is transformers' name ("GemmaTokenizer"). Throws kCorrupt as `open_tokenizer`.
std::vector<TokenizerFile> export_tokenizer(const formats::Checkpoint& gguf, const std::string& tokenizer_class);

}  // namespace onggi::text
