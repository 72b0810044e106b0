#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/models/bert/bert_encoder.h"
#include "onggi/runtime/embedding.h"
#include "onggi/runtime/request.h"
#include "onggi/text/tokenizer.h"

namespace onggi::runtime {

/// A text's vector, or why it has none.
struct EncodedText {
  std::vector<float> vector;
  std::string failure;  ///< Empty where there is a vector.
  bool is_cut = false;  ///< Of its first tokens alone: the text is longer than TextEncoderOptions::max_tokens.
};

struct TextEncoderOptions {
  /// "mean", "last" (causal models), "first" (encoders), or empty: what the model's files say, else the mean.
  std::string pooling;
  EmbeddingShape shape;
  std::string prefix;   ///< Before each text: the "query: " of E5. A causal model computes it once.
  int max_tokens = 0;   ///< Longer texts are cut; 0: an encoder's own limit, a causal model cuts nothing.
  int batch_rows = 16;  ///< Of a causal model: rows side by side.
  std::shared_ptr<const nn::Adapter> adapter;  ///< Of a causal model; null = the base alone.
};

/// Texts to vectors, whatever the model. A vector depends on its own text and the options alone: not on the texts
/// beside it, nor on the threads. Confined to one thread.
class TextEncoder {
 public:
  using Done = std::function<void(std::size_t index, EncodedText&& text)>;
  virtual ~TextEncoder() = default;

  /// Values of a vector, after the options' cut.
  virtual int dimensions() const = 0;
  /// Calls done once for each text, on the caller's thread, in any order. The more texts a call has the less it waits;
  /// equal texts are computed once by an encoder.
  virtual void encode(std::span<const std::string> texts, const Done& done) = 0;
  /// Tokens of the texts so far, what stands around them included.
  virtual std::int64_t num_tokens() const = 0;
};

/// All vectors, in the texts' order. Throws kInvalidArgument naming the first text that has none.
std::vector<std::vector<float>> encode_all(TextEncoder& encoder, std::span<const std::string> texts);

/// Throws kInvalidArgument where pooling, dimensions or max_tokens do not fit it, or an encoder is
/// given an adapter; models and context must outlive the result.
std::unique_ptr<TextEncoder> make_text_encoder(nn::Context& context, const models::BertEncoder& model,
                                               std::shared_ptr<const text::Tokenizer> tokenizer,
                                               const TextEncoderOptions& options);
std::unique_ptr<TextEncoder> make_text_encoder(nn::Context& context, models::Decoder& model,
                                               std::shared_ptr<const text::Tokenizer> tokenizer,
                                               const TextEncoderOptions& options);

/// A model of either kind by its path, with its tokenizer.
class OpenedTextEncoder {
 public:
  OpenedTextEncoder(nn::Context& context, const std::filesystem::path& path, models::Compute compute,
                    const TextEncoderOptions& options);
  TextEncoder& operator*() { return *encoder_; }
  TextEncoder* operator->() { return encoder_.get(); }

 private:
  std::unique_ptr<models::BertEncoder> bert_;
  std::unique_ptr<models::Decoder> decoder_;
  std::unique_ptr<TextEncoder> encoder_;
};

/// Throws kCorrupt unless the tokenizer has the frame's tokens and no more ids than the encoder.
void require_encoder_tokenizer(const text::Tokenizer& tokenizer, const models::BertEncoder& model);

}  // namespace onggi::runtime
