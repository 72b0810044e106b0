#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "onggi/kernels/encoder_kernels.h"
#include "onggi/models/bert/bert_config.h"
#include "onggi/models/decoder.h"
#include "onggi/nn/matmul.h"

// T tokens of a chunk, D model width, F MLP width, H heads, K head width, S tokens of a row
namespace onggi::models {

/// One text: its ids with the frame's ([CLS], [SEP]), and each token's type (empty: all 0).
struct EncoderRow {
  std::span<const int> tokens;
  std::span<const int> types;
};

/// A BERT encoder (Devlin et al. 2019, arXiv:1810.04805): attention over the whole text, norms after the sums, GELU
/// with the error function. Weights are packed at load, from f32 or from the file's blocks. Immutable once loaded.
class BertEncoder {
 public:
  /// Checks every tensor's shape against the config and that its numbers are finite. kInt8: activations in int8,
  /// weights in their blocks, as Q8_0 where the file has plain floats. Throws kCorrupt naming tensor, found and
  /// expected.
  static std::unique_ptr<BertEncoder> load(std::shared_ptr<const formats::Checkpoint> checkpoint, nn::Context& context,
                                           Compute compute);

  const BertConfig& config() const { return config_; }
  const formats::Checkpoint& checkpoint() const { return *checkpoint_; }

  /// Calls done(row, states_SD) once for each row with its last hidden states, from the pool's threads, in any order.
  /// A row's bits depend on its own tokens alone. Throws kInvalidArgument on an empty row, an id or type outside the
  /// vocabulary, or more tokens than positions.
  void encode(nn::Context& context, std::span<const EncoderRow> rows,
              const std::function<void(std::size_t row, const float* states_SD)>& done) const;

  /// Pooled states of each row [rows, D]. Means are summed in f64 by position.
  std::vector<float> pooled(nn::Context& context, std::span<const EncoderRow> rows, EncoderPooling pooling) const;

 private:
  struct Linear {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    nn::FloatBuffer panels;   ///< f32
    nn::PackedMatrix packed;  ///< int8; empty: `panels` are used
    std::vector<float> bias;
  };
  struct Norm {
    std::vector<float> gain;
    std::vector<float> shift;
  };
  struct Layer {
    Linear q, k, v, attention_output, up, down;
    Norm attention_norm, output_norm;
  };
  class Loader;
  class Chunk;

  std::shared_ptr<const formats::Checkpoint> checkpoint_;
  BertConfig config_;
  nn::WeightMatrix words_;
  std::vector<float> positions_;
  std::vector<float> types_;
  Norm embedding_norm_;
  std::vector<Layer> layers_;
};

}  // namespace onggi::models
