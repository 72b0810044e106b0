#include "onggi/formats/checkpoint.h"

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/gguf.h"
#include "onggi/formats/hf_directory.h"

namespace onggi::formats {

std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path) {
  require(std::filesystem::exists(path), "there is no such file or folder", ErrorCode::kNotFound, path.string());
  if (std::filesystem::is_directory(path)) {
    require(std::filesystem::exists(path / "config.json"),
            "the folder has no config.json; a model is a GGUF file, or a folder with config.json and safetensors",
            ErrorCode::kNotFound, path.string());
    return open_hugging_face(path);
  }
  if (looks_like_gguf(MappedFile(path).bytes())) return open_gguf(path);
  require(path.extension() == ".safetensors",
          "the file is not a model that can be read: it does not begin with the magic \"GGUF\"; a model is a GGUF file, or a "
          "folder with config.json and safetensors",
          ErrorCode::kCorrupt, path.string());
  return open_hugging_face(path.has_parent_path() ? path.parent_path() : ".");
}

}  // namespace onggi::formats
