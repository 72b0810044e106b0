#pragma once

#include <cstdint>
#include <span>

namespace onggi::decode {

struct SamplingOptions {
  float temperature = 0.0F;  ///< Divides the logits; 0 is greedy.
  int top_k = 0;             ///< Keep this many most likely tokens; 0 keeps all.
  float top_p = 1.0F;        ///< Keep the fewest tokens that together reach this probability (arXiv:1904.09751).
  float min_p = 0.0F;        ///< Drop tokens below this share of the best one's probability (arXiv:2407.01082).

  template <class V>
  void visit(V&& field) {
    field("temperature", temperature, "Divides the logits; 0 is greedy.");
    field("top_k", top_k, "Keep this many most likely tokens; 0 = all.");
    field("top_p", top_p, "Keep the fewest tokens that together reach this probability; 1 = all.");
    field("min_p", min_p, "Drop tokens below this share of the best one's probability.");
  }
};

/// Throws kInvalidArgument naming an option that is out of range.
void check_sampling(const SamplingOptions& options);

struct Choice {
  int id = 0;
  float log_probability = 0.0F;  ///< Before temperature and cuts: log softmax over `ids`.
};

/// Chooses one of `ids` (ascending, with their logits). Greedy takes the lowest id on ties. Sampling divides by the
/// temperature, cuts by min_p, top_k and top_p in this order, and draws number (seed, row, step), so an answer depends
/// on nothing else. Sums run in f64. A logit of minus infinity is never drawn.
/// Throws kInvalidArgument on no ids, options out of range, a logit that is NaN or plus infinity, or none that is finite.
Choice sample(std::span<const int> ids, std::span<const float> logits, const SamplingOptions& options, std::uint64_t seed,
              std::uint64_t row, std::uint64_t step);

}  // namespace onggi::decode
