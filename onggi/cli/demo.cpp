#include <chrono>
#include <cstdio>
#include <filesystem>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"

namespace onggi::cli {
namespace {

struct DemoOptions {
  std::string base;
  std::string example = "examples/review-themes";
  std::string output = "onggi-demo";
  std::int64_t steps = 100;
  std::int64_t seed = 0;
  int threads = 0;
  bool full = false;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model: a GGUF file or a Hugging Face folder; empty = Gemma 3 270M from the cache.");
    field("example", example, "Folder with data/, prompts/, guide.json and split.json.");
    field("output", output, "Folder for run, answers and report; a demo that was stopped goes on there.");
    field("steps", steps, "Updates of training.");
    field("seed", seed, "Seed of every random choice.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
    field("full", full, "Train three epochs instead of --steps updates.");
  }
};

/// Runs a command as the user would type it, and shows it.
void run_shown(int (*command)(std::span<const std::string_view>), const char* name, const std::vector<std::string>& arguments) {
  std::printf("\n$ onggi %s", name);
  for (const auto& a : arguments) std::printf(" %s", a.c_str());
  std::printf("\n");
  std::fflush(stdout);
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  require(command(views) == 0, [&] { return std::string(name) + " did not succeed"; }, ErrorCode::kInternal);
}

}  // namespace

int run_demo(std::span<const std::string_view> arguments) {
  DemoOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {"onggi demo", "onggi demo --base ./my-model --output demo-mine", "onggi demo --full"};
  if (wants_help(arguments)) {
    print_help("demo [options]", "Review themes from start to end: LoRA on the base, guided answers for the test rows, the base with a long prompt\nand examples beside them, baselines, report and cards as HTML.", list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "demo takes no positional argument");
  const auto start = std::chrono::steady_clock::now();
  const std::filesystem::path example = o.example;
  require(std::filesystem::exists(example / "split.json"), "the example is not here; run from the checkout's root or give --example PATH", ErrorCode::kNotFound, o.example);
  const std::filesystem::path out = o.output;
  const std::string run = (out / (o.full ? "run-full" : "run")).string();
  const std::vector<std::string> common = {"--base", resolve_base(o.base), "--threads", std::to_string(o.threads), "--rows", (example / "data").string(),
                                           "--split", (example / "split.json").string()};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    return more;
  };
  const std::string guide = (example / "guide.json").string();
  const std::string prompt = (example / "prompts" / "2-task-format.txt").string();
  std::filesystem::create_directories(out);

  auto sft = with({"--template", prompt, "--guide", guide, "--guide-loss", "--run", run, "--seed", std::to_string(o.seed)});
  if (!o.full) sft.insert(sft.end(), {"--max-steps", std::to_string(o.steps)});
  if (!std::filesystem::exists(std::filesystem::path(run) / "result.json")) run_shown(run_sft, "sft", sft);
  const std::string tuned = (out / (o.full ? "tuned-full.jsonl" : "tuned.jsonl")).string();
  run_shown(run_generate, "generate", with({"--template", prompt, "--guide", guide, "--adapter", run + "/adapter", "--output", tuned, "--fields"}));
  const std::string joined = (out / (o.full ? "tuned-consensus-full.jsonl" : "tuned-consensus.jsonl")).string();
  run_shown(run_generate, "generate", with({"--template", prompt, "--guide", guide, "--adapter", run + "/adapter", "--output", joined, "--temperature", "1",
                                            "--samples", "8", "--batch-rows", "32", "--extractor-weight", "0.5", "--least-share", "0.25"}));
  const std::string base = (out / "base-few-shot.jsonl").string();
  run_shown(run_generate, "generate", with({"--template", (example / "prompts" / "base-few-shot.txt").string(), "--guide", guide, "--output", base}));
  run_shown(run_eval, "eval", {"--rows", (example / "data").string(), "--split", (example / "split.json").string(), "--predictions", joined, "--name", "tuned, with rules",
                               "--compare", "tuned, one answer=" + tuned, "--compare", "base, 5 examples=" + base, "--run", run, "--json", (out / "result.json").string(),
                               "--report", (out / "report.html").string(), "--cards", (out / "cards.html").string()});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("\ndone in %.0f s. Open the report: %s\n", seconds, std::filesystem::absolute(out / "report.html").c_str());
  return 0;
}

}  // namespace onggi::cli
