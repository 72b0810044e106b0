#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "onggi/eval/metrics/overlap.h"

namespace onggi::eval {

/// Counts of one class. An undefined precision or recall (nothing predicted, nothing there) is 0.
struct ClassCounts {
  std::int64_t hits = 0, predicted = 0, expected = 0;
  PrecisionRecall score() const;
};

struct ClassificationScore {
  double accuracy = 0;
  PrecisionRecall micro;
  double macro_f1 = 0;     ///< Mean of the classes' F1, over classes that were expected or predicted.
  double weighted_f1 = 0;  ///< By expected rows.
  std::map<std::string, ClassCounts> classes;
};

/// One label a row, compared exactly. Throws kInvalidArgument where sizes differ or there is no row.
ClassificationScore classification(std::span<const std::string> predicted, std::span<const std::string> expected);

}  // namespace onggi::eval
