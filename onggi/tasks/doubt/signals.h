#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/thread_pool.h"
#include "onggi/eval/themes.h"

namespace onggi::tasks {

/// A labelled row as it is doubted: `row.gold` is the label it has.
struct DoubtRow {
  eval::ThemeRow row;
  std::string group;                               ///< Rows of one group are judged by models that saw none of them.
  std::optional<double> confidence, disagreement;  ///< What a teacher said of its own answers.
};

/// Grounds to doubt a label. Each is 0 (none) to 1.
enum class Signal : std::size_t {
  kAspect,        ///< 1 - probability of a theme's aspect, given its expression.
  kMargin,        ///< How far another aspect is more probable, halved and moved to 0..1.
  kSource,        ///< As kMargin, where the clause that the expression was written from has its say too.
  kHabit,         ///< How seldom other groups of the category have the aspect, against their commonest.
  kEntity,        ///< 1 - probability of a theme's entity, given the product.
  kPeers,         ///< Share of the group's other themes with another entity.
  kForm,          ///< A theme breaks a rule of writing (eval::card_faults).
  kGrounding,     ///< 1 - share of an expression's characters, rare ones counting more, that the review has.
  kPhrases,       ///< How seldom the most alike expressions of other groups have the theme's aspect.
  kInvented,      ///< 1 - belief in a given aspect, read from the review.
  kMissing,       ///< Belief in an aspect that is not given, from clauses that no given theme was written from.
  kReview,        ///< Belief that the review has no theme where some are given, or has one where none is.
  kUnread,        ///< Expected number of themes beyond those given.
  kNeighbours,    ///< How seldom the nearest reviews of other groups have the label's aspects, or are empty as it is.
  kEntropy,       ///< Entropy of the neighbours' aspects.
  kDisagreement,  ///< Of the teacher's answers.
  kUnsure,        ///< 1 - the teacher's confidence.
  kCount,
};
inline constexpr std::size_t kNumSignals = static_cast<std::size_t>(Signal::kCount);

std::string_view signal_name(Signal signal);

struct Doubts {
  std::array<double, kNumSignals> values{};
  std::array<std::string, kNumSignals> about{};  ///< The theme or aspect that a signal is about; may be empty.
  /// Aspects whose presence (or absence) confident learning calls wrong (Northcutt et al. 2021, arXiv:1911.00068): the
  /// belief in the other side is at least the mean of rows that are labelled so.
  std::vector<std::string> unlikely, missing;

  double operator[](Signal signal) const { return values[static_cast<std::size_t>(signal)]; }
};

struct DoubtOptions {
  int folds = 5;
  int neighbours = 10;
  std::uint64_t seed = 0;
};

/// Signals of each row, from classifiers of character n-grams that are fitted on the other groups' rows (folds by a
/// hash of the group), without rows that `distrusted` marks (empty: none). The same bits with any number of threads.
/// Throws kInvalidArgument where no row has a theme, or where there are fewer groups than folds.
std::vector<Doubts> find_doubts(std::span<const DoubtRow> rows, const DoubtOptions& options, ThreadPool& pool,
                                const std::vector<bool>& distrusted = {});

}  // namespace onggi::tasks
