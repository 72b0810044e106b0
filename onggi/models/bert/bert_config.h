#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "onggi/formats/checkpoint.h"

namespace onggi::models {

/// How a text's vector is made of its tokens' last states.
enum class EncoderPooling : std::uint8_t { kMean, kFirst };

/// A text encoder of BERT's kind in numbers: BERT itself, XLM-RoBERTa.
struct BertConfig {
  std::string architecture;  ///< "bert", "xlm-roberta"
  int vocab_size = 0;
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int num_positions = 0;    ///< Rows of the position embedding.
  int position_offset = 0;  ///< Row of the first token: after the padding's in XLM-RoBERTa.
  int num_token_types = 1;
  float norm_epsilon = 1e-12F;
  EncoderPooling pooling = EncoderPooling::kMean;  ///< What the folder or file says; the mean where it does not.
  int max_tokens = 0;  ///< The frame's two included; what sentence_bert_config.json says, else all positions.

  int head_dim() const { return hidden_size / num_heads; }
  int max_positions() const { return num_positions - position_offset; }
};

/// Names of tensors in a file, without ".weight" and ".bias"; "{}" stands for the layer's number.
struct BertNames {
  std::string words, positions, types, embedding_norm;
  std::string q, k, v, attention_output, attention_norm, up, down, output_norm;
};

/// Whether a checkpoint is a text encoder that BertEncoder loads: model_type or general.architecture.
bool is_bert(const formats::Checkpoint& checkpoint);

/// Throws kCorrupt on a number that is missing or can't be, kInvalidArgument on what is not supported (another
/// activation or kind of positions). A folder's 1_Pooling/config.json and sentence_bert_config.json are read too.
BertConfig read_bert_config(const formats::Checkpoint& checkpoint);

/// By the names that are there: with or without "bert." or "roberta." before them.
BertNames bert_names(const formats::Checkpoint& checkpoint);

/// "mean" or "first".
std::string_view pooling_name(EncoderPooling pooling);

}  // namespace onggi::models
