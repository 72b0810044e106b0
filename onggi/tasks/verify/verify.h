#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onggi/datasets/rows.h"
#include "onggi/eval/verifier/verifier.h"

namespace onggi::tasks {

/// A verifier and the rule extractor that gives it its second opinion.
struct LoadedVerifier {
  eval::Verifier verifier;
  std::optional<eval::RuleExtractor> rules;

  const eval::RuleExtractor* opinion() const { return rules ? &*rules : nullptr; }
};

/// Where labelled rows come from: whole files, or the train part of a split.
struct LabelledRows {
  std::vector<std::string> rows;
  std::string split;
};

/// Fits on the answers to `gold` rows and writes the file. `labelled` may be empty: no second opinion. Throws
/// kInvalidArgument where a product is on both sides.
LoadedVerifier fit_verifier(std::span<const datasets::Row> gold, const eval::SupportedAnswers& answers,
                            std::span<const datasets::Row> labelled, const eval::VerifierOptions& options,
                            const std::filesystem::path& output);

/// Reads the file; fits the rule extractor again on the same labelled rows. Throws kInvalidArgument where they are
/// missing or others than those of the fit.
LoadedVerifier load_verifier(const std::filesystem::path& path, std::span<const datasets::Row> labelled);

struct VerdictCounts {
  std::int64_t rows = 0, failed = 0, accepted = 0, doubtful = 0, rejected = 0;
  std::map<std::string, std::int64_t> reasons;  ///< Of the rejections.
};

/// A line a row, in order: {"id", "cards": [{"entity", "expression", "name", "verdict", "probability", "reasons"}]}.
/// To `people`, where it is given, go the rows with a doubtful card, as rows with themes and a priority: those nearest
/// to the threshold first. Throws where rows and answers do not match.
VerdictCounts write_verdicts(const LoadedVerifier& loaded, std::span<const datasets::Row> rows,
                             const eval::SupportedAnswers& answers, const std::filesystem::path& output,
                             const std::filesystem::path& people);

/// The same by the hard rules alone; aspects are those of the labelled rows, any where there are none.
VerdictCounts write_rule_verdicts(std::span<const datasets::Row> rows, const eval::SupportedAnswers& answers,
                                  std::span<const datasets::Row> labelled, const std::filesystem::path& output,
                                  const std::filesystem::path& people);

/// Precision against coverage as SVG, with the interval as a band and the target as a line.
std::string curve_svg(std::span<const eval::CurvePoint> curve, const eval::Verifier& verifier);

}  // namespace onggi::tasks
