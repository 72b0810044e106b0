#pragma once

#include <span>
#include <vector>

#include "onggi/eval/evaluate.h"

namespace onggi::eval {

/// Answers [] to everything.
System empty_baseline(std::span<const ThemeRow> rows);

/// Answers every row with the training rows' most frequent aspect and the product's entity as
/// EntityFinder sees it.
System majority_baseline(std::span<const ThemeRow> train, std::span<const ThemeRow> rows);

/// RuleExtractor fitted on `train`.
System rules_baseline(std::span<const ThemeRow> train, std::span<const ThemeRow> rows);

/// All of the above, in this order. Deterministic; a few seconds for a thousand training rows.
std::vector<System> make_baselines(std::span<const ThemeRow> train, std::span<const ThemeRow> rows);

}  // namespace onggi::eval
