#include "onggi/tasks/ordered_output.h"

#include <limits>

#include "onggi/core/error.h"

namespace onggi::tasks {
namespace {

constexpr std::int64_t kRowsPerSync = 64;

/// Names and values of the first difference: "options"."seed" was 0, now 5.
void require_equal(const Json& before, const Json& now, const std::string& name, const std::string& where) {
  if (before.is_object() && now.is_object()) {
    for (const auto& [key, value] : now.items()) {
      require_equal(before.contains(key) ? before[key] : Json(nullptr), value,
                    name + (name.empty() ? "\"" : ".\"") + key + "\"", where);
    }
    return;
  }
  require(
      before == now,
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

/// Throws where something else than an output that `manifest` tells of is at `path`.
void require_own_file(const std::filesystem::path& path, const OutputFiles& files) {
  require(!std::filesystem::exists(path) || std::filesystem::is_regular_file(path),
          "the output must be a regular file, which a later call can go on with", ErrorCode::kInvalidArgument,
          path.string());
  require(
      !std::filesystem::exists(path) || std::filesystem::exists(files.manifest) ||
          std::filesystem::file_size(path) == 0,
      [&] {
        return "the output file is there already and was not made by `" + files.command + "`; choose another name";
      },
      ErrorCode::kInvalidArgument, path.string());
}

/// Whole records in the file.
std::int64_t num_records(const RecordFile& records) {
  if (!std::filesystem::exists(records.path)) return 0;
  const auto size = std::filesystem::file_size(records.path);
  return size < records.header.size()
             ? 0
             : static_cast<std::int64_t>((size - records.header.size()) / records.record_bytes);
}

}  // namespace

/// Sets the number of rows that are kept; the bytes of their lines.
std::ptrdiff_t OrderedOutput::count_kept(const OutputFiles& files) {
  if (!std::filesystem::exists(files.lines)) return 0;
  const std::int64_t limit = files.records ? num_records(*files.records) : std::numeric_limits<std::int64_t>::max();
  const std::string content = read_file(files.lines);
  std::size_t keep = 0;
  for (auto end = content.find('\n'); end != std::string::npos && next_ < limit; end = content.find('\n', keep)) {
    keep = end + 1;
    ++next_;
  }
  return static_cast<std::ptrdiff_t>(keep);
}

OrderedOutput::OrderedOutput(OutputFiles files, const Json& manifest) {
  std::error_code error;
  if (files.lines.has_parent_path()) std::filesystem::create_directories(files.lines.parent_path(), error);
  require(
      !error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable,
      files.lines.parent_path().string());
  if (files.records) require_own_file(files.records->path, files);
  require_own_file(files.lines, files);
  const std::ptrdiff_t keep = count_kept(files);
  if (next_ > 0) {
    check_manifest(files.manifest, manifest);
  } else {  // Nothing answered yet: nothing to mix with.
    write_file_atomic(files.manifest, dump_json(manifest, 1) + "\n");
  }
  lines_ = std::make_unique<AppendFile>(files.lines, keep);
  if (!files.records) return;
  const auto& [path, header, record_bytes] = *files.records;
  records_ = std::make_unique<AppendFile>(
      path,
      next_ > 0 ? static_cast<std::ptrdiff_t>(header.size()) + next_ * static_cast<std::ptrdiff_t>(record_bytes) : 0);
  if (next_ == 0) records_->append(header);
}

void OrderedOutput::add(std::int64_t index, std::string line, std::string record) {
  waiting_.emplace(index, Entry{std::move(line), std::move(record)});
  Entry ready;
  for (auto it = waiting_.begin(); it != waiting_.end() && it->first == next_; it = waiting_.erase(it)) {
    ready.line += it->second.line;
    ready.line += '\n';
    ready.record += it->second.record;
    ++next_;
    ++unsynced_;
  }
  // A line stands for its record, so the record comes first.
  if (!ready.record.empty()) records_->append(ready.record);
  if (!ready.line.empty()) lines_->append(ready.line);
  if (unsynced_ >= kRowsPerSync) sync();
}

void OrderedOutput::sync() {
  if (records_) records_->sync();
  lines_->sync();
  unsynced_ = 0;
}

}  // namespace onggi::tasks
