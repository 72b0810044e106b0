#include "onggi/tasks/sft/sft.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/models/adapter_io.h"
#include "onggi/tasks/sft/adapter_init.h"
#include "onggi/train/checkpoint.h"
#include "onggi/train/memory_plan.h"
#include "onggi/train/optimizer.h"
#include "onggi/train/progress.h"
#include "onggi/train/run_folder.h"
#include "onggi/train/sampler.h"
#include "onggi/train/schedule.h"

namespace onggi::tasks {
namespace {

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

nn::AdapterConfig adapter_config(const SftOptions& o, const std::string& base) {
  nn::AdapterConfig config;
  config.base_model = base;
  config.rank = o.rank;
  config.alpha = static_cast<double>(o.alpha);
  config.use_rslora = o.method == "rslora";
  config.use_dora = o.method == "dora";
  config.all_linear = o.targets.empty();
  config.targets.names = o.targets;
  return config;
}

/// One run from plan to kept adapter; members are what survives from step to step.
class SftRun {
 public:
  SftRun(const SftOptions& options, SftInput& input) : options_(options), input_(input) {}

  SftResult run();

 private:
  void encode();
  void make_model();
  void make_plan();
  void print_plan();
  double evaluate();
  void keep_if_best(std::int64_t step, double eval_loss);
  void write_kept(std::int64_t step, double eval_loss);
  double step(const train::PlanStep& plan, double rate, double& norm);
  void save(const train::InputHashes& identity, std::int64_t done);
  void check_same_run(const train::Manifest& manifest) const;
  void say(std::string_view text) const {
    if (input_.write) input_.write(text);
  }

