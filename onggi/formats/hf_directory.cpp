#include "onggi/formats/hf_directory.h"

#include <map>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/safetensors.h"

namespace onggi::formats {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{64} << 20;

class HuggingFaceCheckpoint : public Checkpoint {
 public:
  explicit HuggingFaceCheckpoint(const std::filesystem::path& folder) : path_(folder) {
    metadata_ = read_object(folder / "config.json");
    if (std::filesystem::exists(folder / "generation_config.json")) {
      generation_config_ = read_object(folder / "generation_config.json");
    }
    const auto index = folder / "model.safetensors.index.json";
    const auto single = folder / "model.safetensors";
    if (std::filesystem::exists(index)) {
      open_shards(index);
    } else {
      require(std::filesystem::exists(single),
              "the folder has neither model.safetensors nor model.safetensors.index.json", ErrorCode::kNotFound,
              folder.string());
      files_.push_back(std::make_unique<SafetensorsFile>(single));
    }
    for (const auto& file : files_) {
      for (const auto& tensor : file->tensors()) {
        require(by_name_.emplace(tensor.name, tensors_.size()).second,
                [&] { return "tensor \"" + tensor.name + "\" stands in two shards"; }, ErrorCode::kCorrupt, tensor.file);
        tensors_.push_back(tensor);
      }
    }
  }

  CheckpointKind kind() const override { return CheckpointKind::kHuggingFace; }
  const std::filesystem::path& path() const override { return path_; }
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
  static Json read_object(const std::filesystem::path& path) {
    Json value = parse_json(read_file(path, kMaxConfigBytes), path.string());
    require(value.is_object(), "expected a JSON object", ErrorCode::kCorrupt, path.string());
    return value;
  }

  void open_shards(const std::filesystem::path& index) {
    const Json json = read_object(index);
    const auto map = json.find("weight_map");
    require(map != json.end() && map->is_object(), "\"weight_map\" is missing or no object", ErrorCode::kCorrupt, index.string());
    std::map<std::string, const SafetensorsFile*> opened;
    for (const auto& [name, file] : map->items()) {
      require(file.is_string(), [&, &name = name] { return "\"" + name + "\" names no file"; }, ErrorCode::kCorrupt, index.string());
      const auto file_name = file.get<std::string>();
      require(file_name.find('/') == std::string::npos && file_name != "..",
              [&] { return "shard \"" + file_name + "\" is outside the folder"; }, ErrorCode::kCorrupt, index.string());
      auto& shard = opened[file_name];
      if (shard == nullptr) {
        files_.push_back(std::make_unique<SafetensorsFile>(path_ / file_name));
        shard = files_.back().get();
      }
      require(shard->find(name) != nullptr,
              [&, &name = name] { return "tensor \"" + name + "\" is not in " + file_name + ", where the index puts it"; },
              ErrorCode::kCorrupt, index.string());
    }
  }

  std::filesystem::path path_;
  Json metadata_;
  Json generation_config_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_hugging_face(const std::filesystem::path& folder) {
  return std::make_unique<HuggingFaceCheckpoint>(folder);
}

}  // namespace onggi::formats
