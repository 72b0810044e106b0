#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/eval/rules/rule_extractor.h"
#include "onggi/eval/themes.h"
#include "onggi/runtime/generator.h"

namespace onggi::tasks {

/// What the consensus of the same samples would be worth at one setting.
struct ConsensusCell {
  double extractor_weight = 0;
  double least_share = 0;
  eval::ThemeCounts counts;
  double f1() const;
};

struct ConsensusStudy {
  std::vector<double> weights, shares;
  std::vector<ConsensusCell> cells;  ///< [weights][shares]
  std::size_t best = 0;  ///< The cell whose F1, averaged with its neighbours', is highest: one cell alone may be luck.

  const ConsensusCell& cell(std::size_t weight, std::size_t share) const { return cells[weight * shares.size() + share]; }
  Json to_json() const;
  /// F1 by weight and share, and the flags of the best.
  std::string to_text() const;
};

/// The rows of `onggi generate --show-samples`. Throws kInvalidArgument unless they are the gold's, in its order, and
/// hold samples; kCorrupt on members of another kind.
std::vector<std::vector<runtime::Answer>> read_samples(const std::filesystem::path& path, std::span<const eval::ThemeRow> gold);

/// Samples of a row are complete answers or failures.
ConsensusStudy study_consensus(std::span<const eval::ThemeRow> gold, std::span<const std::vector<runtime::Answer>> samples,
                               const eval::RuleExtractor& extractor);

/// The rows' answers at one setting, as JSON Lines of {"id", "text"}; text is null where all samples failed.
std::string consensus_answers(std::span<const eval::ThemeRow> gold, std::span<const std::vector<runtime::Answer>> samples,
                              const eval::RuleExtractor& extractor, double extractor_weight, double least_share);

}  // namespace onggi::tasks
