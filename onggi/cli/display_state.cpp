// What `onggi display` does to a state folder besides serving it: policies, promotions, the log.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "onggi/cli/command.h"
#include "onggi/cli/display.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/recommend/display_log.h"

namespace onggi::cli {
namespace {

struct StateOptions {
  std::string state;

  template <class V>
  void visit(V&& field) {
    field("state", state, "Folder of the server's log.");
  }
};

recommend::DisplayLog open_log(const StateOptions& o) {
  require(!o.state.empty(), "--state is missing: the folder of the server's log");
  const auto path = std::filesystem::path(o.state) / "display.sqlite";
  require(std::filesystem::exists(path), "there is no log of a display server", ErrorCode::kNotFound, path.string());
  return recommend::DisplayLog(path);
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string time_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

struct NewPolicyOptions {
  std::string spec;
  std::string note;
  double prior_strength = 0.0;

  template <class V>
  void visit(V&& field) {
    field("spec", spec,
          "JSON file of the options below; flags come after it. Neither it nor they: lists what there is.");
    field("note", note, "What a reader of the list should know.");
    field("prior_strength", prior_strength,
          "The prior is the click rate of all cards so far, weighing so many impressions (20 to 100); 0 = as given.");
  }
};

/// The click rate of everything that has been counted; at least one click is needed.
void pool_prior(recommend::DisplayLog& log, double strength, recommend::PolicySpec& spec) {
  const auto counted = log.counted();
  const auto shown = static_cast<double>(counted.shown), clicks = static_cast<double>(counted.clicks);
  require(clicks > 0.0 && clicks < shown, [&] {
    return "--prior-strength needs a click rate between 0 and 1, the log has " + Json(clicks).dump() + " clicks of " +
           Json(shown).dump() + " impressions counted; give --prior-clicks and --prior-misses";
  });
  spec.prior_clicks = strength * clicks / shown;
  spec.prior_misses = strength - spec.prior_clicks;
}

void print_policies(recommend::DisplayLog& log) {
  const auto live = log.live();
  for (const auto& p : log.policies())
    std::printf("%c %lld  %s  %s%s%s\n", live == p.version ? '*' : ' ', static_cast<long long>(p.version),
                time_text(p.created_at_ms).c_str(), dump_json(to_json(p.spec)).c_str(), p.note.empty() ? "" : "  ",
                p.note.c_str());
  for (const auto& p : log.promotions())
    std::printf("%s UTC  %s %lld\n", time_text(p.at_ms).c_str(), p.is_rollback ? "rolled back to" : "promoted",
                static_cast<long long>(p.version));
}

}  // namespace

int run_display_policy(std::span<const std::string_view> arguments) {
  StateOptions state;
  NewPolicyOptions o;
  recommend::PolicySpec spec;
  OptionList list(state, o, spec);
  static constexpr std::string_view kExamples[] = {
      "onggi display policy --state shop                                            # lists versions; * is live",
      "onggi display policy --state shop --kind thompson --prior-strength 50 --floor 0.05 --note \"first real one\"",
      "onggi display policy --state shop --kind lin_ucb --features 8 --width 0.5"};
  if (wants_help(arguments)) {
    print_help(
        "display policy --state FOLDER [--kind KIND] [options]",
        "Adds a version of a policy and prints its number. A version never changes; nothing is shown by it until it\n"
        "is promoted. Without further options: lists versions and promotions.",
        list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "display policy takes no positional argument");
  auto log = open_log(state);
  const bool is_listing =
      o.spec.empty() && o.note.empty() && o.prior_strength == 0.0 && to_json(spec) == to_json(recommend::PolicySpec{});
  const bool names_kind =
      std::ranges::any_of(arguments, [](std::string_view a) { return a == "--kind" || a.starts_with("--kind="); });
  if (is_listing && !names_kind) {
    print_policies(log);
    return 0;
  }
  if (!o.spec.empty()) {
    const std::string path = o.spec;
    spec = recommend::policy_spec(parse_json(read_file(path, 1 << 20), path), path);
    list.parse_flags(arguments);
  }
  require(o.prior_strength >= 0.0 && o.prior_strength <= 1e6,
          [&] { return "--prior-strength is " + Json(o.prior_strength).dump() + ", expected 0 to 1e6"; });
  if (o.prior_strength > 0.0) pool_prior(log, o.prior_strength, spec);
  std::printf("%lld\n", static_cast<long long>(log.add_policy(spec, o.note, now_ms())));
  return 0;
}

int run_display_promote(std::span<const std::string_view> arguments) {
  StateOptions state;
  OptionList list(state);
  static constexpr std::string_view kExamples[] = {"onggi display promote 2 --state shop"};
  if (wants_help(arguments)) {
    print_help(
        "display promote VERSION --state FOLDER",
        "Makes a version of a policy live. A server that runs takes it over within a second, with all that the log\n"
        "has to teach it.",
        list.help_text(), kExamples);
    return 0;
  }
  const auto words = list.parse_flags(arguments);
  std::int64_t version = 0;
  const bool is_number =
      words.size() == 1 && std::from_chars(words[0].data(), words[0].data() + words[0].size(), version).ptr ==
                               words[0].data() + words[0].size();
  require(is_number && !words[0].empty(), "expected one version: onggi display promote VERSION --state FOLDER");
  open_log(state).promote(version, now_ms());
  std::printf("version %lld is live\n", static_cast<long long>(version));
  return 0;
}

int run_display_rollback(std::span<const std::string_view> arguments) {
  StateOptions state;
  OptionList list(state);
  static constexpr std::string_view kExamples[] = {"onggi display rollback --state shop"};
  if (wants_help(arguments)) {
    print_help("display rollback --state FOLDER",
               "Makes the version live that was so before the last promotion; again: the one before that.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "display rollback takes no positional argument");
  const auto version = open_log(state).roll_back(now_ms());
  std::printf("version %lld is live again\n", static_cast<long long>(version));
  return 0;
}

int run_display_log(std::span<const std::string_view> arguments) {
  StateOptions state;
  OptionList list(state);
  static constexpr std::string_view kExamples[] = {"onggi display log --state shop > shown.jsonl"};
  if (wants_help(arguments)) {
    print_help("display log --state FOLDER",
               "Every impression as a line of JSON, in order (docs/formats/display_log.md). A server may be running.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "display log takes no positional argument");
  open_log(state).each_line([](const std::string& line) { std::puts(line.c_str()); });
  return 0;
}

int run_display_verify(std::span<const std::string_view> arguments) {
  StateOptions state;
  OptionList list(state);
  static constexpr std::string_view kExamples[] = {"onggi display verify --state shop"};
  if (wants_help(arguments)) {
    print_help("display verify --state FOLDER",
               "Chooses every card of the log again, from the policy's version, what it had learnt by then and the "
               "seed: card\n"
               "and propensity must be the same to the bit.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "display verify takes no positional argument");
  auto log = open_log(state);
  const auto result = verify(log);
  require(
      result.differing.empty(),
      [&] {
        return std::to_string(result.differing.size()) + " of " + std::to_string(result.num_impressions) +
               " impressions are not what is computed again, the first of them " + result.differing[0];
      },
      ErrorCode::kCorrupt, log.database().path());
  std::printf("%lld impressions: cards and propensities are the same again\n",
              static_cast<long long>(result.num_impressions));
  return 0;
}

}  // namespace onggi::cli
