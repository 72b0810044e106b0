#include "onggi/core/error.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/tasks/merge/merge_job.h"

namespace onggi::tasks {
namespace {

using quant::DType;

constexpr std::string_view kOriginKey = "onggi.origin";

/// general.file_type of llama.cpp for files that are mostly of a type.
std::uint32_t file_type_number(DType type) {
  switch (type) {
    case DType::kF32: return 0;
    case DType::kF16: return 1;
    case DType::kQ4_0: return 2;
    case DType::kQ8_0: return 7;
    default: return 32;  // BF16
  }
}

DType merged_type(const MergeJob& job, const formats::TensorView& tensor) {
  const DType wanted = job.type().value_or(is_float_type(tensor.type) ? tensor.type : DType::kQ8_0);
  // As llama.cpp does where rows do not fill blocks.
  return tensor.shape.back() % quant::traits(wanted).block_elements == 0 ? wanted : DType::kF16;
}

}  // namespace

void merge_to_gguf(MergeJob& job, const std::filesystem::path& path) {
  const auto& decoder = job.input().decoder;
  const auto& base = decoder.checkpoint();
  require(base.kind() == formats::CheckpointKind::kGguf,
          "a GGUF file is written from a GGUF base only, whose tokenizer and keys it takes over; the base is a Hugging "
          "Face "
          "folder: give --output a folder, and convert that where GGUF is needed",
          ErrorCode::kInvalidArgument, base.path().string());
  const auto changed = job.changed_tensors();
  std::vector<formats::TensorToWrite> tensors;
  std::optional<DType> first_merged;
  for (const auto& tensor : base.tensors()) {
    const auto found = changed.find(tensor.name);
    if (found == changed.end()) {
      tensors.push_back(job.kept(tensor, tensor.type));
      continue;
    }
    const DType type = merged_type(job, tensor);
    if (!first_merged) first_merged = type;
    const auto& weight = decoder.linear_at(found->second).weight;
    const int head_dim = job.is_permuted(found->second) ? decoder.config().head_dim : 0;
    tensors.push_back(job.matrix(tensor.name, type, weight, static_cast<std::ptrdiff_t>(found->second), head_dim));
  }
  auto entries = formats::gguf_entries(base);
  std::erase_if(entries, [](const auto& entry) { return entry.key == kOriginKey; });
  for (auto& entry : entries) {
    if (entry.key == "general.file_type")
      entry = formats::gguf_entry(entry.key, file_type_number(job.type().value_or(*first_merged)));
  }
  if (!job.input().origin.is_null())
    entries.push_back(formats::gguf_entry(std::string(kOriginKey), dump_json(job.input().origin)));
  formats::write_gguf(path, entries, tensors);
  job.summary().num_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
}

}  // namespace onggi::tasks
