#include "onggi/train/memory_plan.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/train/progress.h"

namespace onggi::train {
namespace {

constexpr std::int64_t kFloat = 4;
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
/// Code, libraries, tokenizer, thread stacks: measured on a run with a tiny model.
constexpr std::int64_t kProcessBytes = std::int64_t{48} << 20;

/// Activations of one block that its backward pass reads, in floats a token: block input, the two norms' outputs and
/// middle sum, q k v and their rotated copies, attention output, gate, up and their product.
std::int64_t block_floats(const MemoryPlanInput& in) {
  const std::int64_t q = in.num_heads * in.head_dim;
  const std::int64_t kv = in.num_kv_heads * in.head_dim;
  return 4 * in.hidden + 2 * (q + 2 * kv) + q + 3 * in.ff;
}

/// Bounds that keep every product below 2^62.
void check(const MemoryPlanInput& in) {
  const auto in_range = [](std::int64_t x, std::int64_t high) { return x >= 0 && x <= high; };
  const bool ok = in_range(in.hidden, 1 << 20) && in_range(in.ff, 1 << 22) && in_range(in.num_layers, 1 << 10) &&
                  in_range(in.num_heads, 1 << 14) && in_range(in.num_kv_heads, 1 << 14) &&
                  in_range(in.head_dim, 1 << 14) && in_range(in.vocab, 1 << 24) && in_range(in.tokens, 1 << 22) &&
                  in_range(in.supervised, in.tokens) && in_range(in.lora_rank, 1 << 14) &&
                  in_range(in.head_chunk, 1 << 20) && in_range(in.weight_bytes, std::int64_t{1} << 50) &&
                  in_range(in.trainable_parameters, std::int64_t{1} << 46) && in_range(in.num_threads, 1 << 14);
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
  const std::int64_t block = block_floats(in) + 7 * in.lora_rank;
  const std::int64_t kept_blocks = in.recompute ? 1 : in.num_layers;
  add("base weights", in.weight_bytes);
  add("trainable parameters", in.trainable_parameters * kFloat);
  add("gradients", in.trainable_parameters * kFloat);
  add("optimiser moments", in.trainable_parameters * 2 * kFloat);
  add("activations", in.tokens * block * kept_blocks * kFloat);
  add("block inputs", in.recompute ? in.tokens * in.hidden * in.num_layers * kFloat : 0);
  add("gradient of activations", in.tokens * block * kFloat);
  add("head logits", std::min(in.supervised, in.head_chunk) * in.vocab * kFloat);
  add("head inputs", in.supervised * in.hidden * 2 * kFloat);
  add("thread scratch", in.num_threads * std::max(in.hidden, in.ff) * 64 * kFloat);
  add("process", kProcessBytes);
  return plan;
}

std::int64_t available_memory_bytes(const std::filesystem::path& root) {
  return std::min(memory_available(root), cgroup_available(root));
}

void require_fits(const MemoryPlan& plan, const MemoryPlanInput& in, std::int64_t available) {
  if (plan.total_bytes <= available) return;
  const auto largest = std::max_element(plan.items.begin(), plan.items.end(),
                                        [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
  std::string advice;
  if (largest->name == "base weights") {
    advice = "use a smaller or 4-bit base";
  } else if (largest->name == "optimiser moments" || largest->name == "gradients") {
    advice = in.lora_rank > 0 ? "lower --rank" : "train an adapter (--method lora) in place of all weights";
  } else {
    advice = in.recompute ? "lower the tokens computed at once or the row length"
                          : "turn recomputation on, or lower the tokens computed at once";
  }
  throw Error(ErrorCode::kExhausted, "the run needs " + format_bytes(plan.total_bytes) + " of memory and " +
                                         format_bytes(available) + " are free; most goes to " + largest->name + ": " +
                                         advice + "\n" + plan.table());
}

}  // namespace onggi::train
