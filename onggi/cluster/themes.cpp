#include "onggi/cluster/themes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "onggi/cluster/kmeans.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

constexpr std::size_t kAllMayBeMedoid = 1000;
constexpr std::size_t kMedoidCandidates = 256;
constexpr std::size_t kBestCandidates = 200;

double distance(const Points& points, std::int32_t a, std::int32_t b) {
  return std::sqrt(points.squared_distance(a, b));
}

class Describer {
 public:
  Describer(const Points& points, std::span<const std::int32_t> weights, const ThemeOptions& options, ThreadPool& pool)
      : points_(points), weights_(weights), options_(options), pool_(pool) {}

  Theme describe(std::int32_t cluster, const std::vector<std::int32_t>& members, std::vector<std::int32_t> shown) {
    Theme theme{.cluster = cluster, .num_members = static_cast<std::int32_t>(members.size())};
    for (const auto member : members) theme.num_texts += weight(member);
    theme.medoid = medoid(members, shown, theme.spread);
    theme.spread /= static_cast<double>(theme.num_texts);
    theme.most_frequent = *std::ranges::min_element(shown, {}, [&](std::int32_t member) {
      return std::pair(-weight(member), std::pair(distance(points_, member, theme.medoid), member));
    });
    theme.best = best(theme.medoid, std::move(shown));
    return theme;
  }

 private:
  std::int64_t weight(std::int32_t point) const { return weights_[static_cast<std::size_t>(point)]; }

  /// The candidate with the least weighted sum of distances to all members; that sum.
  std::int32_t medoid(const std::vector<std::int32_t>& members, const std::vector<std::int32_t>& shown, double& least) {
    auto candidates = shown;
    if (members.size() > kAllMayBeMedoid && candidates.size() > kMedoidCandidates) {
      const Points part(take_rows(points_.vectors(), members));
      const auto centre = centroids_of(part, std::vector<std::int32_t>(members.size(), 0), 1, pool_);
      keep_nearest(candidates, kMedoidCandidates,
                   [&](std::int32_t c) { return squared_distance(points_.row(c), std::span<const double>(centre)); });
    }
    std::vector<double> sums(candidates.size(), 0.0);
    pool_.run(static_cast<std::int64_t>(candidates.size()), [&](std::int64_t i, int) {
      for (const auto member : members) {
        sums[static_cast<std::size_t>(i)] +=
            static_cast<double>(weight(member)) * distance(points_, candidates[static_cast<std::size_t>(i)], member);
      }
    });
    const auto found = std::ranges::min_element(sums);
    least = *found;
    return candidates[static_cast<std::size_t>(found - sums.begin())];
  }

  template <class Measure>
  static void keep_nearest(std::vector<std::int32_t>& candidates, std::size_t count, Measure measure) {
    std::vector<std::pair<double, std::int32_t>> by_distance;
    for (const auto c : candidates) by_distance.emplace_back(measure(c), c);
    std::ranges::sort(by_distance);
    by_distance.resize(std::min(count, by_distance.size()));
    candidates.clear();
    for (const auto& [d, c] : by_distance) candidates.push_back(c);
  }

  std::vector<std::int32_t> best(std::int32_t medoid, std::vector<std::int32_t> candidates) const {
    std::vector<std::int32_t> chosen = {medoid};
    keep_nearest(candidates, kBestCandidates, [&](std::int32_t c) { return distance(points_, c, medoid); });
    std::erase(candidates, medoid);
    std::vector<double> to_chosen;  // The least distance to what is chosen already.
    for (const auto c : candidates) to_chosen.push_back(distance(points_, c, medoid));
    const auto to_medoid = to_chosen;
    while (static_cast<int>(chosen.size()) < options_.num_best && chosen.size() <= candidates.size()) {
      std::size_t next = candidates.size();
      double highest = -std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (std::ranges::find(chosen, candidates[i]) != chosen.end()) continue;
        const double relevance = -(1 - options_.diversity) * to_medoid[i] + options_.diversity * to_chosen[i];
        if (relevance > highest) highest = relevance, next = i;
      }
      chosen.push_back(candidates[next]);
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        to_chosen[i] = std::min(to_chosen[i], distance(points_, candidates[i], chosen.back()));
      }
    }
    return chosen;
  }

  const Points& points_;
  std::span<const std::int32_t> weights_;
  const ThemeOptions& options_;
  ThreadPool& pool_;
};

}  // namespace

std::vector<Theme> describe_clusters(const Points& points, std::span<const std::int32_t> labels,
                                     std::span<const std::int32_t> weights, const std::vector<bool>& may_show,
                                     const ThemeOptions& options, ThreadPool& pool) {
  const auto size = static_cast<std::size_t>(points.size());
  require(labels.size() == size && weights.size() == size && (may_show.empty() || may_show.size() == size),
          "themes: one label and one weight a point");
  require(options.num_best >= 1 && options.diversity >= 0 && options.diversity < 1,
          "themes: num_best must be 1 or more, diversity at least 0 and below 1");
  std::vector<std::vector<std::int32_t>> members, shown;
  for (std::size_t i = 0; i < size; ++i) {
    if (labels[i] < 0) continue;
    require(weights[i] > 0, "themes: weights must be above 0");
    const auto label = static_cast<std::size_t>(labels[i]);
    if (label >= members.size()) members.resize(label + 1), shown.resize(label + 1);
    members[label].push_back(static_cast<std::int32_t>(i));
    if (may_show.empty() || may_show[i]) shown[label].push_back(static_cast<std::int32_t>(i));
  }
  Describer describer(points, weights, options, pool);
  std::vector<Theme> themes;
  for (std::size_t c = 0; c < members.size(); ++c) {
    if (members[c].empty()) continue;
    themes.push_back(
        describer.describe(static_cast<std::int32_t>(c), members[c], shown[c].empty() ? members[c] : shown[c]));
  }
  return themes;
}

}  // namespace onggi::cluster
