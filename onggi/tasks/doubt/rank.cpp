#include "onggi/tasks/doubt/rank.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/eval/rules/linear.h"

namespace onggi::tasks {
namespace {

constexpr double kPlantedShare = 0.2;
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

/// How well signals find noise, learnt from noise of our own in the same labels.
eval::LinearClassifier learn_weights(std::span<const DoubtRow> rows, const RankOptions& options, ThreadPool& pool,
                                     std::span<const NoiseKind> kinds) {
  std::vector<eval::LinearClassifier::Item> items;
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<DoubtRow> spoilt(rows.begin(), rows.end());
    // Far from the seeds that a study of planted noise counts up from.
    const auto seed =
        0xD0B7000000000000ULL + static_cast<std::uint64_t>(options.seed) * 1000 + static_cast<std::uint64_t>(round);
    const auto planted = plant_noise(spoilt, kPlantedShare, kinds, seed);
    const auto doubts = find_doubts(spoilt, doubt_options(options), pool);
    for (std::size_t i = 0; i < spoilt.size(); ++i)
      items.push_back({features_of(spoilt[i], doubts[i]), planted[i] ? 1 : 0});
  }
  return eval::LinearClassifier::fit(items, 2,
                                     {.epochs = 12,
                                      .learning_rate = 0.1F,
                                      .l2 = 1e-4F,
                                      .min_count = 5,
                                      .seed = static_cast<std::uint64_t>(options.seed)});
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
  require(options.method == "learned" || options.method == "plain",
          [&] { return "--method is \"" + options.method + "\", expected learned or plain"; });
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
  if (options.method == "learned") weights = learn_weights(rows, options, pool, kinds);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double own = weights ? static_cast<double>(weights->probabilities(features_of(rows[i], doubts[i]))[1])
                               : plain_suspicion(doubts[i]);
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
