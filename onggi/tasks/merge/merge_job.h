#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onggi/formats/tensor_to_write.h"
#include "onggi/tasks/merge/merge.h"

namespace onggi::tasks {

/// What the two writers of a merge share. Confined to one thread, as the context is.
class MergeJob {
 public:
  /// `type` empty: as MergeOptions says.
  MergeJob(const MergeInput& input, std::optional<quant::DType> type) : input_(input), type_(type) {}

  const MergeInput& input() const { return input_; }
  std::optional<quant::DType> type() const { return type_; }
  MergeSummary& summary() { return summary_; }

  /// `weight` with the adapter of Adapter::linears[index] folded in; `head_dim` above 0: rows in the order of Llama's
  /// GGUF files. `index` below 0: the weight alone.
  formats::TensorToWrite matrix(std::string name, quant::DType type, const nn::WeightMatrix& weight,
                                std::ptrdiff_t index, std::int64_t head_dim = 0);
  /// A tensor that the adapter does not touch: its bytes where it has the type already.
  formats::TensorToWrite kept(const formats::TensorView& tensor, quant::DType type);
  /// Numbers at hand; `add` is added to each.
  formats::TensorToWrite vector(std::string name, quant::DType type, const std::vector<float>& values,
                                float add = 0.0F);

  /// Index into Adapter::linears of every tensor of the checkpoint that the adapter changes, by the tensor's name.
  std::map<std::string, std::size_t> changed_tensors() const;
  /// The layer that Adapter::linears[index] belongs to is q or k of a file that has their rows permuted.
  bool is_permuted(std::size_t index) const;

 private:
  void advance(std::int64_t elements);

  const MergeInput& input_;
  std::optional<quant::DType> type_;
  MergeSummary summary_;
  std::int64_t planned_ = 0;  ///< Numbers that are computed, in all.
  std::int64_t done_ = 0;
  double started_at_ = 0.0;
  double shown_at_ = 0.0;
};

bool is_float_type(quant::DType type);

/// Writes `path`. Throws kInvalidArgument if the base is no GGUF file.
void merge_to_gguf(MergeJob& job, const std::filesystem::path& path);

/// Writes into `folder`, which is there and empty.
void merge_to_folder(MergeJob& job, const std::filesystem::path& folder, const MergeOptions& options);

}  // namespace onggi::tasks
