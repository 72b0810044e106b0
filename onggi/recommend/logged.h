#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::recommend {

/// One impression of a log, as estimators need it.
struct LoggedImpression {
  int arm = 0;
  int slot = 0;             ///< From 0.
  double reward = 0.0;      ///< 1 where it was clicked.
  double propensity = 0.0;  ///< Of the policy that showed it; in (0, 1].
  int unit = 0;             ///< Who saw it: what intervals resample.
  int candidates = 0;       ///< Index into `LoggedData::candidate_sets`.
  std::vector<double> features;
};

struct LoggedData {
  std::vector<LoggedImpression> rows;
  std::vector<std::string> arms;                 ///< Names by number.
  std::vector<std::vector<int>> candidate_sets;  ///< What could be shown, each ascending.
  int num_slots = 0;
  int num_units = 0;
  std::int64_t num_open = 0;  ///< Impressions left out: their window is still open.

  double mean_reward() const;
};

struct LogOptions {
  std::string columns;
  std::string features;

  template <class Visitor>
  void visit(Visitor&& field) {
    field(
        "columns", columns,
        "Column map of a CSV file: ours=theirs, comma between; ours are arm, slot, reward, propensity, unit. Those of "
        "the Open Bandit Dataset are known.");
    field("features", features, "Columns of a CSV file that describe the context, comma between: numbers, or texts.");
  }
};

/// Reads a log. JSON Lines as `onggi display log` writes them (docs/formats/display_log.md), or CSV with a header.
/// Throws kNotFound, kCorrupt with file and line where a value is missing or no number, a propensity is not in (0, 1],
/// a reward is neither 0 nor 1, a slot is not 1 to 1000; kInvalidArgument for columns that are not there.
LoggedData read_log(const std::filesystem::path& path, const LogOptions& options = {});
/// The same on text at hand; `file` is for messages, and CSV if it ends so.
LoggedData read_log_text(std::string_view text, std::string_view file, const LogOptions& options = {});

}  // namespace onggi::recommend
