#include "onggi/tasks/merge/merge_job.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "onggi/models/decoder_config.h"
#include "onggi/tasks/merge/merged_rows.h"
#include "onggi/train/progress.h"

namespace onggi::tasks {
namespace {

constexpr std::int64_t kRowGrain = 16;

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

bool is_float_type(quant::DType type) {
  return type == quant::DType::kF32 || type == quant::DType::kF16 || type == quant::DType::kBF16;
}

formats::TensorToWrite MergeJob::matrix(std::string name, quant::DType type, const nn::WeightMatrix& weight,
                                        std::ptrdiff_t index, std::int64_t head_dim) {
  const nn::LoraLinear* lora = nullptr;
  if (index >= 0 && input_.adapter.linears[static_cast<std::size_t>(index)]) {
    lora = &*input_.adapter.linears[static_cast<std::size_t>(index)];
  }
  ++(lora != nullptr ? summary_.num_merged : summary_.num_kept);
  planned_ += weight.rows * weight.columns;
  const auto read_rows = [this, weight, lora, head_dim](std::int64_t first, std::int64_t count, float* out) {
    input_.context.parallel_for(count, kRowGrain, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = head_dim > 0 ? unpermuted_row(first + i, head_dim) : first + i;
        merged_row(input_.context, weight, lora, row, out + i * weight.columns);
      }
    });
    advance(count * weight.columns);
  };
  return {.name = std::move(name),
          .type = type,
          .shape = {weight.rows, weight.columns},
          .data = {},
          .read_rows = read_rows};
}

formats::TensorToWrite MergeJob::kept(const formats::TensorView& tensor, quant::DType type) {
  ++summary_.num_kept;
  if (tensor.type == type)
    return {.name = tensor.name, .type = type, .shape = tensor.shape, .data = tensor.data, .read_rows = {}};
  planned_ += tensor.num_elements();
  const auto read_rows = [this, &tensor](std::int64_t first, std::int64_t count, float* out) {
    decoded_rows(input_.context, tensor, first, count, out);
    advance(count * (tensor.shape.empty() ? 1 : tensor.shape.back()));
  };
  return {.name = tensor.name, .type = type, .shape = tensor.shape, .data = {}, .read_rows = read_rows};
}

formats::TensorToWrite MergeJob::vector(std::string name, quant::DType type, const std::vector<float>& values,
                                        float add) {
  ++summary_.num_kept;
  const auto read_rows = [&values, add](std::int64_t, std::int64_t, float* out) {
    std::transform(values.begin(), values.end(), out, [add](float x) { return x + add; });
  };
  return {.name = std::move(name),
          .type = type,
          .shape = {static_cast<std::int64_t>(values.size())},
          .data = {},
          .read_rows = read_rows};
}

std::map<std::string, std::size_t> MergeJob::changed_tensors() const {
  const auto& checkpoint = input_.decoder.checkpoint();
  const auto names = models::find_architecture(checkpoint).weight_names(checkpoint);
  std::map<std::string, std::size_t> changed;
  for (std::size_t i = 0; i < input_.adapter.linears.size(); ++i) {
    if (!input_.adapter.linears[i]) continue;
    const int layer = static_cast<int>(i / models::kNumSlots);
    changed.emplace(models::at_layer(names.linears[i % models::kNumSlots], layer) + ".weight", i);
  }
  return changed;
}

bool MergeJob::is_permuted(std::size_t index) const {
  const auto slot = static_cast<models::LinearSlot>(index % models::kNumSlots);
  return input_.decoder.config().permuted_qk && (slot == models::LinearSlot::kQ || slot == models::LinearSlot::kK);
}

void MergeJob::advance(std::int64_t elements) {
  const double now = clock_seconds();
  if (done_ == 0) started_at_ = shown_at_ = now;
  done_ += elements;
  const bool is_last = done_ >= planned_;
  if (!input_.write || (!is_last && now - shown_at_ < (input_.is_terminal ? 0.2 : 10.0))) return;
  shown_at_ = now;
  const double share = static_cast<double>(done_) / static_cast<double>(std::max<std::int64_t>(planned_, 1));
  const double passed = now - started_at_;
  char line[120];
  std::snprintf(line, sizeof line, "%s%3.0f %% of %.1f M weights  %s left %s", input_.is_terminal ? "\r" : "",
                100 * share, static_cast<double>(planned_) / 1e6,
                train::format_duration(passed * (1 - share) / std::max(share, 1e-9)).c_str(),
                input_.is_terminal && !is_last ? "" : "\n");
  input_.write(line);
}

}  // namespace onggi::tasks
