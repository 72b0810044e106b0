#include <algorithm>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{512} << 20;

TokenizerSpec read_one_file(std::string_view bytes, const std::string& where) {
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) throw Error(ErrorCode::kCorrupt, "the tokenizer file is empty", where);
  if (bytes[first] == '{') return read_tokenizer_json(bytes, where);
  // A SentencePiece model begins with its first piece, field 1; base64 has no such byte.
  if (bytes[0] == '\x0A') return read_sentencepiece_model(bytes, where);
  require(bytes[0] != '\x1F', "the file is compressed; unpack it first", ErrorCode::kInvalidArgument, where);
  // A list of WordPiece tokens has [UNK] among its lines; no line of it has a space.
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  if (line.find(' ') == std::string_view::npos && bytes.find("[UNK]") != std::string_view::npos) {
    return read_word_list(bytes, where);
  }
  require(line.size() < 4096 && line.find(' ') != std::string_view::npos,
          "not a tokenizer that is known: expected GGUF, tokenizer.json, a SentencePiece model, vocab.txt or tiktoken",
          ErrorCode::kCorrupt, where);
  return read_tiktoken(bytes, where);
}

/// The tokenizer file of a folder; nullopt where there is none.
std::optional<fs::path> find_in_folder(const fs::path& folder) {
  for (const char* name : {"tokenizer.json", "tokenizer.model", "sentencepiece.bpe.model", "vocab.txt"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".tiktoken") others.push_back(entry.path());
  }
  if (others.empty()) return std::nullopt;
  return *std::min_element(others.begin(), others.end());
}

Json read_json_if_there(const fs::path& path) {
  if (!fs::exists(path)) return {};
  return parse_json(read_file(path, kMaxFileBytes), path.string());
}

std::unique_ptr<Tokenizer> open_file(const fs::path& file, const Json* generation_config) {
  TokenizerSpec spec = read_one_file(read_file(file, kMaxFileBytes), file.string());
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  read_tokenizer_config(read_json_if_there(folder / "tokenizer_config.json"), spec);
  read_generation_config(
      generation_config != nullptr ? *generation_config : read_json_if_there(folder / "generation_config.json"), spec);
  if (fs::exists(folder / "chat_template.jinja")) {
    spec.chat_template = read_file(folder / "chat_template.jinja", kMaxFileBytes);
  }
  return make_tokenizer(std::move(spec));
}

fs::path tokenizer_of_folder(const fs::path& folder) {
  const auto file = find_in_folder(folder);
  require(file.has_value(), "the folder has no tokenizer.json, tokenizer.model, vocab.txt or *.tiktoken",
          ErrorCode::kNotFound, folder.string());
  return *file;
}

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer(const formats::Checkpoint& checkpoint) {
  if (checkpoint.kind() == formats::CheckpointKind::kGguf) return make_tokenizer(read_gguf_tokenizer(checkpoint));
  const fs::path& path = checkpoint.path();
  const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
  return open_file(tokenizer_of_folder(folder), &checkpoint.generation_config());
}

std::unique_ptr<Tokenizer> open_tokenizer(const fs::path& path) {
  require(fs::exists(path), "there is no such file or folder", ErrorCode::kNotFound, path.string());
  if (fs::is_directory(path)) return open_file(tokenizer_of_folder(path), nullptr);
  bool is_gguf = false;
  {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    is_gguf = bytes.size() >= 4 && std::string_view(reinterpret_cast<const char*>(bytes.data()), 4) == "GGUF";
  }
  if (is_gguf) return open_tokenizer(*formats::open_checkpoint(path));
  return open_file(path, nullptr);
}

}  // namespace onggi::text
