#include "onggi/formats/checkpoint.h"

#include <algorithm>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/gguf.h"
#include "onggi/formats/hf_directory.h"
#include "onggi/formats/quote.h"
#include "onggi/formats/safetensors.h"

namespace onggi::formats {

std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  require(status.type() != std::filesystem::file_type::not_found, "there is no such file or folder",
          ErrorCode::kNotFound, path.string());
  if (std::filesystem::is_directory(status)) return open_hugging_face(path);
  std::string begin;
  {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    require(!bytes.empty(), "the file is empty", ErrorCode::kCorrupt, path.string());
    if (looks_like_gguf(bytes)) return open_gguf(path);
    if (looks_like_safetensors(bytes) || path.extension() == ".safetensors") {
      return open_hugging_face(path.has_parent_path() ? path.parent_path() : ".", path);
    }
    begin.assign(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 8));
  }
  throw Error(ErrorCode::kCorrupt,
              "the file begins with " + quote(begin) +
                  ", which is no model that can be read; expected a GGUF file, a folder " +
                  "with config.json and safetensors, or a safetensors file beside its config.json",
              path.string());
}

}  // namespace onggi::formats
