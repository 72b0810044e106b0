#include "onggi/formats/hf_directory.h"

#include <map>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/quote.h"
#include "onggi/formats/safetensors.h"

namespace onggi::formats {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{64} << 20;

class HuggingFaceCheckpoint : public Checkpoint {
 public:
  HuggingFaceCheckpoint(const fs::path& folder, const std::optional<fs::path>& weights)
      : path_(weights.value_or(folder)) {
    require(exists(folder / "config.json"),
            "the folder has no config.json; a model is a GGUF file, or a folder with config.json and safetensors",
            ErrorCode::kNotFound, folder.string());
    metadata_ = read_object(folder / "config.json");
    if (exists(folder / "generation_config.json")) generation_config_ = read_object(folder / "generation_config.json");
    if (weights) {
      files_.push_back(std::make_unique<SafetensorsFile>(*weights));
    } else if (exists(folder / "model.safetensors.index.json")) {
      open_shards(folder, folder / "model.safetensors.index.json");
    } else {
      require(
          exists(folder / "model.safetensors"),
          [&] {
            const char* hint =
                exists(folder / "pytorch_model.bin") ? "; it has pytorch_model.bin, which must be converted first" : "";
            return std::string("the folder has neither model.safetensors nor model.safetensors.index.json") + hint;
          },
          ErrorCode::kNotFound, folder.string());
      files_.push_back(std::make_unique<SafetensorsFile>(folder / "model.safetensors"));
    }
    for (const auto& file : files_) {
      for (const auto& tensor : file->tensors()) {
        require(
            by_name_.emplace(tensor.name, tensors_.size()).second,
            [&] { return "tensor " + quote(tensor.name) + " stands in two shards"; }, ErrorCode::kCorrupt, tensor.file);
        tensors_.push_back(tensor);
      }
    }
  }

  CheckpointKind kind() const override { return CheckpointKind::kHuggingFace; }
  const fs::path& path() const override { return path_; }
  const Json& metadata() const override { return metadata_; }
  const Json& generation_config() const override { return generation_config_; }
  std::span<const TensorView> tensors() const override { return tensors_; }
  const TensorView* find(std::string_view name) const override {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &tensors_[it->second];
  }
  std::optional<std::vector<std::string_view>> string_array(std::string_view) const override { return std::nullopt; }
  std::optional<std::vector<float>> float_array(std::string_view) const override { return std::nullopt; }
  std::optional<std::vector<std::int32_t>> int_array(std::string_view) const override { return std::nullopt; }

 private:
  /// Without the exception of the standard one where a folder can't be searched: opening reports that.
  static bool exists(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
  }

  static Json read_object(const fs::path& path) {
    Json value = parse_json(read_file(path, kMaxConfigBytes), path.string());
    require(value.is_object(), "expected a JSON object", ErrorCode::kCorrupt, path.string());
    return value;
  }

  void open_shards(const fs::path& folder, const fs::path& index) {
    const auto check = [&](bool ok, auto&& message, ErrorCode code = ErrorCode::kCorrupt) {
      require(ok, message, code, index.string());
    };
    const Json json = read_object(index);
    const auto map = json.find("weight_map");
    check(map != json.end() && map->is_object() && !map->empty(), "\"weight_map\" is missing, empty or no object");
    std::map<std::string, const SafetensorsFile*> opened;
    for (const auto& [tensor, value] : map->items()) {
      const std::string file = value.is_string() ? value.get<std::string>() : "";
      const bool is_name =
          file.ends_with(".safetensors") && file.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
      check(is_name, [&, &name = tensor] {
        return "tensor " + quote(name) + " is mapped to " + quote(file) +
               ", expected a .safetensors file of this folder";
      });
      auto& shard = opened[file];
      if (shard == nullptr) {
        check(
            exists(folder / file), [&] { return "the index names " + quote(file) + ", which is not in the folder"; },
            ErrorCode::kNotFound);
        files_.push_back(std::make_unique<SafetensorsFile>(folder / file));
        shard = files_.back().get();
      }
      check(shard->find(tensor) != nullptr, [&, &name = tensor] {
        return "tensor " + quote(name) + " is not in " + quote(file) + ", where the index puts it";
      });
    }
  }

  fs::path path_;
  Json metadata_;
  Json generation_config_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_hugging_face(const fs::path& folder, const std::optional<fs::path>& weights) {
  return std::make_unique<HuggingFaceCheckpoint>(folder, weights);
}

}  // namespace onggi::formats
