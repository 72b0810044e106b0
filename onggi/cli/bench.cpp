#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <numeric>

#include <sys/resource.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/core/options.h"
#include "onggi/core/random.h"
#include "onggi/kernels/peaks.h"
#include "onggi/runtime/generator.h"
#include "onggi/tasks/sft/adapter_init.h"
#include "onggi/train/sft_step.h"

namespace onggi::cli {
namespace {

struct BenchOptions {
  std::string base;
  int threads = 0;
  int runs = 5;
  int rank = 16;
  bool json = false;
  bool skip_training = false;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
    field("runs", runs, "Timed runs of each figure, after one warm-up; the median is reported.");
    field("rank", rank, "LoRA rank of the training figure.");
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

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

int run_bench(std::span<const std::string_view> arguments) {
  BenchOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {"onggi bench", "onggi bench --base model.gguf --threads 2 --json"};
  if (wants_help(arguments)) {
    print_help("bench [options]", "Measures prefill, decoding, the target job (16 rows x 128 tokens in, 32 out) and LoRA training,\nand this machine's peaks in the same run.", list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "bench takes no positional argument; the model is --base PATH");
  require(o.runs >= 1, "--runs must be at least 1");

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
  if (!o.skip_training) {
    std::printf("LoRA r=%-3d training    %10.1f tokens/s   %5.1f %% of the f32 peak\n", o.rank, training_tokens_per_s, 100.0 * share["training_of_f32"].get<double>());
  }
  std::printf("peak memory            %10.0f MB\n\n", static_cast<double>(peak_memory_bytes()) / 1e6);
  std::printf("this machine: f32 %.0f GFLOP/s, int8 %.0f GOP/s, read %.1f GB/s\n", peaks.f32_flops / 1e9, peaks.int8_ops / 1e9, peaks.read_bytes_per_s / 1e9);
  return 0;
}

}  // namespace onggi::cli
