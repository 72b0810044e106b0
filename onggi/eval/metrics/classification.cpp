#include "onggi/eval/metrics/classification.h"

#include "onggi/core/error.h"

namespace onggi::eval {

PrecisionRecall ClassCounts::score() const {
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  return {share(hits, predicted), share(hits, expected), share(2 * hits, predicted + expected)};
}

ClassificationScore classification(std::span<const std::string> predicted, std::span<const std::string> expected) {
  require(predicted.size() == expected.size() && !expected.empty(),
          "classification: as many predictions as gold labels are needed, and at least one");
  ClassificationScore result;
  ClassCounts all;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ++result.classes[expected[i]].expected;
    ++result.classes[predicted[i]].predicted;
    if (predicted[i] == expected[i]) ++result.classes[expected[i]].hits, ++all.hits;
  }
  all.predicted = all.expected = static_cast<std::int64_t>(expected.size());
  result.micro = all.score();
  result.accuracy = result.micro.recall;
  for (const auto& [label, counts] : result.classes) {
    result.macro_f1 += counts.score().f1 / static_cast<double>(result.classes.size());
    result.weighted_f1 += counts.score().f1 * static_cast<double>(counts.expected) / static_cast<double>(all.expected);
  }
  return result;
}

}  // namespace onggi::eval
