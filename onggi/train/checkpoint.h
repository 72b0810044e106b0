#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/train/optimizer.h"

namespace onggi::train {

/// Hashes by name ("plan", "base", "data" ...), compared when a run is resumed.
using InputHashes = std::vector<std::pair<std::string, std::string>>;

/// Where a run stands between two updates, apart from the tensors.
struct TrainState {
  std::int64_t step = 0;   ///< Updates done; the next one is plan.steps[step].
  std::int64_t epoch = 0;  ///< Position in the data: of the next step's first row.
  std::int64_t index = 0;
  std::uint64_t seed = 0;  ///< All random numbers follow from it and the position.
  InputHashes hashes;
  Json extra = Json::object();  ///< The loop's own: best evaluation loss, patience ... (numbers keep all their bits).
};

struct CheckpointOptions {
  int keep = 2;  ///< Newest ones that stay; at least 1.
  /// Called before each stage of the write ("clean", "tensors", "state", "publish", "prune"): for tests that kill it.
  std::function<void(std::string_view stage)> before_stage;
};

/// Writes `folder`/step-000120/ with the parameters, both moments and the state (docs/formats/run_folder.md). Killed at
/// any point it leaves the earlier checkpoints whole. Throws kUnavailable (disk full, read-only).
void save_checkpoint(const std::filesystem::path& folder, const TrainState& state, const AdamW& optimizer,
                     const CheckpointOptions& options = {});

struct LoadedCheckpoint {
  std::optional<TrainState> state;  ///< nullopt: there is no complete checkpoint, start from the beginning.
  std::filesystem::path path;
  std::vector<std::string> skipped;  ///< One message for each newer one that is torn or corrupt.
};

/// Reads the newest complete checkpoint in `folder` into the optimiser and its parameters. Throws kInvalidArgument if
/// its seed, one of its hashes, or a parameter's name or shape is not what this run has, naming which; nothing is
/// changed then.
LoadedCheckpoint load_checkpoint(const std::filesystem::path& folder, std::uint64_t seed, const InputHashes& hashes,
                                 AdamW& optimizer);

}  // namespace onggi::train
