#include "onggi/eval/metrics/detection.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/error.h"

namespace onggi::eval {

Detection detection(std::span<const double> scores, const std::vector<bool>& is_sought) {
  require(scores.size() == is_sought.size(), "detection: one truth a score");
  require(std::ranges::none_of(scores, [](double s) { return std::isnan(s); }), "detection: a score is not a number");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const auto sought = static_cast<double>(std::ranges::count(is_sought, true));
  const double others = static_cast<double>(scores.size()) - sought;
  require(sought > 0 && others > 0, "detection: there must be items of both kinds");
  Detection result;
  double hits = 0, misses = 0;
  for (std::size_t first = 0; first < order.size();) {
    double more_hits = 0, more_misses = 0;
    std::size_t last = first;
    for (; last < order.size() && scores[order[last]] == scores[order[first]]; ++last) {
      (is_sought[order[last]] ? more_hits : more_misses) += 1;
    }
    result.auroc += more_misses * (hits + more_hits / 2);
    hits += more_hits;
    misses += more_misses;
    result.average_precision += more_hits / sought * (hits / (hits + misses));
    first = last;
  }
  result.auroc /= sought * others;
  return result;
}

AtCut at_cut(std::span<const double> scores, const std::vector<bool>& is_sought, double cut) {
  require(scores.size() == is_sought.size(), "detection: one truth a score");
  double hits = 0, above = 0, sought = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    sought += is_sought[i] ? 1 : 0;
    if (!(scores[i] > cut)) continue;
    above += 1;
    hits += is_sought[i] ? 1 : 0;
  }
  return {.precision = above > 0 ? hits / above : 0, .recall = sought > 0 ? hits / sought : 0};
}

}  // namespace onggi::eval