  const SftOptions& options_;
  SftInput& input_;
  train::ExampleSet train_;
  train::ExampleSet validation_;
  std::unique_ptr<models::HeadSubset> subset_;
  nn::Adapter adapter_;
  std::unique_ptr<train::SupervisedStep> supervised_;
  std::unique_ptr<train::AdamW> optimizer_;
  train::TrainPlan plan_;
  train::Schedule schedule_;
  double best_loss_ = std::numeric_limits<double>::infinity();
  std::int64_t best_step_ = 0;
  int evaluations_without_gain_ = 0;
  double train_loss_ = 0.0;
};

void SftRun::encode() {
  std::vector<int> columns;
  const decode::Guide* guide = nullptr;
  if (options_.guide_loss) {
    require(input_.guide != nullptr, "guide_loss needs a guide (--guide FILE)");
    guide = input_.guide.get();
    const std::array<const TextSet*, 2> sets = {&input_.train, &input_.validation};
    columns = guide_columns(*guide, sets);
  }
  EncodeReport report;
  train_ = encode_examples(input_.tokenizer, input_.train, options_.max_tokens, guide, columns, report);
  validation_ = encode_examples(input_.tokenizer, input_.validation, options_.max_tokens, guide, columns, report);
  require(!train_.examples.empty(), "no training row is left: all are longer than --max-tokens " + std::to_string(options_.max_tokens));
  if (report.num_too_long > 0) {
    say("left out " + std::to_string(report.num_too_long) + " rows longer than " + std::to_string(options_.max_tokens) + " tokens (--max-tokens)\n");
  }
  if (report.num_unreachable > 0) {
    say("left out " + std::to_string(report.num_unreachable) + " rows whose answer the guide can't produce, the first: " + report.first_unreachable + "\n");
  }
  if (guide != nullptr) subset_ = std::make_unique<models::HeadSubset>(input_.context, input_.decoder, std::move(columns));
}

void SftRun::make_model() {
  const bool full = options_.method == "full";
  require(full || options_.method == "lora" || options_.method == "rslora" || options_.method == "dora",
          [&] { return "method is \"" + options_.method + "\", expected lora, rslora, dora or full"; });
  require(!full, "method full trains from code (Decoder::make_trainable); the command trains adapters: lora, rslora or dora");
  adapter_ = make_lora(input_.context, input_.decoder,
                       {.rank = options_.rank, .alpha = options_.alpha, .rslora = options_.method == "rslora",
                        .dora = options_.method == "dora", .targets = options_.targets},
                       static_cast<std::uint64_t>(options_.seed));
  adapter_.zero_gradients();
  supervised_ = std::make_unique<train::SupervisedStep>(input_.context, input_.decoder, &adapter_, subset_.get(),
                                                        train::StepOptions{.max_pass_tokens = options_.pass_tokens});
  optimizer_ = std::make_unique<train::AdamW>(adapter_.parameters(), train::AdamWOptions{.weight_decay = options_.weight_decay});
}

void SftRun::make_plan() {
  std::vector<train::RowSize> sizes;
  const auto prefix = static_cast<std::int64_t>(train_.prefix.size());
  for (const auto& e : train_.examples) sizes.push_back({prefix + e.num_tokens(), e.num_scored()});
  plan_ = train::make_plan(sizes, {.seed = static_cast<std::uint64_t>(options_.seed), .batch_rows = options_.batch_rows,
                                   .epochs = options_.epochs, .max_steps = options_.max_steps});
  const auto total = static_cast<std::int64_t>(plan_.steps.size());
  schedule_ = {.kind = train::schedule_kind(options_.schedule), .peak = options_.learning_rate, .total_steps = total,
               .warmup_steps = static_cast<std::int64_t>(std::llround(options_.warmup_share * static_cast<double>(total)))};
  if (schedule_.kind == train::ScheduleKind::kWsd) schedule_.decay_steps = total / 5;
  schedule_.check();
}

void SftRun::print_plan() {
  const auto& c = input_.decoder.config();
  std::int64_t weight_bytes = 0;
  for (const auto& t : input_.decoder.checkpoint().tensors()) weight_bytes += static_cast<std::int64_t>(t.data.size());
  std::int64_t trainable = 0;
  for (const auto* p : adapter_.parameters()) trainable += static_cast<std::int64_t>(p->value.size());
  std::int64_t longest = 0;
  std::int64_t scored = 0;
  for (const auto& e : train_.examples) longest = std::max(longest, static_cast<std::int64_t>(train_.prefix.size()) + e.num_tokens());
  for (const auto& s : plan_.steps) scored = std::max(scored, s.supervised);
  const train::MemoryPlanInput sizes{.hidden = c.hidden_size, .ff = c.intermediate_size, .num_layers = c.num_layers, .num_heads = c.num_heads,
                                     .num_kv_heads = c.num_kv_heads, .head_dim = c.head_dim,
                                     .vocab = subset_ ? static_cast<std::int64_t>(subset_->ids().size()) : c.vocab_size,
                                     .weight_bytes = weight_bytes, .trainable_parameters = trainable,
                                     .tokens = std::max(longest, options_.pass_tokens), .supervised = scored,
                                     .lora_rank = options_.rank, .num_threads = input_.context.pool().num_threads()};
  const auto memory = train::plan_memory(sizes);
  say("plan: " + std::to_string(train_.examples.size()) + " rows, " + std::to_string(plan_.steps.size()) + " updates, " +
      std::to_string(plan_.tokens) + " tokens (" + std::to_string(plan_.supervised) + " scored), " +
      std::to_string(trainable) + " trained of " + std::to_string(input_.decoder.num_parameters()) + " parameters\n" + memory.table());
  train::require_fits(memory, sizes, train::available_memory_bytes());
}

double SftRun::step(const train::PlanStep& plan, double rate, double& norm) {
  adapter_.zero_gradients();
  const std::vector<std::size_t> rows(plan.rows.begin(), plan.rows.end());
  const double loss = supervised_->accumulate(train_, rows, plan.supervised) / static_cast<double>(plan.supervised);
  require(std::isfinite(loss), "the loss is not finite; a lower --learning-rate may help", ErrorCode::kInvalidArgument);
  norm = train::clip_gradients(optimizer_->parameters(), options_.max_gradient_norm, &input_.context.pool());
  optimizer_->step(rate, &input_.context.pool());
  input_.decoder.pack_adapter(input_.context, adapter_);
  return loss;
}

double SftRun::evaluate() {
  double sum = 0.0;
  for (std::size_t first = 0; first < validation_.examples.size(); first += 16) {
    std::vector<std::size_t> rows(std::min<std::size_t>(16, validation_.examples.size() - first));
    std::iota(rows.begin(), rows.end(), first);
    sum += supervised_->evaluate(validation_, rows);
  }
  return sum / static_cast<double>(validation_.num_scored());
}

void SftRun::write_kept(std::int64_t step, double eval_loss) {
  Json hashes = Json::object();
  for (const auto& [name, hash] : input_.hashes) hashes[name] = hash;
  Json origin = {{"tool", "onggi " + input_.tool_version}, {"hashes", hashes}, {"seed", options_.seed}, {"step", step},
                 {"trained_tokens", plan_.tokens}, {"guide_loss", options_.guide_loss}};
  origin["eval_loss"] = std::isfinite(eval_loss) ? Json(eval_loss) : Json(nullptr);
  nn::write_adapter(input_.run_folder / "adapter",
                    models::adapter_to_files(input_.decoder, adapter_,
                                             adapter_config(options_, input_.decoder.checkpoint().path().filename().string()), std::move(origin)));
}

void SftRun::keep_if_best(std::int64_t step, double eval_loss) {
  if (eval_loss < best_loss_) {
    best_loss_ = eval_loss;
    best_step_ = step;
    evaluations_without_gain_ = 0;
    write_kept(step, eval_loss);
  } else {
    ++evaluations_without_gain_;
  }
}

void SftRun::save(const train::InputHashes& identity, std::int64_t done) {
  const auto& next = plan_.steps[static_cast<std::size_t>(done)];
  train::TrainState state{.step = done, .epoch = next.epoch, .index = next.index, .seed = static_cast<std::uint64_t>(options_.seed), .hashes = identity};
  state.extra = {{"best_loss", std::isfinite(best_loss_) ? Json(best_loss_) : Json(nullptr)}, {"best_step", best_step_},
                 {"evaluations_without_gain", evaluations_without_gain_}};
  train::save_checkpoint(input_.run_folder / "checkpoints", state, *optimizer_);
}

void SftRun::check_same_run(const train::Manifest& manifest) const {
  const auto path = input_.run_folder / "manifest.json";
  const auto before = train::Manifest::from_json(parse_json(read_file(path), path.string()), path.string());
  for (const auto& [name, hash] : manifest.hashes) {
    for (const auto& [old_name, old_hash] : before.hashes) {
      require(name != old_name || hash == old_hash,
              [&, &name = name] { return "the run in this folder was begun with another " + name + "; choose another --run folder, or remove it"; },
              ErrorCode::kInvalidArgument, path.string());
    }
  }
}

SftResult SftRun::run() {
  encode();
  make_model();
  make_plan();
  print_plan();
  if (input_.plan_only) return {};

  SftOptions config_copy = options_;
  const Json config = OptionList(config_copy).to_json();
  train::Manifest manifest{.tool_version = input_.tool_version, .tool_commit = input_.tool_commit,
                           .instruction_set = std::string(input_.context.kernels().isa), .created = {},
                           .command_line = input_.command_line, .base_path = input_.decoder.checkpoint().path().string(),
                           .seed = options_.seed, .hashes = input_.hashes};
  manifest.hashes.emplace_back("config", sha256_hex(dump_json(config)));
  manifest.hashes.emplace_back("plan", plan_.hash);
  const train::InputHashes& identity = manifest.hashes;
  const bool is_resumed = std::filesystem::exists(input_.run_folder / "manifest.json");
  train::LoadedCheckpoint loaded;
  if (is_resumed) {
    loaded = train::load_checkpoint(input_.run_folder / "checkpoints", static_cast<std::uint64_t>(options_.seed), identity, *optimizer_);
    for (const auto& message : loaded.skipped) say("skipped a checkpoint: " + message + "\n");
    check_same_run(manifest);
  }
  std::int64_t done = 0;
  if (loaded.state) {
    done = loaded.state->step;
    input_.decoder.pack_adapter(input_.context, adapter_);
    const Json& extra = loaded.state->extra;
    if (!extra.at("best_loss").is_null()) best_loss_ = extra.at("best_loss").get<double>();
    best_step_ = extra.at("best_step").get<std::int64_t>();
    evaluations_without_gain_ = extra.at("evaluations_without_gain").get<int>();
    say("goes on after step " + std::to_string(done) + "\n");
  }
  train::RunFolder folder = is_resumed ? train::RunFolder::resume(input_.run_folder, done)
                                       : train::RunFolder::create(input_.run_folder, config, manifest);

  const auto total = static_cast<std::int64_t>(plan_.steps.size());
  train::ProgressSample sample{.step = done, .total_steps = total, .tokens = 0, .total_tokens = plan_.tokens};
  for (std::int64_t i = 0; i < done; ++i) sample.tokens += plan_.steps[static_cast<std::size_t>(i)].tokens;
  const std::int64_t tokens_before = sample.tokens;
  train::Progress progress({.is_terminal = input_.progress_to_terminal}, sample, [this](std::string_view text) { say(text); }, clock_seconds);
  const std::int64_t eval_steps = options_.eval_steps > 0 ? options_.eval_steps : plan_.steps_per_epoch;
  const double start = clock_seconds();
  for (std::int64_t i = done; i < total; ++i) {
    const train::PlanStep& plan = plan_.steps[static_cast<std::size_t>(i)];
    const double rate = schedule_.rate(i);
    double norm = 0.0;
    const double loss = step(plan, rate, norm);
    done = i + 1;
    sample.step = done;
    sample.tokens += plan.tokens;
    sample.loss = loss;
    sample.learning_rate = rate;
    progress.update(sample);
    Json metrics = {{"loss", loss}, {"lr", rate}, {"grad_norm", norm}, {"epoch", plan.epoch}, {"tokens", sample.tokens}};
    bool stop = false;
    if (!validation_.examples.empty() && (done % eval_steps == 0 || done == total)) {
      const double eval_loss = evaluate();
      metrics["eval_loss"] = eval_loss;
      keep_if_best(done, eval_loss);
      progress.message("eval loss " + std::to_string(eval_loss) + " at step " + std::to_string(done) + "\n");
      stop = options_.patience > 0 && evaluations_without_gain_ >= options_.patience;
    }
    folder.log(done, metrics);
    if (done % options_.checkpoint_steps == 0 && done < total && !stop) {
      folder.sync();
      save(identity, done);
    }
    if (stop) {
      progress.message("no better evaluation loss for " + std::to_string(options_.patience) + " evaluations: stopped\n");
      break;
    }
  }
  progress.finish();
  folder.sync();
  if (validation_.examples.empty()) write_kept(done, std::numeric_limits<double>::infinity());
  SftResult result{.adapter = input_.run_folder / "adapter", .steps = done, .best_eval_loss = best_loss_, .best_step = best_step_,
                   .tokens_per_s = static_cast<double>(sample.tokens - tokens_before) / (clock_seconds() - start),
                   .peak_memory_bytes = train::peak_memory_bytes()};
  folder.finish({{"steps", done}, {"best_step", best_step_},
                 {"best_eval_loss", std::isfinite(best_loss_) ? Json(best_loss_) : Json(nullptr)},
                 {"tokens_per_s", result.tokens_per_s}, {"peak_memory_bytes", result.peak_memory_bytes}});
  return result;
}

}  // namespace

SftResult run_sft(const SftOptions& options, SftInput& input) { return SftRun(options, input).run(); }

}  // namespace onggi::tasks
