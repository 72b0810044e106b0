#include "onggi/tasks/doubt/rank.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/eval/rules/linear.h"

namespace onggi::tasks {
namespace {

constexpr double kPlantedShare = 0.2;
constexpr double kDistrusted = 0.2;
constexpr double kTeacherWeight = 0.5;
constexpr std::size_t kMostReasons = 3;

bool is_of_teacher(Signal signal) { return signal == Signal::kDisagreement || signal == Signal::kUnsure; }

template <class Visit>
void for_each_signal(Visit visit) {
  for (std::size_t s = 0; s < kNumSignals; ++s) visit(static_cast<Signal>(s));
}

/// What the plain way counts: the share of a signal that is believed. Margin and unread say again what others say;
/// neighbours and entropy are weak.
double plain_weight(Signal signal) {
  switch (signal) {
    case Signal::kAspect: return 0.5;
    case Signal::kEntity: return 0.8;
    case Signal::kPeers: return 0.8;
    case Signal::kForm: return 0.8;
    case Signal::kGrounding: return 0.7;
    case Signal::kPhrases: return 0.6;
    case Signal::kInvented: return 0.4;
    case Signal::kMissing: return 0.9;
    case Signal::kReview: return 0.7;
    case Signal::kNeighbours: return 0.1;
    case Signal::kMargin: return 0.5;
    case Signal::kUnread: return 0.5;
    case Signal::kSource: return 0.5;
    case Signal::kHabit: return 0.1;
    default: return 0.0;
  }
}

double plain_suspicion(const Doubts& doubts) {
  double trust = 1;
  for_each_signal([&](Signal signal) { trust *= 1.0 - plain_weight(signal) * doubts[signal]; });
  return 1.0 - trust;
}

/// Steps of a signal that were passed, so that its weight may grow in any way; and the same again for rows without a
/// theme, where some signals can't be.
eval::Features features_of(const DoubtRow& row, const Doubts& doubts) {
  constexpr double kSteps[] = {0.02, 0.05, 0.1,  0.15, 0.2,  0.25, 0.3,  0.35, 0.4,  0.45, 0.5,
                               0.55, 0.6,  0.65, 0.7,  0.75, 0.8,  0.85, 0.9,  0.95, 0.98};
  eval::Features features;
  const bool is_empty = row.row.gold.empty();
  features.emplace_back(1'000'000 + std::min<std::size_t>(row.row.gold.size(), 4), 1.0F);
  for_each_signal([&](Signal signal) {
    if (is_of_teacher(signal)) return;
    std::uint64_t id = static_cast<std::uint64_t>(signal) * 1000 + (is_empty ? 500 : 0);
    features.emplace_back(id, static_cast<float>(doubts[signal]));
    for (const double step : kSteps) {
      ++id;
      if (doubts[signal] >= step) features.emplace_back(id, 0.5F);
    }
  });
  return features;
}

DoubtOptions doubt_options(const RankOptions& options) {
  return {.folds = options.folds, .neighbours = options.neighbours, .seed = static_cast<std::uint64_t>(options.seed)};
}

using Weights = eval::LinearClassifier;

Weights fit_weights(const std::vector<Weights::Item>& items, std::int64_t seed) {
  return Weights::fit(
      items, 2,
      {.epochs = 12, .learning_rate = 0.1F, .l2 = 1e-4F, .min_count = 5, .seed = static_cast<std::uint64_t>(seed)});
}

double suspicion_of(const Weights& weights, const DoubtRow& row, const Doubts& doubts) {
  return static_cast<double>(weights.probabilities(features_of(row, doubts))[1]);
}

/// The most suspicious rows, which the classifiers are then fitted without.
std::vector<bool> distrust(std::span<const DoubtRow> rows, const std::vector<Doubts>& doubts, const Weights& weights) {
  std::vector<double> suspicions;
  for (std::size_t i = 0; i < rows.size(); ++i) suspicions.push_back(suspicion_of(weights, rows[i], doubts[i]));
  auto sorted = suspicions;
  const auto first =
      sorted.begin() + static_cast<std::ptrdiff_t>((1.0 - kDistrusted) * static_cast<double>(rows.size()));
  std::ranges::nth_element(sorted, first);
  std::vector<bool> distrusted;
  for (const double suspicion : suspicions) distrusted.push_back(suspicion > *first);
  return distrusted;
}

/// Labels with noise of our own, and what is found in them.
struct Spoilt {
  std::vector<DoubtRow> rows;
  std::vector<std::optional<NoiseKind>> planted;
  std::vector<Doubts> doubts;
};

std::vector<Weights::Item> items_of(const std::vector<Spoilt>& rounds) {
  std::vector<Weights::Item> items;
  for (const auto& round : rounds) {
    for (std::size_t i = 0; i < round.rows.size(); ++i)
      items.push_back({features_of(round.rows[i], round.doubts[i]), round.planted[i] ? 1 : 0});
  }
  return items;
}

/// How well signals find noise, learnt from noise of our own in the same labels; then the same once more with
/// classifiers that were fitted without what was most suspicious, in which `doubts` ends too.
Weights learn_weights(std::span<const DoubtRow> rows, std::vector<Doubts>& doubts, const RankOptions& options,
                      ThreadPool& pool, std::span<const NoiseKind> kinds) {
  std::vector<Spoilt> rounds;
  for (int round = 0; round < options.rounds; ++round) {
    Spoilt spoilt{.rows = {rows.begin(), rows.end()}, .planted = {}, .doubts = {}};
    // Far from the seeds that a study of planted noise counts up from.
    const auto seed =
        0xD0B7000000000000ULL + static_cast<std::uint64_t>(options.seed) * 1000 + static_cast<std::uint64_t>(round);
    spoilt.planted = plant_noise(spoilt.rows, kPlantedShare, kinds, seed);
    spoilt.doubts = find_doubts(spoilt.rows, doubt_options(options), pool);
    rounds.push_back(std::move(spoilt));
  }
  const auto first = fit_weights(items_of(rounds), options.seed);
  if (options.method == "once") return first;
  for (auto& round : rounds)
    round.doubts = find_doubts(round.rows, doubt_options(options), pool, distrust(round.rows, round.doubts, first));
  doubts = find_doubts(rows, doubt_options(options), pool, distrust(rows, doubts, first));
  return fit_weights(items_of(rounds), options.seed);
}

std::vector<Ranked::Reason> reasons_of(const Doubts& doubts) {
  std::vector<Ranked::Reason> reasons;
  std::vector<std::pair<double, Signal>> order;
  for_each_signal([&](Signal signal) {
    const double weight = is_of_teacher(signal) ? kTeacherWeight : plain_weight(signal);
    if (doubts[signal] > 0.3) order.emplace_back(-weight * doubts[signal], signal);
  });
  std::ranges::stable_sort(order, {}, &std::pair<double, Signal>::first);
  for (const auto& [weight, signal] : order) {
    if (reasons.size() == kMostReasons) break;
    reasons.push_back(
        {std::string(signal_name(signal)), doubts.about[static_cast<std::size_t>(signal)], doubts[signal]});
  }
  return reasons;
}

}  // namespace

void check_rank(const RankOptions& options) {
  require(options.method == "learned" || options.method == "once" || options.method == "plain",
          [&] { return "--method is \"" + options.method + "\", expected learned, once or plain"; });
  require(options.folds >= 2 && options.folds <= 50,
          [&] { return "--folds is " + std::to_string(options.folds) + ", expected 2 to 50"; });
  require(options.neighbours >= 1 && options.neighbours <= 1000,
          [&] { return "--neighbours is " + std::to_string(options.neighbours) + ", expected 1 to 1000"; });
  require(options.rounds >= 1 && options.rounds <= 50,
          [&] { return "--rounds is " + std::to_string(options.rounds) + ", expected 1 to 50"; });
}

std::vector<Ranked> rank_rows(std::span<const DoubtRow> rows, const RankOptions& options, ThreadPool& pool,
                              std::span<const NoiseKind> kinds) {
  check_rank(options);
  auto doubts = find_doubts(rows, doubt_options(options), pool);
  std::vector<Ranked> ranked(rows.size());
  std::optional<eval::LinearClassifier> weights;
  if (options.method != "plain") weights = learn_weights(rows, doubts, options, pool, kinds);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double own = weights ? suspicion_of(*weights, rows[i], doubts[i]) : plain_suspicion(doubts[i]);
    const double of_teacher =
        (1.0 - kTeacherWeight * doubts[i][Signal::kDisagreement]) * (1.0 - kTeacherWeight * doubts[i][Signal::kUnsure]);
    ranked[i] = {.row = i,
                 .suspicion = 1.0 - (1.0 - own) * of_teacher,
                 .reasons = reasons_of(doubts[i]),
                 .doubts = std::move(doubts[i])};
  }
  std::ranges::stable_sort(ranked, std::ranges::greater{}, &Ranked::suspicion);
  return ranked;
}

}  // namespace onggi::tasks
