#include "onggi/eval/metrics/agreement.h"

#include <cmath>
#include <map>
#include <utility>

#include "onggi/core/error.h"

namespace onggi::eval {
namespace {

double pairs(double n) { return n * (n - 1) / 2; }

template <class Counts>
double entropy(const Counts& counts, double total) {
  double sum = 0;
  for (const auto& [label, count] : counts) sum -= count / total * std::log(count / total);
  return sum;
}

}  // namespace

Agreement agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  require(a.size() == b.size(), "agreement: both partitions must have the same items");
  if (a.empty()) return {.nmi = 1, .ari = 1};
  const auto total = static_cast<double>(a.size());
  std::map<std::pair<std::int32_t, std::int32_t>, double> both;
  std::map<std::int32_t, double> of_a, of_b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both[{a[i], b[i]}] += 1;
    of_a[a[i]] += 1;
    of_b[b[i]] += 1;
  }
  double together = 0, mutual = 0, pairs_a = 0, pairs_b = 0;
  for (const auto& [labels, count] : both) {
    together += pairs(count);
    mutual += count / total * std::log(count * total / (of_a[labels.first] * of_b[labels.second]));
  }
  for (const auto& [label, count] : of_a) pairs_a += pairs(count);
  for (const auto& [label, count] : of_b) pairs_b += pairs(count);
  Agreement result;
  const double mean_entropy = (entropy(of_a, total) + entropy(of_b, total)) / 2;
  const bool are_single = of_a.size() == 1 && of_b.size() == 1;
  result.nmi = are_single ? 1 : mean_entropy > 0 && mutual > 1e-15 ? mutual / mean_entropy : 0;
  const double expected = total > 1 ? pairs_a * pairs_b / pairs(total) : 0, most = (pairs_a + pairs_b) / 2;
  result.ari = most == expected ? 1 : (together - expected) / (most - expected);
  return result;
}

}  // namespace onggi::eval
