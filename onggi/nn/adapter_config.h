#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::nn {

constexpr int kMaxLoraRank = 4096;

/// Chooses modules by path, as PEFT's `target_modules` and `exclude_modules` do: a regular expression that must match
/// the whole path, or names that equal the path or its end after a dot ("q_proj" does not match "xq_proj").
struct ModulePattern {
  std::string regex;  ///< RE2 syntax (no look-around, no back-references); wins over `names`.
  std::vector<std::string> names;

  bool empty() const { return regex.empty() && names.empty(); }
};

/// PEFT's adapter_config.json for LoRA, rsLoRA and DoRA on linear layers (docs/formats/adapter.md).
struct AdapterConfig {
  std::string base_model;  ///< base_model_name_or_path, empty for null.
  std::string revision;
  int rank = 8;
  double alpha = 8.0;
  double dropout = 0.0;  ///< On the input of A while training.
  bool use_rslora = false;
  bool use_dora = false;
  bool all_linear = false;  ///< target_modules "all-linear": every linear layer but the output head.
  ModulePattern targets;    ///< Where `all_linear` is false.
  ModulePattern excluded;
  std::vector<int> layers_to_transform;     ///< Only these layers; empty is all. Needs `targets.names`.
  std::vector<std::string> layers_pattern;  ///< Names before the layer number; empty takes the first numbered segment.
  std::vector<std::pair<std::string, int>> rank_pattern;  ///< First pattern that matches the path's end wins.
  std::vector<std::pair<std::string, double>> alpha_pattern;
  std::string initialisation = "true";  ///< init_lora_weights: true, false, gaussian, eva or orthogonal.
};

/// Reads adapter_config.json. Refuses (kInvalidArgument, naming the key) every key that is unknown, or known and not
/// implemented, unless its value is null, false or empty; and a rank outside 1 to 4,096 or an alpha not above 0.
/// `where` names the file.
AdapterConfig parse_adapter_config(const Json& json, std::string_view where);

/// The file that PEFT would load to the same adapter, keys in PEFT's (sorted) order.
Json adapter_config_json(const AdapterConfig& config);

/// What one linear layer gets.
struct ModuleRule {
  int rank = 0;
  double alpha = 0.0;
  float scale = 0.0F;  ///< alpha / rank, or alpha / sqrt(rank) for rsLoRA, with the patterns applied first.
  bool dora = false;
};

/// A config made ready to match. Immutable and thread-safe.
class AdapterRules {
 public:
  /// Throws kInvalidArgument on a regular expression that RE2 refuses, or options that exclude each other.
  explicit AdapterRules(const AdapterConfig& config, std::string_view where = "adapter config");
  ~AdapterRules();
  AdapterRules(AdapterRules&&) noexcept;
  AdapterRules& operator=(AdapterRules&&) noexcept;

  /// The rule for the linear layer at `path` ("model.layers.3.mlp.up_proj"), or nullopt if it gets no adapter.
  std::optional<ModuleRule> find(std::string_view path) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace onggi::nn
