#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "onggi/core/thread_pool.h"
#include "onggi/tasks/doubt/noise.h"
#include "onggi/tasks/doubt/signals.h"

namespace onggi::tasks {

struct RankOptions {
  std::string method = "learned";
  int folds = 5;
  int neighbours = 10;
  int rounds = 2;
  std::int64_t seed = 0;

  template <class V>
  void visit(V&& field) {
    field("method", method,
          "learned: signals are weighed by how they find noise planted in the same labels, and then again without the "
          "most doubtful rows; once: without that; plain: weighed by hand.");
    field("folds", folds, "Parts of the groups; each is judged by classifiers that saw the others.");
    field("neighbours", neighbours, "Nearest reviews of other groups whose aspects are compared.");
    field("rounds", rounds, "learned: how often noise is planted to learn from.");
    field("seed", seed, "Seed of classifiers and planted noise.");
  }
};

/// A row's place in the queue.
struct Ranked {
  std::size_t row = 0;
  double suspicion = 0;  ///< 0 to 1; highest first.
  struct Reason {
    std::string signal, about;
    double value = 0;
  };
  std::vector<Reason> reasons;  ///< What speaks most against the label, strongest first.
  Doubts doubts;
};

/// Throws kInvalidArgument naming what is out of range.
void check_rank(const RankOptions& options);

/// All rows, the most doubtful label first (the first of equals). `learned`: noise is planted into a copy of the
/// labels, a logistic regression over the signals learns to find it, out of its own rounds, and judges the labels as
/// they are. What teachers said of their answers is joined in either way: noise that is planted afterwards can't teach
/// what it is worth. Deterministic for any number of threads. Throws as find_doubts.
std::vector<Ranked> rank_rows(std::span<const DoubtRow> rows, const RankOptions& options, ThreadPool& pool,
                              std::span<const NoiseKind> kinds = kNoiseKinds);

}  // namespace onggi::tasks
