#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "onggi/decode/guide.h"
#include "onggi/models/decoder.h"
#include "onggi/tasks/sft/examples.h"
#include "onggi/text/tokenizer.h"

namespace onggi::tasks {

/// How to fine-tune. Everything here is part of the run's identity.
struct SftOptions {
  std::string method = "lora";
  std::string base_type = "keep";
  int rank = 16;
  float alpha = 32.0F;
  std::vector<std::string> targets;
  double lora_dropout = 0.0;
  double learning_rate = 4e-4;
  std::string schedule = "cosine";
  double warmup_share = 0.03;
  int batch_rows = 8;
  int epochs = 3;
  std::int64_t max_steps = 0;
  double weight_decay = 0.0;
  double max_gradient_norm = 1.0;
  std::int64_t seed = 0;
  std::int64_t max_tokens = 512;
  std::int64_t pass_tokens = 1024;
  std::int64_t eval_steps = 0;
  std::int64_t checkpoint_steps = 50;
  int patience = 0;
  bool guide_loss = false;
  bool recompute = false;

  template <class V>
  void visit(V&& field) {
    field("method", method, "lora, rslora, dora, or full (all weights, in f32: 16 bytes a parameter).");
    field("base_type", base_type, "Linear layers of the frozen base: keep (the file's own), f32, bf16, q8_0 or nf4.");
    field("rank", rank, "Rank of the adapter.");
    field("alpha", alpha, "Scale of the adapter: alpha / rank (rslora: alpha / sqrt(rank)).");
    field("targets", targets, "Layer to adapt, as q_proj (repeat the flag); all linear layers if not given.");
    field("lora_dropout", lora_dropout, "Share of the adapters' inputs that each update leaves out; not with dora.");
    field("learning_rate", learning_rate, "Highest learning rate.");
    field("schedule", schedule, "constant, linear, cosine or wsd.");
    field("warmup_share", warmup_share, "Share of the steps that warm up.");
    field("batch_rows", batch_rows, "Rows of one update.");
    field("epochs", epochs, "Passes over the training rows.");
    field("max_steps", max_steps, "Stop after this many updates (the schedule ends there too); 0 = all epochs.");
    field("weight_decay", weight_decay, "AdamW's decoupled weight decay.");
    field("max_gradient_norm", max_gradient_norm, "Gradients are scaled down to this norm; 0 = never.");
    field("seed", seed, "Seed of every random choice.");
    field("max_tokens", max_tokens, "Longer rows are left out (and counted).");
    field("pass_tokens", pass_tokens, "Most tokens computed at once; less saves memory.");
    field("eval_steps", eval_steps, "Updates between evaluations; 0 = once an epoch.");
    field("checkpoint_steps", checkpoint_steps, "Updates between checkpoints.");
    field("patience", patience, "Stop after this many evaluations without a better loss; 0 = never.");
    field("guide_loss", guide_loss, "Softmax over what the guide can allow: what is trained is what is served.");
    field("recompute", recompute, "Compute each layer again in the backward pass: less memory, more time, the same bytes.");
  }
};

struct SftInput {
  nn::Context& context;
  models::Decoder& decoder;  ///< Loaded in f32 with the options' base type; method full makes it trainable.
  const text::Tokenizer& tokenizer;
  std::shared_ptr<const decode::Guide> guide;  ///< Only with guide_loss.
  TextSet train;
  TextSet validation;  ///< May be empty: then the last state is kept.
  std::filesystem::path run_folder;
  /// SHA-256 by name of what the caller read: base, tokenizer, template, data ...
  std::vector<std::pair<std::string, std::string>> hashes;
  std::vector<std::string> command_line;
  std::string tool_version;
  std::string tool_commit;
  std::int64_t available_memory_bytes = 0;  ///< What the run may take in all; 0: what is free here.
  bool plan_only = false;
  bool progress_to_terminal = false;
  std::function<void(std::string_view)> write;  ///< Plan and progress; may be empty.
};

struct SftResult {
  std::filesystem::path adapter;  ///< The kept adapter's folder; for method full the model's folder or GGUF file.
  std::int64_t steps = 0;
  double best_eval_loss = 0.0;
  std::int64_t best_step = 0;
  double tokens_per_s = 0.0;
  std::int64_t peak_memory_bytes = 0;
};

/// Trains, or goes on with the run that is in the folder (same inputs only). After kill -9 at any point a further call
/// ends with the same adapter bytes as an undisturbed run. Throws Error; the run's folder stays usable.
SftResult run_sft(const SftOptions& options, SftInput& input);

}  // namespace onggi::tasks
