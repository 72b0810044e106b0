#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "onggi/cluster/points.h"
#include "onggi/core/thread_pool.h"
#include "onggi/datasets/rows.h"

namespace onggi::tasks {

struct ReviewOptions {
  std::string product;
  int least_characters = 5;
  int most_characters = 2000;
  double similarity = 0.8;
  std::int64_t seed = 0;

  template <class V>
  void visit(V&& field) {
    field("product", product, "Product of rows that have none: what the reviews are about, in a word.");
    field("least_characters", least_characters, "Shorter reviews are left out.");
    field("most_characters", most_characters, "Longer reviews are left out.");
    field("similarity", similarity, "Of reviews at least this much alike (Jaccard, 5-grams) one stays.");
    field("seed", seed, "Seed of every random choice.");
  }
};

/// A review that is not asked about, and why.
struct LeftOut {
  std::string id, reason;
  std::string kept;  ///< The id of the review that stands for it; empty for other reasons.
};

struct CleanReviews {
  std::vector<datasets::Row> rows;  ///< With id, product and review; other columns as they were.
  std::vector<LeftOut> left_out;    ///< In the rows' order.
  std::map<std::string, std::int64_t> reasons;
};

/// Makes rows fit to be asked about: NFC, no control characters or marks that do not show, single spaces; without what
/// is empty, too short, too long, or says what another row says. Reasons: no_review, no_product, short, long,
/// duplicate. Throws kInvalidArgument where two rows have one id, or a column is no text.
CleanReviews clean_reviews(std::span<const datasets::Row> rows, const ReviewOptions& options, ThreadPool& pool,
                           const cluster::Report& report);

/// NFC; control characters, byte order marks, zero-width spaces and marks of direction taken out; joiners kept only
/// between emoji; white space single.
std::string clean_text(std::string_view text);

}  // namespace onggi::tasks
