#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/train/event_file.h"

namespace onggi::train {

/// What a run was made from. Two runs with equal manifests, but for `created` and `command_line`, write equal adapters.
struct Manifest {
  std::string tool_version;
  std::string tool_commit;
  std::string instruction_set;  ///< Kernel table in use: "avx2".
  std::string created;          ///< UTC, "2026-01-31T08:00:00Z".
  std::vector<std::string> command_line;
  std::string base_path;
  std::int64_t seed = 0;
  /// SHA-256 of every input by name: base, tokenizer, template, data, config, plan ...; in a fixed order.
  std::vector<std::pair<std::string, std::string>> hashes;

  Json to_json() const;
  /// Throws kCorrupt naming the member.
  static Manifest from_json(const Json& json, std::string_view where);
};

/// The folder of one training run (docs/formats/run_folder.md): config.json, manifest.json, metrics.jsonl, TensorBoard
/// events, checkpoints/, and result.json once it has finished. Held by one process at a time. Confined to one thread.
class RunFolder {
 public:
  /// Starts a run in `path`, made if absent. Throws kInvalidArgument if a run is there already, kUnavailable if it
  /// can't be written.
  static RunFolder create(const std::filesystem::path& path, const Json& config, const Manifest& manifest);
  /// Goes on with the run in `path` after `last_step`: later metrics and events, and torn lines, are cut off. Throws
  /// kNotFound, kCorrupt, or kUnavailable if another process holds the folder.
  static RunFolder resume(const std::filesystem::path& path, std::int64_t last_step);

  RunFolder(RunFolder&&) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();

  const std::filesystem::path& path() const { return path_; }
  const Json& config() const { return config_; }
  const Manifest& manifest() const { return manifest_; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// Appends {"step": step, ...metrics} to metrics.jsonl, and its numbers to the event file under the same names.
  void log(std::int64_t step, const Json& metrics);
  /// Makes everything logged durable. Call it before a checkpoint of the same step, or a resumed run may miss lines.
  void sync();
  /// Writes result.json: the run is complete.
  void finish(const Json& result);

 private:
  RunFolder(std::filesystem::path path, Json config, Manifest manifest, int lock, std::int64_t last_step);

  std::filesystem::path path_;
  Json config_;
  Manifest manifest_;
  int lock_ = -1;
  std::unique_ptr<AppendFile> metrics_;
  std::unique_ptr<EventWriter> events_;
};

/// Lines of metrics.jsonl in order; a torn last line is left out. Throws kCorrupt naming the line, kNotFound.
std::vector<Json> read_metrics(const std::filesystem::path& run);

/// Last and lowest value of one metric.
struct MetricSummary {
  std::string name;
  double last = 0.0;
  std::int64_t last_step = 0;
  double lowest = 0.0;
  std::int64_t lowest_step = 0;
};

/// One run as `onggi runs` lists it.
struct RunSummary {
  std::string name;
  std::filesystem::path path;
  std::string problem;  ///< Why it can't be read; the rest is then empty.
  Manifest manifest;
  Json config;
  Json result;  ///< Null while unfinished.
  std::int64_t steps = 0;
  std::vector<MetricSummary> metrics;
};

/// Reads one run; a broken one gives a summary with `problem`.
RunSummary summarize_run(const std::filesystem::path& path);

/// Runs directly in `folder` (or `folder` itself if it is one), oldest first. Throws kNotFound if it is no folder.
std::vector<RunSummary> list_runs(const std::filesystem::path& folder);

/// What differs between runs: a column a run, empty where a run lacks the key.
struct RunComparison {
  struct Row {
    std::string key;
    std::vector<std::string> values;
  };
  std::vector<std::string> names;
  std::vector<Row> config;   ///< Config keys and input hashes whose values are not all equal; nested keys with dots.
  std::vector<Row> metrics;  ///< "name" (last) and "name (lowest)" of every metric.
};
RunComparison compare_runs(std::span<const RunSummary> runs);

}  // namespace onggi::train
