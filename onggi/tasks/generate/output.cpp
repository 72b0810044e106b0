#include "onggi/tasks/generate/output.h"

#include <algorithm>

#include "onggi/core/error.h"

namespace onggi::tasks {
namespace {

constexpr std::int64_t kRowsPerSync = 64;

void check_manifest(const std::filesystem::path& path, const Json& manifest) {
  if (!std::filesystem::exists(path)) {
    write_file_atomic(path, dump_json(manifest, 1) + "\n");
    return;
  }
  const Json found = parse_json(read_file(path), path.string());
  for (const auto& [key, value] : manifest.items()) {
    const Json other = found.is_object() && found.contains(key) ? found[key] : Json(nullptr);
    require(other == value,
            [&, &key = key, &value = value] {
              return "the output was begun with other settings: \"" + key + "\" was " + other.dump() + ", now " + value.dump() +
                     "; choose another output file, or remove the old one with its manifest";
            },
            ErrorCode::kInvalidArgument, path.string());
  }
}

}  // namespace

OrderedOutput::OrderedOutput(const std::filesystem::path& path, const Json& manifest) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  const std::filesystem::path manifest_path = path.string() + ".manifest.json";
  require(!std::filesystem::exists(path) || std::filesystem::exists(manifest_path) || std::filesystem::file_size(path) == 0,
          "the output file is there already and was not made by `onggi generate`; choose another name",
          ErrorCode::kInvalidArgument, path.string());
  check_manifest(manifest_path, manifest);
  std::ptrdiff_t keep = 0;
  if (std::filesystem::exists(path)) {
    const std::string content = read_file(path);
    next_ = std::count(content.begin(), content.end(), '\n');
    const auto last = content.rfind('\n');
    keep = last == std::string::npos ? 0 : static_cast<std::ptrdiff_t>(last) + 1;
  }
  file_ = std::make_unique<AppendFile>(path, keep);
}

void OrderedOutput::add(std::int64_t index, std::string line) {
  waiting_.emplace(index, std::move(line));
  std::string ready;
  for (auto it = waiting_.begin(); it != waiting_.end() && it->first == next_; it = waiting_.erase(it)) {
    ready += it->second;
    ready += '\n';
    ++next_;
    ++unsynced_;
  }
  if (!ready.empty()) file_->append(ready);
  if (unsynced_ >= kRowsPerSync) sync();
}

void OrderedOutput::sync() {
  file_->sync();
  unsynced_ = 0;
}

}  // namespace onggi::tasks
