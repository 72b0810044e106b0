#include <cstdio>
#include <filesystem>

#include "onggi/cli/command.h"
#include "onggi/cli/display.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/recommend/off_policy.h"

namespace onggi::cli {
namespace {

struct EvaluateOptions {
  std::string log;
  std::string policy;
  std::string on_policy;
  double learn_share = 0.0;
  std::string model = "means";
  double strength = 50.0;
  double penalty = 1.0;
  double clip = 10.0;
  int resamples = 10'000;
  double level = 0.95;
  double min_effective_sample = 100.0;
  double max_unsupported = 0.01;
  std::int64_t seed = 0;
  int threads = 0;
  std::string json;

  template <class V>
  void visit(V&& field) {
    field("log", log, "The log: JSON Lines of `onggi display log`, or CSV.");
    field("policy", policy,
          "uniform; a policy's JSON file; frequency:FILE = what the policy of that log did on average.");
    field("on_policy", on_policy,
          "A log that this policy wrote itself: its click rate is the truth for relative errors.");
    field("learn_share", learn_share,
          "Of a spec: so much of the log, from its beginning, teaches the policy, the rest judges it; 0 = untaught.");
    field("model", model, "Reward model of dm and dr: means (arm and slot) or logistic (also the context).");
    field("strength", strength, "Of means: impressions' worth of the slot's rate that each arm is held to.");
    field("penalty", penalty, "Of logistic: what weights are held to 0 by.");
    field("clip", clip, "Largest weight of ipw_clipped; switch_dr leaves the model's word where a weight is larger.");
    field("resamples", resamples, "Of the intervals, over units.");
    field("level", level, "Of the intervals.");
    field("min_effective_sample", min_effective_sample, "A smaller effective sample is refused.");
    field("max_unsupported", max_unsupported,
          "Share of the policy's impressions of what the log never has there; more is refused.");
    field("seed", seed, "Of resamples and folds.");
    field("threads", threads, "Threads; 0 = all cores of this process. They change no figure.");
    field("json", json, "JSON result to write.");
  }
};

std::shared_ptr<const recommend::Policy> open_policy(const EvaluateOptions& o, const recommend::LogOptions& log_options,
                                                     recommend::LoggedData& log) {
  constexpr std::string_view kFrequency = "frequency:";
  if (o.policy == "uniform") return recommend::make_fixed_policy({})->freeze();
  if (o.policy.starts_with(kFrequency))
    return recommend::frequency_policy(recommend::read_log(o.policy.substr(kFrequency.size()), log_options), log);
  if (o.learn_share == 0.0) return recommend::read_policy(o.policy, log);
  const auto lessons = recommend::take_lessons(log, o.learn_share);
  return recommend::read_policy(o.policy, log, lessons);
}

}  // namespace

int run_display_evaluate(std::span<const std::string_view> arguments) {
  EvaluateOptions o;
  recommend::LogOptions log_options;
  OptionList list(o, log_options);
  static constexpr std::string_view kExamples[] = {
      "onggi display evaluate --log shown.jsonl --policy uniform",
      "onggi display evaluate --log shown.jsonl --policy new.json --learn-share 0.5 --json result.json",
      "onggi display evaluate --log random_men.csv --policy frequency:bts_men.csv --on-policy bts_men.csv"};
  if (wants_help(arguments)) {
    print_help(
        "display evaluate --log FILE --policy POLICY [options]",
        "What a policy would have earned in place of the one that wrote the log: IPW, SNIPW, DM, DR and kin with\n"
        "intervals, the effective sample and what is out of the log's reach. Where the log can't say it the status is "
        "1.",
        list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "display evaluate takes no positional argument; the log is --log FILE");
  require(!o.log.empty(), "--log is missing: the log of what was shown");
  require(!o.policy.empty(), "--policy is missing: uniform, frequency:FILE or a policy's JSON file");
  require(o.strength > 0.0 && o.penalty > 0.0 && o.clip > 0.0,
          "--strength, --penalty and --clip: expected more than 0");
  require(o.level > 0.0 && o.level < 1.0, "--level: expected a number between 0 and 1");
  require(o.resamples >= 1 && o.resamples <= 1'000'000,
          [&] { return "--resamples is " + std::to_string(o.resamples) + ", expected 1 to 1000000"; });
  auto log = recommend::read_log(o.log, log_options);
  const auto policy = open_policy(o, log_options, log);
  recommend::OffPolicyOptions options{
      .estimators = {.clip = o.clip, .num_resamples = o.resamples, .level = o.level, .seed = o.seed},
      .reward_model = {.kind = o.model, .strength = o.strength, .penalty = o.penalty, .seed = o.seed},
      .min_effective_sample = o.min_effective_sample,
      .max_unsupported = o.max_unsupported};
  if (!o.on_policy.empty()) options.truth = recommend::read_log(o.on_policy, log_options).mean_reward();
  ThreadPool pool(o.threads);
  const auto result = recommend::evaluate_policy(log, *policy, options, pool);
  std::fputs(result.to_text().c_str(), stdout);
  if (options.truth > 0.0) std::printf("\nthe policy's own log: %.6f\n", options.truth);
  if (log.num_open > 0)
    std::printf("\n%lld impressions whose window is open are left out\n", static_cast<long long>(log.num_open));
  if (!o.json.empty()) write_file_atomic(o.json, dump_json(result.to_json(), 1) + "\n");
  require(
      result.refusals.empty(), [&] { return "the log does not support this policy: " + result.refusals[0]; },
      ErrorCode::kUnavailable, o.log);
  return 0;
}

}  // namespace onggi::cli
