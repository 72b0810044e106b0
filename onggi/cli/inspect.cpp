#include <cstdio>
#include <map>
#include <tuple>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/models/decoder_config.h"
#include "onggi/text/chat_template.h"
#include "onggi/train/memory_plan.h"
#include "onggi/train/progress.h"

namespace onggi::cli {
namespace {

struct InspectOptions {
  int batch_rows = 8;
  int length = 512;
  int rank = 16;
  bool json = false;

  template <class V>
  void visit(V&& field) {
    field("batch_rows", batch_rows, "Rows for the memory figures.");
    field("length", length, "Tokens a row for the memory figures.");
    field("rank", rank, "LoRA rank for the memory to tune.");
    field("json", json, "One JSON object instead of text.");
  }
};

/// "blk.3.attn_q.weight" and "model.layers.3.self_attn.q_proj.weight" lose their layer's number.
std::string group_of(const std::string& name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const auto dot = std::min(name.find('.', at), name.size());
    const std::string part = name.substr(at, dot - at);
    const bool number = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    out += (out.empty() ? "" : ".") + (number ? std::string("*") : part);
    at = dot + 1;
  }
  return out;
}

std::int64_t kv_bytes(const models::DecoderConfig& c, int rows, int length) {
  std::int64_t positions = 0;
  for (const auto& layer : c.layers) positions += layer.window > 0 ? std::min(layer.window + 16, length) : length;
  return positions * rows * 2 * c.num_kv_heads * c.head_dim * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

int run_inspect(std::span<const std::string_view> arguments) {
  InspectOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {"onggi inspect model.gguf", "onggi inspect ./gemma-3-1b --json --length 2048"};
  if (wants_help(arguments)) {
    print_help("inspect PATH [options]", "What a model holds: architecture, parameters, tensor types, tokenizer, chat template, and the memory that it\ntakes to serve and to tune.", list.help_text(), kExamples);
    return 0;
  }
  const auto paths = list.parse_flags(arguments);
  require(paths.size() <= 1, "inspect takes one path");
  for (const auto& [flag, value, most] : {std::tuple("--batch-rows", o.batch_rows, 4096), std::tuple("--length", o.length, 1 << 22), std::tuple("--rank", o.rank, 4096)}) {
    require(value >= 1 && value <= most, [&, &flag = flag, &value = value, &most = most] {
      return std::string(flag) + " is " + std::to_string(value) + ", expected 1 to " + std::to_string(most);
    });
  }
  const auto checkpoint = formats::open_checkpoint(resolve_base(paths.empty() ? "" : paths[0]));
  const auto& architecture = models::find_architecture(*checkpoint);
  const auto c = architecture.read_config(*checkpoint);
  const auto tokenizer = text::open_tokenizer(*checkpoint);

  std::map<std::string, std::map<std::string, int>> groups;
  std::int64_t parameters = 0;
  std::int64_t bytes = 0;
  for (const auto& t : checkpoint->tensors()) {
    ++groups[group_of(t.name)][std::string(quant::traits(t.type).name)];
    parameters += t.num_elements();
    bytes += static_cast<std::int64_t>(t.data.size());
  }
  train::MemoryPlanInput sizes{.hidden = c.hidden_size, .ff = c.intermediate_size, .num_layers = c.num_layers, .num_heads = c.num_heads,
                               .num_kv_heads = c.num_kv_heads, .head_dim = c.head_dim, .vocab = c.vocab_size, .weight_bytes = bytes,
                               .tokens = std::int64_t{o.batch_rows} * o.length, .supervised = std::int64_t{o.batch_rows} * o.length / 4, .num_rows = o.batch_rows, .longest_row = o.length, .lora_rank = o.rank,
                               .vocabulary = tokenizer->vocab_size()};
  sizes.trainable_parameters = train::lora_parameters(sizes, o.rank);
  const std::int64_t tune = train::plan_memory(sizes).total_bytes;
  const std::int64_t serve = 2 * bytes + kv_bytes(c, o.batch_rows, o.length);
  const bool is_own = !tokenizer->chat_template().empty();
  const std::string source = text::chat_template_of(*tokenizer);
  std::string rendered;
  if (!source.empty()) {
    const Json messages = parse_json(R"([{"role": "user", "content": "Hello"}])", "example");
    rendered = text::ChatTemplate(source).render(messages, {.add_generation_prompt = true, .bos_token = std::string(tokenizer->token_bytes(tokenizer->bos_id())),
                                                            .eos_token = std::string(tokenizer->token_bytes(tokenizer->eos_id()))});
  }
  if (o.json) {
    Json out = {{"path", checkpoint->path().string()}, {"architecture", c.architecture}, {"parameters", parameters}, {"weight_bytes", bytes},
                {"layers", c.num_layers}, {"hidden_size", c.hidden_size}, {"intermediate_size", c.intermediate_size}, {"heads", c.num_heads},
                {"kv_heads", c.num_kv_heads}, {"head_dim", c.head_dim}, {"vocab_size", c.vocab_size}, {"context", c.max_positions}};
    for (const auto& [name, types] : groups) out["tensors"][name] = types;
    out["tokenizer"] = {{"kind", std::string(tokenizer->kind())}, {"vocab_size", tokenizer->vocab_size()}, {"hash", tokenizer->content_hash()}};
    out["chat_template"] = {{"in_checkpoint", is_own}, {"example", rendered}};
    out["memory"] = {{"batch_rows", o.batch_rows}, {"length", o.length}, {"serve_bytes", serve}, {"tune_bytes", tune}};
    std::printf("%s\n", dump_json(out).c_str());
    return 0;
  }
  std::printf("%s\n%s, %.1f M parameters, %s of weights, context %d\n", checkpoint->path().c_str(), c.architecture.c_str(), static_cast<double>(parameters) / 1e6, train::format_bytes(bytes).c_str(), c.max_positions);
  std::printf("%d layers, width %d, MLP %d, %d heads on %d key heads of %d\n\ntensors:\n", c.num_layers, c.hidden_size, c.intermediate_size, c.num_heads, c.num_kv_heads, c.head_dim);
  for (const auto& [name, types] : groups) {
    std::string text;
    for (const auto& [type, count] : types) text += (text.empty() ? "" : ", ") + std::to_string(count) + " x " + type;
    std::printf("  %-44s %s\n", name.c_str(), text.c_str());
  }
  std::printf("\ntokenizer: %s, %d tokens, bos %d, eos %d\n", std::string(tokenizer->kind()).c_str(), tokenizer->vocab_size(), tokenizer->bos_id(), tokenizer->eos_id());
  std::printf("chat template: %s\n%s%s", source.empty() ? "none" : is_own ? "in the checkpoint" : "none in the checkpoint; built in for its turn tokens", rendered.c_str(), rendered.empty() ? "" : "\n");
  std::printf("\nmemory at %d rows of %d tokens: %s to serve, %s to tune (LoRA rank %d)\n", o.batch_rows, o.length, train::format_bytes(serve).c_str(), train::format_bytes(tune).c_str(), o.rank);
  return 0;
}

}  // namespace onggi::cli
