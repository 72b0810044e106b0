#include "onggi/train/memory_plan.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/train/progress.h"

namespace onggi::train {
namespace {

constexpr std::int64_t kFloat = 4;
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
/// Code, libraries, thread stacks: measured on a run with a tiny model.
constexpr std::int64_t kProcessBytes = std::int64_t{24} << 20;
/// A tokenizer's strings and maps, a token of its vocabulary: measured on Gemma 3's 262,144.
constexpr std::int64_t kTokenBytes = 300;
/// Positions that a row's key and value blocks hold beside its own: a copied prefix block and the last one's rest.
constexpr std::int64_t kSpareKeys = 24;

std::int64_t q_width(const MemoryPlanInput& in) { return in.num_heads * in.head_dim; }
std::int64_t kv_width(const MemoryPlanInput& in) { return in.num_kv_heads * in.head_dim; }

/// What a block's forward pass leaves for its backward pass, in floats a token: LayerTrace of models/decoder.h.
std::int64_t block_floats(const MemoryPlanInput& in) {
  const std::int64_t outputs = q_width(in) + 2 * kv_width(in) + 2 * in.hidden + 2 * in.ff;
  return 4 * in.hidden + 3 * q_width(in) + 3 * kv_width(in) + 2 * in.ff + 7 * in.lora_rank + in.num_heads +
         in.num_kv_heads + 4 + (in.dora ? outputs : 0);
}

/// Buffers of a pass that all blocks share, in floats a token: the members x_, act_, d1_ ... of models::Decoder, the
/// residual stream and its gradient.
std::int64_t shared_floats(const MemoryPlanInput& in) {
  const std::int64_t q = q_width(in);
  const std::int64_t kv = kv_width(in);
  const std::int64_t widest = std::max({in.hidden, in.ff, q});
  return 2 * in.hidden + widest + in.ff + std::max(in.hidden, kv) + 2 * std::max(in.ff, q) + std::max(in.ff, kv) +
         in.hidden + kv + in.lora_rank + (in.dora ? widest : 0) + (in.dropout ? widest + 2 * in.hidden : 0);
}

/// Copies that attention's backward pass works on, in floats: a row's for each thread, and all rows' key gradients.
std::int64_t attention_floats(const MemoryPlanInput& in) {
  const std::int64_t keys = std::max(in.longest_row, std::int64_t{16});
  const std::int64_t queries = keys * in.num_heads / std::max<std::int64_t>(in.num_kv_heads, 1);
  // The bound, far above any machine, keeps the sum within 64 bits.
  const std::int64_t scores = std::min(queries, (std::int64_t{1} << 45) / keys) * keys;
  const std::int64_t a_thread = 3 * queries * in.head_dim + 4 * keys * in.head_dim + 2 * scores;
  return in.num_threads * a_thread + (in.tokens + in.num_rows * (in.prefix + kSpareKeys)) * 2 * kv_width(in);
}

/// Bounds that keep every product below 2^62.
void check(const MemoryPlanInput& in) {
  const auto in_range = [](std::int64_t x, std::int64_t high) { return x >= 0 && x <= high; };
  const bool ok = in_range(in.hidden, 1 << 20) && in_range(in.ff, 1 << 22) && in_range(in.num_layers, 1 << 10) &&
                  in_range(in.num_heads, 1 << 14) && in_range(in.num_kv_heads, 1 << 14) &&
                  in_range(in.head_dim, 1 << 14) && in_range(in.vocab, 1 << 24) && in_range(in.tokens, 1 << 22) &&
                  in_range(in.supervised, in.tokens) && in_range(in.lora_rank, 1 << 14) &&
                  in_range(in.head_chunk, 1 << 20) && in_range(in.weight_bytes, std::int64_t{1} << 50) &&
                  in_range(in.trainable_parameters, std::int64_t{1} << 46) && in_range(in.num_threads, 1 << 10) &&
                  in_range(in.subset_rows, in.vocab) && in_range(in.num_rows, 1 << 22) &&
                  in_range(in.prefix, in.tokens) && in_range(in.longest_row, 1 << 22) &&
                  in_range(in.data_bytes, std::int64_t{1} << 50) && in_range(in.vocabulary, 1 << 24);
  const bool few_heads = ok && in_range(std::max(in.num_heads, in.num_kv_heads) * in.head_dim, 1 << 20);
  require(few_heads, "memory plan: a size is negative or impossibly large");
}

std::optional<std::int64_t> read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  if (file >> value) return value;  // "max" is no number
  return std::nullopt;
}

std::int64_t memory_available(const std::filesystem::path& root) {
  std::ifstream file(root / "proc/meminfo");
  std::string word;
  std::int64_t kib = 0;
  while (file >> word) {
    if (word == "MemAvailable:" && file >> kib) return kib * 1024;
  }
  return kUnlimited;
}

/// Room in this cgroup and those above it: the limit of any of them binds.
std::int64_t cgroup_available(const std::filesystem::path& root) {
  std::int64_t room = kUnlimited;
  const auto consider = [&](const std::filesystem::path& folder, const char* limit_name, const char* usage_name) {
    const auto limit = read_number(folder / limit_name);
    const auto usage = read_number(folder / usage_name);
    if (limit && usage) room = std::min(room, std::max<std::int64_t>(*limit - *usage, 0));
  };
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_v1 = controllers == "memory";
    if (!controllers.empty() && !is_v1) continue;
    const auto base = root / (is_v1 ? "sys/fs/cgroup/memory" : "sys/fs/cgroup");
    // Inside a container the path may be the host's, so the mount point itself is looked at too.
    for (auto path = std::filesystem::path(line.substr(second + 1)).relative_path();; path = path.parent_path()) {
      consider(base / path, is_v1 ? "memory.limit_in_bytes" : "memory.max",
               is_v1 ? "memory.usage_in_bytes" : "memory.current");
      if (path.empty()) break;
    }
  }
  return room;
}

}  // namespace

