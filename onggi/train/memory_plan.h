#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::train {

/// Sizes that decide how much memory a training step takes.
struct MemoryPlanInput {
  std::int64_t hidden = 0;
  std::int64_t ff = 0;
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t vocab = 0;                 ///< Rows of the head that are scored (fewer under a guide).
  std::int64_t subset_rows = 0;           ///< Rows of the head that are gathered in f32; 0: the whole head is used.
  std::int64_t weight_bytes = 0;          ///< Base weights as they are held.
  std::int64_t trainable_parameters = 0;  ///< Elements; f32 value, gradient and two moments each.
  std::int64_t tokens = 0;                ///< Of the largest pass: all rows computed at once, shared prefix once.
  std::int64_t supervised = 0;            ///< Scored positions of that pass.
  std::int64_t num_rows = 1;              ///< Rows of that pass.
  std::int64_t prefix = 0;                ///< Tokens of the shared prefix.
  std::int64_t longest_row = 0;           ///< Tokens of the longest row, prefix included.
  std::int64_t lora_rank = 0;             ///< 0 for full training.
  bool dora = false;
  bool dropout = false;
  std::int64_t head_chunk = 128;          ///< Positions whose logits exist at once.
  bool recompute = false;                 ///< Only block inputs are kept; a block is run again in its backward pass.
  std::int64_t data_bytes = 0;            ///< Encoded rows and their guide masks.
  std::int64_t vocabulary = 0;            ///< Tokens of the tokenizer.
  int num_threads = 1;
};

struct MemoryItem {
  std::string name;
  std::int64_t bytes = 0;
};

struct MemoryPlan {
  std::vector<MemoryItem> items;
  std::int64_t total_bytes = 0;

  /// One line an item, right-aligned sizes, and the total.
  std::string table() const;
};

/// Elements of LoRA's A and B of rank `rank` on all seven linear layers of every block.
std::int64_t lora_parameters(const MemoryPlanInput& input, std::int64_t rank);

/// Peak memory of a training step as a table. Throws kInvalidArgument on negative or absurd sizes (no overflow).
MemoryPlan plan_memory(const MemoryPlanInput& input);

/// What this process may still take: the smaller of MemAvailable and the room under its cgroup's limit (v2 and v1).
/// `root` is "/" but in tests. Nothing readable: the largest int64.
std::int64_t available_memory_bytes(const std::filesystem::path& root = "/");

/// What this process holds now besides mapped files, whose pages count as available; 0 where /proc does not say. A plan
/// of the whole process is compared with this and what is available.
std::int64_t held_memory_bytes(const std::filesystem::path& root = "/");

/// Throws kExhausted with the table and what to change if the plan does not fit into `available` bytes.
void require_fits(const MemoryPlan& plan, const MemoryPlanInput& input, std::int64_t available);

}  // namespace onggi::train
