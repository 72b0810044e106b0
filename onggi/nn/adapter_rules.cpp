#include <algorithm>
#include <cmath>

#include <re2/re2.h>

#include "onggi/core/error.h"
#include "onggi/nn/adapter_config.h"

namespace onggi::nn {
namespace {

constexpr std::size_t kMaxPatternBytes = 65536;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::unique_ptr<RE2> compile(const std::string& pattern, const std::string& whole, std::string_view key,
                             std::string_view where) {
  require(
      pattern.size() <= kMaxPatternBytes, [&] { return std::string(key) + ": pattern is too long"; },
      ErrorCode::kInvalidArgument, where);
  RE2::Options options;
  options.set_log_errors(false);
  // Alone first: "a)(b" must not pass because of the brackets that we put around it.
  for (const std::string& text : {pattern, whole}) {
    auto compiled = std::make_unique<RE2>(text, options);
    require(
        compiled->ok(),
        [&] {
          return "\"" + std::string(key) + "\": regular expression \"" + pattern +
                 "\" can't be used: " + compiled->error() + " (RE2 syntax, no look-around or back-references)";
        },
        ErrorCode::kInvalidArgument, where);
    if (text == whole) return compiled;
  }
  return nullptr;
}

template <class T>
std::vector<std::unique_ptr<RE2>> compile_ends(const std::vector<std::pair<std::string, T>>& patterns,
                                               std::string_view key, std::string_view where) {
  std::vector<std::unique_ptr<RE2>> all;
  for (const auto& [pattern, number] : patterns) {
    all.push_back(compile(pattern, "(?:.*\\.)?(?:" + pattern + ")", key, where));
  }
  return all;
}

bool names_match(const std::vector<std::string>& names, std::string_view path) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    if (!path.ends_with(name)) return false;
    return path.size() == name.size() || path[path.size() - name.size() - 1] == '.';
  });
}

bool pattern_matches(const ModulePattern& pattern, const RE2* regex, std::string_view path) {
  return regex != nullptr ? RE2::FullMatch(piece(path), *regex) : names_match(pattern.names, path);
}

template <class T>
T first_match(const std::vector<std::unique_ptr<RE2>>& regexes, const std::vector<std::pair<std::string, T>>& patterns,
              std::string_view path, T fallback) {
  for (std::size_t i = 0; i < regexes.size(); ++i) {
    if (RE2::FullMatch(piece(path), *regexes[i])) return patterns[i].second;
  }
  return fallback;
}

}  // namespace

struct AdapterRules::Compiled {
  AdapterConfig config;
  std::unique_ptr<RE2> targets;
  std::unique_ptr<RE2> excluded;
  std::vector<std::unique_ptr<RE2>> layers;
  std::vector<std::unique_ptr<RE2>> ranks;
  std::vector<std::unique_ptr<RE2>> alphas;
};

AdapterRules::AdapterRules(const AdapterConfig& config, std::string_view where)
    : compiled_(std::make_unique<Compiled>()) {
  Compiled& c = *compiled_;
  c.config = config;
  const auto check = [&](bool ok, std::string_view message) {
    require(ok, message, ErrorCode::kInvalidArgument, where);
  };
  check(config.rank >= 1 && config.rank <= kMaxLoraRank, "rank must be from 1 to 4096");
  check(std::isfinite(config.alpha) && config.alpha > 0.0, "alpha must be above 0");
  check(config.all_linear || !config.targets.empty(), "no target modules: no layer would be adapted");
  check(config.layers_to_transform.empty() || (!config.all_linear && config.targets.regex.empty()),
        "layers_to_transform works with a list of target_modules only");
  check(config.layers_pattern.empty() || !config.layers_to_transform.empty(),
        "layers_pattern needs layers_to_transform");
  if (!config.targets.regex.empty()) {
    c.targets = compile(config.targets.regex, config.targets.regex, "target_modules", where);
  }
  if (!config.excluded.regex.empty()) {
    c.excluded = compile(config.excluded.regex, config.excluded.regex, "exclude_modules", where);
  }
  for (const std::string& name : config.layers_pattern) {
    c.layers.push_back(compile(name, ".*?\\.(?:" + name + ")\\.(\\d+)\\..*", "layers_pattern", where));
    check(c.layers.back()->NumberOfCapturingGroups() == 1, "layers_pattern: write (?:...) instead of (...)");
  }
  if (!config.layers_to_transform.empty() && c.layers.empty()) {
    c.layers.push_back(compile("", ".*?\\.[^.]*\\.(\\d+)\\..*", "layers_to_transform", where));
  }
  c.ranks = compile_ends(config.rank_pattern, "rank_pattern", where);
  c.alphas = compile_ends(config.alpha_pattern, "alpha_pattern", where);
}

AdapterRules::~AdapterRules() = default;
AdapterRules::AdapterRules(AdapterRules&&) noexcept = default;
AdapterRules& AdapterRules::operator=(AdapterRules&&) noexcept = default;

std::optional<ModuleRule> AdapterRules::find(std::string_view path) const {
  const Compiled& c = *compiled_;
  const AdapterConfig& config = c.config;
  if (pattern_matches(config.excluded, c.excluded.get(), path)) return std::nullopt;
  if (config.all_linear) {
    if (names_match({"lm_head"}, path)) return std::nullopt;
  } else if (!pattern_matches(config.targets, c.targets.get(), path)) {
    return std::nullopt;
  }
  const auto& names = config.targets.names;
  const bool exact = std::find(names.begin(), names.end(), path) != names.end();
  if (!config.layers_to_transform.empty() && !exact) {
    int layer = -1;
    const bool found = std::any_of(c.layers.begin(), c.layers.end(),
                                   [&](const auto& regex) { return RE2::FullMatch(piece(path), *regex, &layer); });
    const auto& wanted = config.layers_to_transform;
    if (!found || std::find(wanted.begin(), wanted.end(), layer) == wanted.end()) return std::nullopt;
  }
  ModuleRule rule;
  rule.rank = first_match(c.ranks, config.rank_pattern, path, config.rank);
  rule.alpha = first_match(c.alphas, config.alpha_pattern, path, config.alpha);
  rule.scale = static_cast<float>(rule.alpha / (config.use_rslora ? std::sqrt(rule.rank) : rule.rank));
  rule.dora = config.use_dora;
  return rule;
}

}  // namespace onggi::nn
