#pragma once

#include <cstdint>
#include <vector>

namespace onggi::nn {

/// How one kind of layer rotates queries and keys (Su et al. 2021, rotate-half form).
struct RopeConfig {
  float base = 10000.0F;
  float linear_factor = 1.0F;  ///< Divides every frequency (Gemma 3 4B+, global layers).
  /// Llama 3's scaling; factor 1 turns it off.
  float llama3_factor = 1.0F;
  float llama3_low = 1.0F;
  float llama3_high = 4.0F;
  float llama3_original_length = 8192.0F;
  std::vector<float> factors;  ///< [head_dim / 2]; each divides its frequency. Empty = all 1 (a GGUF file's rope_freqs).

  bool operator==(const RopeConfig&) const = default;
};

/// cos and sin of every position below max_positions for one head width, f32 as the reference computes them.
class RopeTable {
 public:
  RopeTable(const RopeConfig& config, int head_dim, int max_positions);

  /// Rotates one head [head_dim] in place; `direction` -1 is the gradient.
  void rotate(float* head, int position, float direction = 1.0F) const;
  int max_positions() const { return max_positions_; }

 private:
  int half_;
  int max_positions_;
  std::vector<float> cos_;
  std::vector<float> sin_;
};

}  // namespace onggi::nn
