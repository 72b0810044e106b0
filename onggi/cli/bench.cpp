#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <numeric>

#include <sys/resource.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/core/options.h"
#include "onggi/core/random.h"
#include "onggi/kernels/peaks.h"
#include "onggi/models/adapter_io.h"
#include "onggi/runtime/generator.h"
#include "onggi/tasks/sft/adapter_init.h"
#include "onggi/tasks/text_rows.h"
#include "onggi/train/sft_step.h"

namespace onggi::cli {
namespace {

struct BenchOptions {
  std::string base;
  int threads = 0;
  int runs = 5;
  int rank = 16;
  std::vector<std::string> rows;
  std::string prompt;
  std::string guide;
  std::string adapter;
  bool json = false;
  bool skip_training = false;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
    field("runs", runs, "Timed runs of each figure, after one warm-up; the median is reported.");
    field("rank", rank, "LoRA rank of the training figure.");
    field("rows", rows, "Rows for the guided figures (repeatable); with --template and --guide.");
    field("template", prompt, "Prompt template of the guided figures.");
    field("guide", guide, "Guide of the guided figures.");
    field("adapter", adapter, "PEFT folder for the guided figures; empty = the base alone.");
    field("json", json, "One JSON object instead of the table.");
    field("skip_training", skip_training, "Leave the training figure out.");
  }
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Timing {
  double median = 0.0;
  double lowest = 0.0;
  double highest = 0.0;
};

Timing time_runs(int runs, const std::function<void()>& work) {
  work();
  std::vector<double> seconds;
  for (int i = 0; i < runs; ++i) seconds.push_back(seconds_of(work));
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

/// Ids that stand for text: uniform over the vocabulary's ordinary tokens, fixed seed.
std::vector<int> random_ids(const text::Tokenizer& tokenizer, std::size_t count, std::uint64_t stream) {
  std::vector<int> ids;
  for (std::uint64_t i = 0; ids.size() < count; ++i) {
    const auto id = static_cast<int>(uniform_int(7, stream, i, static_cast<std::uint64_t>(tokenizer.vocab_size())));
    if (!tokenizer.is_control(id)) ids.push_back(id);
  }
  return ids;
}

/// One forward pass of rows that continue `sequences` by one token each (or by `ids`).
void feed(Session& s, std::vector<nn::KvSequence>& sequences, const std::vector<std::vector<int>>& ids, models::Head& head,
          nn::FloatBuffer& h, nn::FloatBuffer& logits) {
  models::Batch batch;
  std::vector<std::int64_t> last;
  for (std::size_t r = 0; r < sequences.size(); ++r) {
    batch.rows.push_back({&sequences[r], batch.num_tokens(), static_cast<int>(ids[r].size())});
    batch.tokens.insert(batch.tokens.end(), ids[r].begin(), ids[r].end());
    last.push_back(batch.num_tokens() - 1);
  }
  s.decoder->forward(*s.context, batch, nullptr, h);
  head.logits(*s.context, h, last, nullptr, logits);
}

/// Answers one after the other.
double answer_all(runtime::Generator& generator, std::span<const runtime::Request> requests) {
  return seconds_of([&] {
    for (const auto& request : requests) generator.run({&request, 1}, [](runtime::Answer&&) {});
  });
}

struct GuidedFigures {
  double decode_tokens_per_s = 0.0;  ///< Batch 1, tokens after the first, the guide's forced ones included.
  double job_rows_per_s = 0.0;       ///< 16 rows side by side, from prompts to whole answers.
  double answer_tokens = 0.0;        ///< Of a row, on average.
  double forced_share = 0.0;
};

/// The first 16 rows through template, guide and adapter, as `onggi generate` runs them.
GuidedFigures measure_guided(Session& s, const BenchOptions& o) {
  constexpr std::size_t kRows = 16;
  const auto rows = tasks::read_all_rows(o.rows, {});
  require(rows.size() >= kRows, [&] { return "the guided figures need 16 rows, found " + std::to_string(rows.size()); });
  const auto prompt = datasets::PromptTemplate::load(o.prompt);
  const auto texts = tasks::make_text_set(std::span(rows).first(kRows), prompt, false);
  const auto guide = decode::compile_guide(parse_json(read_file(o.guide), o.guide), s.tokenizer);
  std::optional<nn::Adapter> adapter;
  if (!o.adapter.empty()) adapter = models::adapter_from_files(*s.context, *s.decoder, nn::read_adapter(o.adapter), o.adapter);
  std::vector<runtime::Request> requests;
  for (std::size_t r = 0; r < kRows; ++r) {
    requests.push_back({.index = static_cast<std::int64_t>(r), .prompt = tasks::encode_prompt(*s.tokenizer, texts.rows[r].prompt), .slots = texts.rows[r].slots});
  }
  const auto prefix = tasks::encode_prefix(*s.tokenizer, texts.prefix);
  const std::span<const nn::Adapter> adapters(adapter ? &*adapter : nullptr, adapter ? 1 : 0);
  const auto make = [&](int batch_rows, int max_new_tokens) {
    return runtime::Generator(*s.context, *s.decoder, *s.tokenizer, adapters, guide, prefix,
                              {.batch_rows = batch_rows, .max_new_tokens = max_new_tokens});
  };
  GuidedFigures figures;
  auto job = make(kRows, 256);
  figures.job_rows_per_s = kRows / time_runs(o.runs, [&] { job.run(requests, [](runtime::Answer&&) {}); }).median;
  const auto& counts = job.counts();
  figures.answer_tokens = static_cast<double>(counts.generated_tokens) / ((o.runs + 1) * static_cast<double>(kRows));
  figures.forced_share = static_cast<double>(counts.forced_tokens) / static_cast<double>(counts.generated_tokens);
  // Decoding alone: whole answers less answers that end at their first token.
  auto whole = make(1, 256);
  auto first = make(1, 1);
  std::vector<double> seconds;
  for (int i = 0; i <= o.runs; ++i) {
    const double to_first = answer_all(first, requests);
    const double all = answer_all(whole, requests);
    if (i > 0) seconds.push_back(all - to_first);
  }
  std::sort(seconds.begin(), seconds.end());
  figures.decode_tokens_per_s = kRows * (figures.answer_tokens - 1.0) / seconds[seconds.size() / 2];
  return figures;
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

int run_bench(std::span<const std::string_view> arguments) {
  BenchOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {
      "onggi bench", "onggi bench --base model.gguf --threads 2 --json",
      "onggi bench --rows examples/review-themes/data --template examples/review-themes/prompts/2-task-format.txt \\\n"
      "              --guide examples/review-themes/guide.json --adapter runs/first/adapter"};
  if (wants_help(arguments)) {
    print_help("bench [options]", "Measures prefill, decoding, the target job (16 rows x 128 tokens in, 32 out) and LoRA training,\nand this machine's peaks in the same run.\nWith --rows, --template and --guide also decoding and the job under a guide, on the first 16 rows.", list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "bench takes no positional argument; the model is --base PATH");
  require(o.runs >= 1, "--runs must be at least 1");
  require(o.rank >= 1 && o.rank <= 4096, "--rank must be 1 to 4096");
  const bool is_guided = !o.rows.empty() || !o.prompt.empty() || !o.guide.empty();
  require(!is_guided || (!o.rows.empty() && !o.prompt.empty() && !o.guide.empty()), "the guided figures need --rows, --template and --guide together");

  Session s = open_session(o.base, o.threads, models::Compute::kInt8);
  const auto peaks = kernels::measure_peaks(s.pool->num_threads());
  models::Head head(*s.decoder);
  nn::FloatBuffer h;
  nn::FloatBuffer logits;
  const auto& config = s.decoder->config();
  double linear_parameters = 0.0;
  for (const auto& layer : s.decoder->layers()) {
    for (const auto& linear : layer.linears) linear_parameters += static_cast<double>(linear.weight.rows * linear.weight.columns);
  }
  double linear_bytes = 0.0;
  for (const auto& layer : s.decoder->layers()) {
    for (const auto& linear : layer.linears) linear_bytes += static_cast<double>(linear.weight.rows * linear.weight.row_bytes);
  }
  const double head_bytes = static_cast<double>(s.decoder->head().rows * s.decoder->head().row_bytes);
  const double head_parameters = static_cast<double>(s.decoder->head().rows * s.decoder->head().columns);

  const auto prompt = random_ids(*s.tokenizer, 512, 1);
  const Timing prefill = time_runs(o.runs, [&] {
    std::vector<nn::KvSequence> sequences(1, nn::KvSequence(s.decoder->kv_shape()));
    feed(s, sequences, {prompt}, head, h, logits);
  });

  constexpr int kDecodeTokens = 128;
  const auto one = random_ids(*s.tokenizer, kDecodeTokens + 1, 2);
  const Timing decode = time_runs(o.runs, [&] {
    std::vector<nn::KvSequence> sequences(1, nn::KvSequence(s.decoder->kv_shape()));
    for (int t = 0; t < kDecodeTokens; ++t) feed(s, sequences, {{one[static_cast<std::size_t>(t)]}}, head, h, logits);
  });

  constexpr int kJobRows = 16;
  constexpr int kJobIn = 128;
  constexpr int kJobOut = 32;
  std::vector<std::vector<int>> rows;
  for (int r = 0; r < kJobRows; ++r) rows.push_back(random_ids(*s.tokenizer, kJobIn, 10 + static_cast<std::uint64_t>(r)));
  const Timing job = time_runs(o.runs, [&] {
    std::vector<nn::KvSequence> sequences(kJobRows, nn::KvSequence(s.decoder->kv_shape()));
    feed(s, sequences, rows, head, h, logits);
    std::vector<std::vector<int>> next(kJobRows, std::vector<int>(1));
    for (int t = 1; t < kJobOut; ++t) {
      for (int r = 0; r < kJobRows; ++r) next[static_cast<std::size_t>(r)][0] = rows[static_cast<std::size_t>(r)][static_cast<std::size_t>(t)];
      feed(s, sequences, next, head, h, logits);
    }
  });

  const GuidedFigures guided = is_guided ? measure_guided(s, o) : GuidedFigures();

  double training_tokens_per_s = 0.0;
  double training_flops_per_token = 0.0;
  if (!o.skip_training) {
    // Rows in the shape of the review-theme job: 35 shared + 53 own prompt tokens, 24 answer tokens.
    Session t = open_session(o.base, o.threads, models::Compute::kF32);
    nn::Adapter adapter = tasks::make_lora(*t.context, *t.decoder, {.rank = o.rank, .alpha = 2.0F * static_cast<float>(o.rank)}, 0);
    train::ExampleSet set;
    set.prefix = random_ids(*t.tokenizer, 35, 100);
    std::vector<std::size_t> indices;
    for (std::size_t r = 0; r < 8; ++r) {
      set.examples.push_back({random_ids(*t.tokenizer, 53, 200 + r), random_ids(*t.tokenizer, 24, 300 + r), {}, 0});
      indices.push_back(r);
    }
    train::SupervisedStep step(*t.context, *t.decoder, &adapter, nullptr);
    const Timing training = time_runs(o.runs, [&] {
      adapter.zero_gradients();
      step.accumulate(set, indices, set.num_scored());
    });
    training_tokens_per_s = static_cast<double>(set.num_tokens()) / training.median;
    const double computed = static_cast<double>(step.num_computed_tokens()) / (o.runs + 1);
    training_flops_per_token = (4.0 * linear_parameters * computed + 4.0 * head_parameters * static_cast<double>(set.num_scored())) /
                               static_cast<double>(set.num_tokens());
  }

  const double prefill_rate = 512.0 / prefill.median;
  const double decode_rate = kDecodeTokens / decode.median;
  Json out;
  out["base"] = s.checkpoint->path().string();
  out["isa"] = std::string(s.context->kernels().isa);
  out["threads"] = s.pool->num_threads();
  out["runs"] = o.runs;
  out["prefill_tokens_per_s"] = prefill_rate;
  out["decode_tokens_per_s"] = decode_rate;
  out["target_job_rows_per_s"] = kJobRows / job.median;
  if (is_guided) {
    out["guided_decode_tokens_per_s"] = guided.decode_tokens_per_s;
    out["guided_job_rows_per_s"] = guided.job_rows_per_s;
    out["guided_answer_tokens"] = guided.answer_tokens;
    out["guided_forced_share"] = guided.forced_share;
  }
  if (!o.skip_training) out["training_tokens_per_s"] = training_tokens_per_s;
  out["peak_memory_bytes"] = peak_memory_bytes();
  for (const auto& [name, timing] : {std::pair("prefill_s", prefill), std::pair("decode_s", decode), std::pair("target_job_s", job)}) {
    out["spread"][name] = {timing.lowest, timing.highest};
  }
  out["peaks"] = {{"f32_flops", peaks.f32_flops}, {"bf16_flops", peaks.bf16_flops}, {"int8_ops", peaks.int8_ops}, {"read_bytes_per_s", peaks.read_bytes_per_s}};
  Json share;
  share["prefill_of_int8"] = prefill_rate * 2.0 * linear_parameters / peaks.int8_ops;
  share["decode_of_read_bandwidth"] = decode_rate * (linear_bytes + head_bytes) / peaks.read_bytes_per_s;
  if (!o.skip_training) share["training_of_f32"] = training_tokens_per_s * training_flops_per_token / peaks.f32_flops;
  out["share_of_peak"] = share;
  if (o.json) {
    std::printf("%s\n", dump_json(out).c_str());
    return 0;
  }
  std::printf("%s, %d layers, %.0f M parameters; %s, %d threads, median of %d runs\n\n", config.architecture.c_str(), config.num_layers,
              static_cast<double>(s.decoder->num_parameters()) / 1e6, std::string(s.context->kernels().isa).c_str(), s.pool->num_threads(), o.runs);
  std::printf("prefill 512            %10.1f tokens/s   %5.1f %% of the int8 peak\n", prefill_rate, 100.0 * share["prefill_of_int8"].get<double>());
  std::printf("decode, batch 1        %10.1f tokens/s   %5.1f %% of the read bandwidth\n", decode_rate, 100.0 * share["decode_of_read_bandwidth"].get<double>());
  std::printf("16 x (128 in, 32 out)  %10.2f rows/s\n", kJobRows / job.median);
  if (is_guided) {
    std::printf("guided decode, batch 1 %10.1f tokens/s   %5.1f %% forced\n", guided.decode_tokens_per_s, 100.0 * guided.forced_share);
    std::printf("guided job, 16 rows    %10.2f rows/s     %5.1f tokens an answer\n", guided.job_rows_per_s, guided.answer_tokens);
  }
  if (!o.skip_training) {
    std::printf("LoRA r=%-3d training    %10.1f tokens/s   %5.1f %% of the f32 peak\n", o.rank, training_tokens_per_s, 100.0 * share["training_of_f32"].get<double>());
  }
  std::printf("peak memory            %10.0f MB\n\n", static_cast<double>(peak_memory_bytes()) / 1e6);
  std::printf("this machine: f32 %.0f GFLOP/s, int8 %.0f GOP/s, read %.1f GB/s\n", peaks.f32_flops / 1e9, peaks.int8_ops / 1e9, peaks.read_bytes_per_s / 1e9);
  return 0;
}

}  // namespace onggi::cli
