#include "onggi/core/error.h"
#include "onggi/models/bert/bert_config.h"
#include "onggi/models/decoder_config.h"
#include "onggi/models/gemma3/gemma3.h"
#include "onggi/models/llama/llama.h"
#include "onggi/models/qwen/qwen.h"

namespace onggi::models {

const Architecture& find_architecture(const formats::Checkpoint& checkpoint) {
  static const std::array<Architecture, 4> kAll = {gemma3_architecture(), llama_architecture(), qwen2_architecture(),
                                                   qwen3_architecture()};
  for (const auto& architecture : kAll) {
    if (architecture.matches(checkpoint)) return architecture;
  }
  require(!is_bert(checkpoint), "the model is a text encoder: `onggi embed` takes it, nothing that writes text does",
          ErrorCode::kInvalidArgument, checkpoint.path().string());
  const char* key = checkpoint.kind() == formats::CheckpointKind::kGguf ? "general.architecture" : "model_type";
  std::string known;
  for (const auto& architecture : kAll) known += (known.empty() ? "" : ", ") + std::string(architecture.name);
  throw Error(ErrorCode::kInvalidArgument,
              std::string("model architecture ") + checkpoint.metadata().value(key, Json(nullptr)).dump() +
                  " is not supported (" + known + " are)",
              checkpoint.path().string());
}

}  // namespace onggi::models
