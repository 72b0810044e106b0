#include "onggi/tasks/sft/sft.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/models/adapter_io.h"
#include "onggi/models/decoder_save.h"
#include "onggi/tasks/sft/adapter_init.h"
#include "onggi/tasks/sft/checks.h"
#include "onggi/train/checkpoint.h"
#include "onggi/train/doctor_curve.h"
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
  config.dropout = o.lora_dropout;
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
  void check_options() const;
  void encode();
  void make_adapter();
  void make_trainer();
  void make_plan();
  train::MemoryPlanInput memory_sizes();
  void print_plan();
  void examine();
  double evaluate();
  void keep_if_best(std::int64_t step, double eval_loss);
  void write_kept(std::int64_t step, double eval_loss);
  double step(const train::PlanStep& plan, double rate, double& norm);
  void save(const train::InputHashes& identity, std::int64_t done);
  void check_same_run(const train::Manifest& manifest, const Json& config) const;
  void zero_gradients();
  void refresh_model();
  bool is_full() const { return options_.method == "full"; }
  std::int64_t num_trained();
  std::filesystem::path kept_path() const;
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
  std::vector<train::Finding> findings_;
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
  const std::int64_t context = input_.decoder.config().max_positions;
  const std::int64_t limit = std::min(options_.max_tokens, context);
  train_ = encode_examples(input_.tokenizer, input_.train, limit, guide, columns, report);
  validation_ = encode_examples(input_.tokenizer, input_.validation, limit, guide, columns, report);
  std::string left_out;
  const auto rows = [](std::int64_t count) { return "left out " + std::to_string(count) + (count == 1 ? " row " : " rows "); };
  if (report.num_too_long > 0) {
    left_out += rows(report.num_too_long) + "longer than " + std::to_string(limit) + " tokens (--max-tokens " + std::to_string(options_.max_tokens) +
                ", the model's context is " + std::to_string(context) + ")\n";
  }
  if (report.num_unreachable > 0) {
    left_out += rows(report.num_unreachable) + "whose answer the guide can't produce, the first: " + report.first_unreachable + "\n";
  }
  require(!train_.examples.empty(), [&] { return "no training row is left\n  " + left_out.substr(0, left_out.size() - 1); });
  say(left_out);
  if (guide != nullptr) subset_ = std::make_unique<models::HeadSubset>(input_.context, input_.decoder, std::move(columns));
}

void SftRun::check_options() const {
  require(is_full() || options_.method == "lora" || options_.method == "rslora" || options_.method == "dora",
          [&] { return "method is \"" + options_.method + "\", expected lora, rslora, dora or full"; });
  const auto type = models::base_type_from_name(options_.base_type);
  require(!is_full() || type == models::BaseType::kKeep,
          [&] { return "--base-type " + options_.base_type + " is for a frozen base; method full trains every weight in f32"; });
  require(!is_full() || options_.targets.empty(), "--targets chooses layers for an adapter; method full trains every weight");
  require(options_.lora_dropout >= 0.0 && options_.lora_dropout < 1.0,
          [&] { return "--lora-dropout is " + std::to_string(options_.lora_dropout) + ", expected at least 0 and below 1"; });
  require(options_.lora_dropout == 0.0 || options_.method == "lora" || options_.method == "rslora",
          [&] { return "--lora-dropout is for the methods lora and rslora, the method is " + options_.method; });
  const auto require_in = [](bool is_in, const char* what) { require(is_in, what); };
  require_in(options_.alpha > 0.0F, "--alpha must be above 0");
  require_in(options_.warmup_share >= 0.0 && options_.warmup_share < 1.0, "--warmup-share must be at least 0 and below 1");
  require_in(options_.weight_decay >= 0.0, "--weight-decay must be 0 or more");
  require_in(options_.max_gradient_norm >= 0.0, "--max-gradient-norm must be 0 or more");
  require_in(options_.max_tokens >= 1 && options_.pass_tokens >= 1, "--max-tokens and --pass-tokens must be at least 1");
  require_in(options_.eval_steps >= 0 && options_.patience >= 0, "--eval-steps and --patience must be 0 or more");
  require_in(options_.checkpoint_steps >= 1, "--checkpoint-steps must be at least 1");
  require(type == input_.decoder.base_type(), "the decoder was not loaded with the options' base type", ErrorCode::kInternal);
}

