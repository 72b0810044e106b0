#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace onggi::recommend {

/// Draws that are a function of (seed, stream) and their number: the same pair gives the same draws, whoever else
/// draws. Confined to one thread.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// In (0, 1), with 53 bits.
  double uniform();
  /// In [0, bound), bound > 0.
  std::uint64_t whole(std::uint64_t bound);
  /// Mean 0, standard deviation 1 (Box and Muller 1958).
  double normal();
  /// The logarithm of a gamma variable of scale 1 (Marsaglia and Tsang 2000); shape > 0, however small.
  double log_gamma_variable(double shape);
  /// The logit of a Beta(a, b) variable. It orders as the variable does, and is finite where that would be 0 or 1.
  double beta_logit(double a, double b);

 private:
  std::uint64_t next();

  std::uint64_t seed_, stream_, index_ = 0;
  std::array<std::uint64_t, 2> words_{};
  int num_words_ = 0;
  double spare_normal_ = 0.0;
  bool has_spare_ = false;
};

/// 64 bits of a text's SHA-256: the stream of what the text names.
std::uint64_t stream_of(std::string_view text);

}  // namespace onggi::recommend
