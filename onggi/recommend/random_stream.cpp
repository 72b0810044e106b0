#include "onggi/recommend/random_stream.h"

#include <charconv>
#include <cmath>
#include <numbers>

#include "onggi/core/hash.h"
#include "onggi/core/random.h"

namespace onggi::recommend {

std::uint64_t RandomStream::next() {
  if (num_words_ == 0) {
    const auto r = philox(seed_, stream_, index_++);
    words_ = {(std::uint64_t{r[2]} << 32) | r[3], (std::uint64_t{r[0]} << 32) | r[1]};
    num_words_ = 2;
  }
  return words_[static_cast<std::size_t>(--num_words_)];
}

double RandomStream::uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }

std::uint64_t RandomStream::whole(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

double RandomStream::log_gamma_variable(double shape) {
  // Below 1: a variable of shape + 1 times U^(1/shape), which is too small for a double but not for its logarithm.
  if (shape < 1.0) {
    const double larger = log_gamma_variable(shape + 1.0);
    return larger + std::log(uniform()) / shape;
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    const double x = normal();
    const double cube_root = 1.0 + c * x;
    if (cube_root <= 0.0) continue;
    const double v = cube_root * cube_root * cube_root;
    const double u = uniform();
    if (u < 1.0 - 0.0331 * (x * x) * (x * x) || std::log(u) < 0.5 * x * x + d * (1.0 - v + std::log(v)))
      return std::log(d * v);
  }
}

double RandomStream::beta_logit(double a, double b) {
  const double log_a = log_gamma_variable(a);
  return log_a - log_gamma_variable(b);
}

std::uint64_t stream_of(std::string_view text) {
  const std::string digest = sha256_hex(text);
  std::uint64_t value = 0;
  std::from_chars(digest.data(), digest.data() + 16, value, 16);
  return value;
}

}  // namespace onggi::recommend
