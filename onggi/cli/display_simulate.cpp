#include <chrono>
#include <cstdio>
#include <map>

#include "onggi/cli/command.h"
#include "onggi/cli/display.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/core/thread_pool.h"
#include "onggi/recommend/simulation.h"

namespace onggi::cli {
namespace {

using recommend::PolicySpec;
using recommend::World;

struct SimulateOptions {
  int runs = 20;
  std::int64_t steps = 100'000;
  int arms = 10;
  int threads = 0;
  std::int64_t seed = 0;
  std::string json;

  template <class V>
  void visit(V&& field) {
    field("runs", runs, "Runs of each policy in each world.");
    field("steps", steps, "Impressions a run.");
    field("arms", arms, "Cards to choose from.");
    field("threads", threads, "Threads; 0 = all cores of this process. They change no figure.");
    field("seed", seed, "Of the first run; the others follow it.");
    field("json", json, "JSON result to write.");
  }
};

struct Entrant {
  std::string name;
  PolicySpec spec;
  World world;
};

/// One table: a world, and those who run through it.
struct Scene {
  std::string title;
  std::vector<Entrant> entrants;
};

PolicySpec kind(const std::string& name) {
  PolicySpec spec;
  spec.kind = name;
  return spec;
}

World with_batch(World world, std::int64_t batch) {
  world.batch = batch;
  return world;
}

Scene stationary(const SimulateOptions& o, double best) {
  World world{.num_steps = o.steps, .rates = std::vector<double>(static_cast<std::size_t>(o.arms), 0.04)};
  world.rates[world.rates.size() / 3] = best;
  char title[100];
  std::snprintf(title, sizeof title, "One card of %.2f among others of 0.04", best);
  return {title,
          {{"thompson", kind("thompson"), world},
           {"thompson, batches of 1,000", kind("thompson"), with_batch(world, 1000)},
           {"epsilon_greedy 0.1", kind("epsilon_greedy"), world},
           {"uniform", kind("uniform"), world}}};
}

Scene delayed(const SimulateOptions& o) {
  World at_once{.num_steps = o.steps};
  for (int arm = 0; arm < o.arms; ++arm) at_once.rates.push_back(0.03 + 0.01 * arm);
  at_once.arm_every = o.steps / (o.arms + 2);
  at_once.batch = 200;
  at_once.mean_delay = 1000.0;
  World closed = at_once;
  closed.window = 4000;
  return {"Clicks come 1,000 impressions late on average; better cards join one by one; batches of 200",
          {{"thompson, counted when the window of 4,000 closes", kind("thompson"), closed},
           {"thompson, counted at once as missed", kind("thompson"), at_once},
           {"uniform", kind("uniform"), closed}}};
}

Scene moving(const SimulateOptions& o) {
  World world{.num_steps = o.steps, .rates = std::vector<double>(static_cast<std::size_t>(o.arms), 0.04)};
  world.rates[0] = 0.12;
  world.batch = 100;
  world.rotates_every = std::max<std::int64_t>(1, o.steps / 5);
  PolicySpec discounted = kind("thompson"), window = kind("thompson");
  discounted.discount = 0.98;
  window.window_batches = 50;
  return {"Another card is the best one (0.12, others 0.04) in each fifth; batches of 100",
          {{"thompson", kind("thompson"), world},
           {"thompson, discount 0.98", discounted, world},
           {"thompson, window of 50 batches", window, world},
           {"uniform", kind("uniform"), world}}};
}

Scene contextual(const SimulateOptions& o) {
  World world{.num_steps = std::min<std::int64_t>(o.steps, 20'000)};
  constexpr int kFeatures = 5;
  for (int arm = 0; arm < o.arms; ++arm) {
    world.weights.emplace_back(kFeatures, 0.0);
    world.weights.back()[static_cast<std::size_t>(arm % kFeatures)] = arm / kFeatures % 2 == 0 ? 0.9 : -0.9;
  }
  PolicySpec ucb = kind("lin_ucb"), thompson = kind("lin_thompson");
  ucb.features = thompson.features = kFeatures;
  ucb.width = 0.6;
  thompson.width = 0.3;
  return {"What is clicked depends on the context (5 numbers); at most 20,000 impressions",
          {{"lin_ucb, width 0.6", ucb, world},
           {"lin_thompson, width 0.3", thompson, world},
           {"thompson, blind to it", kind("thompson"), world},
           {"uniform", kind("uniform"), world}}};
}

using Regrets = std::map<std::string, recommend::Spread>;

Regrets run_scene(const Scene& scene, const SimulateOptions& o, ThreadPool& pool, Json& result) {
  std::printf("%s\n", scene.title.c_str());
  const auto num_runs = static_cast<std::size_t>(o.runs);
  std::vector<recommend::Run> runs(num_runs * scene.entrants.size());
  pool.run(static_cast<std::int64_t>(runs.size()), [&](std::int64_t task, int) {
    const auto i = static_cast<std::size_t>(task);
    const Entrant& entrant = scene.entrants[i / num_runs];
    runs[i] = simulate(*make_policy(entrant.spec), entrant.world, static_cast<std::uint64_t>(o.seed) + i % num_runs);
  });
  Regrets regrets;
  Json list = Json::array();
  for (std::size_t e = 0; e < scene.entrants.size(); ++e) {
    std::vector<double> values;
    for (std::size_t r = 0; r < num_runs; ++r) values.push_back(runs[e * num_runs + r].regret);
    const auto spread = recommend::spread_of(values);
    const Entrant& entrant = scene.entrants[e];
    regrets[entrant.name] = spread;
    std::printf("  %-50s %8.1f +- %.1f\n", entrant.name.c_str(), spread.mean, spread.deviation);
    list.push_back(
        {{"policy", entrant.name}, {"regret", spread.mean}, {"deviation", spread.deviation}, {"runs", values}});
  }
  std::printf("\n");
  std::fflush(stdout);
  result.push_back({{"world", scene.title}, {"policies", std::move(list)}});
  return regrets;
}

int num_failed(const std::vector<std::pair<std::string, bool>>& claims) {
  int failed = 0;
  for (const auto& [text, holds] : claims) {
    std::printf("%s %s\n", holds ? "holds:" : "FAILS:", text.c_str());
    failed += holds ? 0 : 1;
  }
  return failed;
}

}  // namespace

int run_display_simulate(std::span<const std::string_view> arguments) {
  SimulateOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {"onggi display simulate",
                                                   "onggi display simulate --runs 3 --steps 20000 --json regret.json"};
  if (wants_help(arguments)) {
    print_help(
        "display simulate [options]",
        "What policies lose against always showing the best card (mean +- standard deviation over runs), in worlds\n"
        "whose click rates are known: fixed rates, late clicks, rates that move, rates that depend on the context.",
        list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "display simulate takes no positional argument");
  require(o.runs >= 1 && o.runs <= 10'000,
          [&] { return "--runs is " + std::to_string(o.runs) + ", expected 1 to 10000"; });
  require(o.steps >= 100 && o.steps <= 100'000'000,
          [&] { return "--steps is " + std::to_string(o.steps) + ", expected 100 to 100000000"; });
  require(o.arms >= 2 && o.arms <= 1000,
          [&] { return "--arms is " + std::to_string(o.arms) + ", expected 2 to 1000"; });
  ThreadPool pool(o.threads);
  Json worlds = Json::array();
  std::printf("cumulative regret of %d runs of %lld impressions, %d cards\n\n", o.runs, static_cast<long long>(o.steps),
              o.arms);
  const auto near = run_scene(stationary(o, 0.06), o, pool, worlds);
  const auto far = run_scene(stationary(o, 0.08), o, pool, worlds);
  const auto late = run_scene(delayed(o), o, pool, worlds);
  const auto drift = run_scene(moving(o), o, pool, worlds);
  const auto context = run_scene(contextual(o), o, pool, worlds);
  const auto mean = [](const Regrets& regrets, const std::string& name) { return regrets.at(name).mean; };
  const std::string batched = "thompson, batches of 1,000";
  const int failed = num_failed({
      {"thompson loses under a third of uniform, best card 0.06", mean(near, "thompson") < mean(near, "uniform") / 3},
      {"thompson loses under a third of uniform, best card 0.08", mean(far, "thompson") < mean(far, "uniform") / 3},
      {"thompson loses less than epsilon_greedy, best card 0.08",
       mean(far, "thompson") < mean(far, "epsilon_greedy 0.1")},
      {"batches cost thompson less than half again, best card 0.06",
       mean(near, batched) < 1.5 * mean(near, "thompson")},
      {"batches cost thompson less than half again, best card 0.08", mean(far, batched) < 1.5 * mean(far, "thompson")},
      {"counting when the window closes loses less than counting at once",
       mean(late, "thompson, counted when the window of 4,000 closes") <
           mean(late, "thompson, counted at once as missed")},
      {"a discount loses less where rates move", mean(drift, "thompson, discount 0.98") < mean(drift, "thompson")},
      {"lin_ucb loses less than a blind policy",
       mean(context, "lin_ucb, width 0.6") < mean(context, "thompson, blind to it")},
      {"lin_thompson loses less than a blind policy",
       mean(context, "lin_thompson, width 0.3") < mean(context, "thompson, blind to it")},
  });
  if (!o.json.empty()) write_file_atomic(o.json, dump_json(worlds, 1) + "\n");
  if (failed > 0) std::printf("\n%d of these fail; they are claims about 20 runs of 100,000 impressions\n", failed);
  return failed > 0 ? 1 : 0;
}

}  // namespace onggi::cli