std::string MemoryPlan::table() const {
  std::size_t width = 5;
  for (const MemoryItem& item : items) width = std::max(width, item.name.size());
  std::string text;
  const auto row = [&](const std::string& name, std::int64_t bytes) {
    const std::string size = format_bytes(bytes);
    text += "  " + name + std::string(width - name.size() + 2, ' ') +
            std::string(size.size() < 9 ? 9 - size.size() : 0, ' ') + size + "\n";
  };
  for (const MemoryItem& item : items) row(item.name, item.bytes);
  row("total", total_bytes);
  return text;
}

std::int64_t lora_parameters(const MemoryPlanInput& in, std::int64_t rank) {
  check(in);
  const std::int64_t q = in.num_heads * in.head_dim;
  const std::int64_t kv = in.num_kv_heads * in.head_dim;
  const std::int64_t attention = (in.hidden + q) * 2 + (in.hidden + kv) * 2;
  return in.num_layers * rank * (attention + 3 * (in.hidden + in.ff));
}

MemoryPlan plan_memory(const MemoryPlanInput& in) {
  check(in);
  MemoryPlan plan;
  const auto add = [&](std::string name, std::int64_t bytes) {
    if (bytes > 0) plan.items.push_back({std::move(name), bytes});
    plan.total_bytes += bytes;
  };
  const std::int64_t blocks = in.tokens * block_floats(in) * kFloat;
  const std::int64_t chunk = std::min(in.supervised, in.head_chunk);
  // A LoRA matrix is held a second time in the order that the kernels read.
  const std::int64_t copies = in.lora_rank > 0 ? 2 : 1;
  add("base weights", in.weight_bytes);
  add("guide's rows of the head", in.subset_rows * in.hidden * (in.lora_rank > 0 ? 2 : 3) * kFloat);
  add("trainable parameters", in.trainable_parameters * copies * kFloat);
  add("gradients", in.trainable_parameters * kFloat);
  add("optimiser moments", in.trainable_parameters * 2 * kFloat);
  add("activations", in.recompute ? blocks : blocks * in.num_layers);
  add("block inputs", in.recompute ? in.tokens * in.hidden * in.num_layers * kFloat : 0);
  add("keys and values", (in.tokens + in.num_rows * kSpareKeys) * 2 * kv_width(in) * in.num_layers * kFloat);
  add("gradient of activations", in.tokens * shared_floats(in) * kFloat);
  add("attention", attention_floats(in) * kFloat);
  add("head logits", chunk * in.vocab * kFloat);
  add("head inputs", chunk * in.hidden * 4 * kFloat);
  add("thread scratch", in.num_threads * (std::int64_t{64} * 512 + 256 * 96) * kFloat);
  add("rows", in.data_bytes);
  add("process", kProcessBytes + in.vocabulary * kTokenBytes);
  return plan;
}

std::int64_t available_memory_bytes(const std::filesystem::path& root) {
  return std::min(memory_available(root), cgroup_available(root));
}

std::int64_t held_memory_bytes(const std::filesystem::path& root) {
  std::ifstream file(root / "proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("RssAnon:")) return std::strtoll(line.c_str() + 8, nullptr, 10) * 1024;
  }
  return 0;
}

void require_fits(const MemoryPlan& plan, const MemoryPlanInput& in, std::int64_t available) {
  if (plan.total_bytes <= available) return;
  const auto largest = std::max_element(plan.items.begin(), plan.items.end(),
                                        [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
  std::string advice;
  if (largest->name == "base weights") {
    advice = "use a smaller base, or --base-type nf4";
  } else if (largest->name == "optimiser moments" || largest->name == "gradients" || largest->name == "trainable parameters") {
    advice = in.lora_rank > 0 ? "lower --rank" : "train an adapter (--method lora) in place of all weights";
  } else if (largest->name == "head logits") {
    advice = "train under a guide (--guide FILE --guide-loss), which needs few rows of the head";
  } else {
    advice = in.recompute ? "lower --pass-tokens or --max-tokens" : "give --recompute, or lower --pass-tokens";
  }
  throw Error(ErrorCode::kExhausted, "the run needs " + format_bytes(plan.total_bytes) + " of memory and " +
                                         format_bytes(available) + " are free; most goes to " + largest->name + ": " +
                                         advice + "\n" + plan.table());
}

}  // namespace onggi::train