void SftRun::make_adapter() {
  adapter_ = make_lora(input_.context, input_.decoder,
                       {.rank = options_.rank, .alpha = options_.alpha, .rslora = options_.method == "rslora",
                        .dora = options_.method == "dora", .targets = options_.targets},
                       static_cast<std::uint64_t>(options_.seed));
  adapter_.zero_gradients();
}

void SftRun::make_trainer() {
  if (is_full()) {
    const auto tensors = input_.decoder.checkpoint().tensors();
    if (std::any_of(tensors.begin(), tensors.end(), [](const auto& t) { return quant::traits(t.type).block_elements > 1; })) {
      say("the base is quantised: its weights are decoded to f32, trained from there, and written as F32\n");
    }
    input_.decoder.make_trainable(input_.context);
  }
  supervised_ = std::make_unique<train::SupervisedStep>(input_.context, input_.decoder, is_full() ? nullptr : &adapter_, subset_.get(),
                                                        train::StepOptions{.max_pass_tokens = options_.pass_tokens, .recompute = options_.recompute,
                                                                           .lora_dropout = static_cast<float>(options_.lora_dropout),
                                                                           .seed = static_cast<std::uint64_t>(options_.seed)});
  optimizer_ = std::make_unique<train::AdamW>(is_full() ? input_.decoder.parameters() : adapter_.parameters(),
                                              train::AdamWOptions{.weight_decay = options_.weight_decay});
}

std::int64_t SftRun::num_trained() {
  if (is_full()) return input_.decoder.num_parameters();
  std::int64_t total = 0;
  for (const auto* p : adapter_.parameters()) total += static_cast<std::int64_t>(p->value.size());
  return total;
}

void SftRun::zero_gradients() {
  const auto parameters = optimizer_->parameters();
  input_.context.parallel_for(static_cast<std::int64_t>(parameters.size()), 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      auto& grad = parameters[static_cast<std::size_t>(i)]->grad;
      std::fill(grad.begin(), grad.end(), 0.0F);
    }
  });
}

/// Brings what the forward pass reads up to date with the parameters.
void SftRun::refresh_model() {
  if (!is_full()) {
    input_.decoder.pack_adapter(input_.context, adapter_);
  } else if (subset_) {
    subset_->refresh(input_.context, input_.decoder);
  }
}

