#include "onggi/tasks/generate/output.h"

#include <algorithm>

#include "onggi/core/error.h"

namespace onggi::tasks {
namespace {

constexpr std::int64_t kRowsPerSync = 64;

/// Names and values of the first difference: "options"."seed" was 0, now 5.
void require_equal(const Json& before, const Json& now, const std::string& name, const std::string& where) {
  if (before.is_object() && now.is_object()) {
    for (const auto& [key, value] : now.items()) {
      require_equal(before.contains(key) ? before[key] : Json(nullptr), value, name + (name.empty() ? "\"" : ".\"") + key + "\"", where);
    }
    return;
  }
  require(before == now,
          [&] {
            return "the output was begun with other settings: " + name + " was " + before.dump() + ", now " + now.dump() +
                   "; choose another output file, or remove the old one with its manifest";
          },
          ErrorCode::kInvalidArgument, where);
}

void check_manifest(const std::filesystem::path& path, const Json& manifest) {
  const Json found = parse_json(read_file(path), path.string());
  require(found.is_object(), "expected a JSON object", ErrorCode::kCorrupt, path.string());
  require_equal(found, manifest, "", path.string());
}

}  // namespace

OrderedOutput::OrderedOutput(const std::filesystem::path& path, const Json& manifest) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  require(!error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, path.parent_path().string());
  require(!std::filesystem::exists(path) || std::filesystem::is_regular_file(path),
          "the output must be a regular file, which a later call can go on with", ErrorCode::kInvalidArgument, path.string());
  const std::filesystem::path manifest_path = path.string() + ".manifest.json";
  require(!std::filesystem::exists(path) || std::filesystem::exists(manifest_path) || std::filesystem::file_size(path) == 0,
          "the output file is there already and was not made by `onggi generate`; choose another name",
          ErrorCode::kInvalidArgument, path.string());
  std::ptrdiff_t keep = 0;
  if (std::filesystem::exists(path)) {
    const std::string content = read_file(path);
    next_ = std::count(content.begin(), content.end(), '\n');
    const auto last = content.rfind('\n');
    keep = last == std::string::npos ? 0 : static_cast<std::ptrdiff_t>(last) + 1;
  }
  if (next_ > 0) {
    check_manifest(manifest_path, manifest);
  } else {  // Nothing answered yet: nothing to mix with.
    write_file_atomic(manifest_path, dump_json(manifest, 1) + "\n");
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
