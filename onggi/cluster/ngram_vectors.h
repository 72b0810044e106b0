#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "onggi/cluster/vectors.h"
#include "onggi/core/thread_pool.h"

namespace onggi::cluster {

struct NgramOptions {
  int least = 1;          ///< Characters of the shortest gram.
  int most = 3;           ///< Of the longest.
  int dimensions = 1024;  ///< Grams are hashed to these, each with a sign, so that collisions cancel on average.
};

/// Vectors of texts without a model: character n-grams of the NFC text without spaces, (1 + ln count) * (ln((1 + N) /
/// (1 + df)) + 1), hashed to a fixed width (Weinberger et al. 2009), brought to length 1. An empty text is zeros.
/// Throws kInvalidArgument for options out of their range.
Vectors ngram_vectors(std::span<const std::string> texts, const NgramOptions& options, ThreadPool& pool);

}  // namespace onggi::cluster