std::filesystem::path SftRun::kept_path() const {
  if (!is_full()) return input_.run_folder / "adapter";
  const bool is_gguf = input_.decoder.checkpoint().kind() == formats::CheckpointKind::kGguf;
  return input_.run_folder / (is_gguf ? "model.gguf" : "model");
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

train::MemoryPlanInput SftRun::memory_sizes() {
  const auto& c = input_.decoder.config();
  train::MemoryPlanInput sizes{.hidden = c.hidden_size, .ff = c.intermediate_size, .num_layers = c.num_layers, .num_heads = c.num_heads,
                               .num_kv_heads = c.num_kv_heads, .head_dim = c.head_dim, .vocab = c.vocab_size};
  if (subset_) sizes.vocab = sizes.subset_rows = static_cast<std::int64_t>(subset_->ids().size());
  // Training all weights reads each of the base's once and holds them in f32, among the trainable parameters.
  sizes.weight_bytes = is_full() ? 0 : input_.decoder.weight_bytes();
  sizes.trainable_parameters = num_trained();
  for (const auto& step : plan_.steps) {
    const std::vector<std::size_t> rows(step.rows.begin(), step.rows.end());
    for (const auto& [first, count] : train::cut_passes(train_, rows, options_.pass_tokens)) {
      const auto size = train::pass_size(train_, std::span(rows).subspan(first, count));
      sizes.tokens = std::max(sizes.tokens, size.tokens);
      sizes.supervised = std::max(sizes.supervised, size.scored);
      sizes.num_rows = std::max(sizes.num_rows, size.rows);
    }
  }
  sizes.prefix = static_cast<std::int64_t>(train_.prefix.size());
  for (const auto* set : {&train_, &validation_}) {
    for (const auto& e : set->examples) {
      sizes.longest_row = std::max(sizes.longest_row, sizes.prefix + e.num_tokens());
      sizes.data_bytes += e.num_tokens() * static_cast<std::int64_t>(sizeof(int));
      for (const auto& mask : e.allowed) sizes.data_bytes += static_cast<std::int64_t>(sizeof mask + mask.size() * sizeof mask[0]);
    }
  }
  sizes.lora_rank = is_full() ? 0 : options_.rank;
  sizes.dora = options_.method == "dora";
  sizes.dropout = options_.lora_dropout > 0.0;
  sizes.recompute = options_.recompute;
  sizes.vocabulary = input_.tokenizer.vocab_size();
  sizes.num_threads = input_.context.pool().num_threads();
  return sizes;
}

void SftRun::print_plan() {
  const std::int64_t trainable = num_trained();
  const train::MemoryPlanInput sizes = memory_sizes();
  const auto memory = train::plan_memory(sizes);
  say("plan: " + std::to_string(train_.examples.size()) + " rows, " + std::to_string(plan_.steps.size()) + " updates, " +
      std::to_string(plan_.tokens) + " tokens (" + std::to_string(plan_.supervised) + " scored), " +
      std::to_string(trainable) + " trained of " + std::to_string(input_.decoder.num_parameters()) + " parameters\n" + memory.table());
  std::int64_t available = input_.available_memory_bytes;
  if (available == 0) {
    available = train::available_memory_bytes();
    // What the process holds already is no longer counted as free.
    const std::int64_t held = train::held_memory_bytes();
    if (available < std::numeric_limits<std::int64_t>::max() - held) available += held;
  }
  train::require_fits(memory, sizes, available);
}

void SftRun::examine() {
  train::DoctorInput doctor;
  doctor.train = doctor_rows(input_.train, train_);
  doctor.validation = doctor_rows(input_.validation, validation_);
  if (input_.tokenizer.adds_bos() && input_.tokenizer.bos_id() >= 0) doctor.bos_id = input_.tokenizer.bos_id();
  if (!train_.examples.empty()) doctor.end_id = train_.examples[0].answer.back();
  doctor.vocab_size = input_.decoder.config().vocab_size;
  doctor.special_texts = special_texts(input_.tokenizer);
  doctor.learning_rate = options_.learning_rate;
  doctor.warmup_steps = schedule_.warmup_steps;
  doctor.total_steps = schedule_.total_steps;
  doctor.batch_rows = options_.batch_rows;
  doctor.trains_all_weights = is_full();
  doctor.weight_decay = options_.weight_decay;
  // Under a guide fewer positions are scored than an answer has.
  if (!options_.guide_loss) doctor.plan = &plan_;
  findings_ = train::examine(doctor);
  for (auto& finding : findings_) {
    // Rows on both sides are refused where rows are read; here their prompts alone are equal, as with "Good." twice.
    if (finding.code == "row_in_both_splits") finding.severity = train::Severity::kWarning;
  }
  say(require_healthy(findings_));
}

double SftRun::step(const train::PlanStep& plan, double rate, double& norm) {
  zero_gradients();
  const std::vector<std::size_t> rows(plan.rows.begin(), plan.rows.end());
  const double loss = supervised_->accumulate(train_, rows, plan.supervised, optimizer_->num_updates()) / static_cast<double>(plan.supervised);
  require(std::isfinite(loss), "the loss is not finite; a lower --learning-rate may help, or the base is damaged", ErrorCode::kInvalidArgument);
  norm = train::clip_gradients(optimizer_->parameters(), options_.max_gradient_norm, &input_.context.pool());
  optimizer_->step(rate, &input_.context.pool());
  refresh_model();
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
                 {"trained_tokens", plan_.tokens}, {"guide_loss", options_.guide_loss}, {"base_type", options_.base_type}};
  origin["eval_loss"] = std::isfinite(eval_loss) ? Json(eval_loss) : Json(nullptr);
  if (is_full()) {
    models::save_trained(input_.decoder, input_.run_folder, origin);
    return;
  }
  nn::write_adapter(kept_path(),
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

void SftRun::check_same_run(const train::Manifest& manifest, const Json& config) const {
  const auto refuse = [&](const std::string& difference) {
    throw Error(ErrorCode::kInvalidArgument, "the run in this folder was begun with " + difference + "; choose another --run folder, or remove it",
                input_.run_folder.string());
  };
  const auto path = input_.run_folder / "manifest.json";
  const auto before = train::Manifest::from_json(parse_json(read_file(path), path.string()), path.string());
  const auto config_path = input_.run_folder / "config.json";
  const Json old_config = parse_json(read_file(config_path), config_path.string());
  for (const auto& [key, value] : config.items()) {
    const Json was = old_config.is_object() && old_config.contains(key) ? old_config[key] : Json(nullptr);
    if (was != value) refuse("\"" + key + "\" " + was.dump() + ", now it is " + value.dump());
  }
  const std::map<std::string, std::string> then(before.hashes.begin(), before.hashes.end());
  const std::map<std::string, std::string> now(manifest.hashes.begin(), manifest.hashes.end());
  for (const auto& [name, hash] : manifest.hashes) {  // In this order: the plan follows from the others.
    if (!then.contains(name)) refuse("no " + name);
    if (then.at(name) != hash) refuse("another " + name);
  }
  for (const auto& [name, hash] : then) {
    if (!now.contains(name)) refuse("a " + name + ", now there is none");
  }
}

SftResult SftRun::run() {
  check_options();
  encode();
  if (!is_full()) make_adapter();
  make_plan();
  print_plan();
  examine();
  if (input_.plan_only) return {};
  make_trainer();

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
    check_same_run(manifest, config);
    loaded = train::load_checkpoint(input_.run_folder / "checkpoints", static_cast<std::uint64_t>(options_.seed), identity, *optimizer_);
    for (const auto& message : loaded.skipped) say("skipped a checkpoint: " + message + "\n");
  }
  std::int64_t done = 0;
  if (loaded.state) {
    done = loaded.state->step;
    refresh_model();
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
  SftResult result{.adapter = kept_path(), .steps = done, .best_eval_loss = best_loss_, .best_step = best_step_,
                   .tokens_per_s = static_cast<double>(sample.tokens - tokens_before) / (clock_seconds() - start),
                   .peak_memory_bytes = train::peak_memory_bytes()};
  const auto after = train::examine_curve(train::read_metrics(input_.run_folder));
  say(require_healthy(after));
  findings_.insert(findings_.end(), after.begin(), after.end());
  folder.finish({{"steps", done}, {"best_step", best_step_},
                 {"best_eval_loss", std::isfinite(best_loss_) ? Json(best_loss_) : Json(nullptr)},
                 {"tokens_per_s", result.tokens_per_s}, {"peak_memory_bytes", result.peak_memory_bytes},
                 {"warnings", findings_json(findings_)}});
  return result;
}

}  // namespace

SftResult run_sft(const SftOptions& options, SftInput& input) { return SftRun(options, input).run(); }

}  // namespace onggi::tasks
