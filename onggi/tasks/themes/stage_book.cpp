#include "onggi/tasks/themes/stage_book.h"

#include <algorithm>
#include <chrono>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"

namespace onggi::tasks {
namespace {

constexpr const char* kStateFile = "state.json";

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

StageRecord record_of(const Json& json, const std::string& where) {
  const bool is_whole = json.is_object() && json.contains("name") && json["name"].is_string() && json.contains("key") &&
                        json.contains("files") && json["files"].is_object() && json.contains("counts") &&
                        json["counts"].is_object() && json.contains("seconds") && json["seconds"].is_number();
  require(is_whole, "a stage is not {name, key, files, counts, seconds}", ErrorCode::kCorrupt, where);
  StageRecord record{.name = json["name"].get<std::string>(),
                     .key = json["key"],
                     .files = {},
                     .counts = json["counts"],
                     .seconds = json["seconds"].get<double>()};
  for (const auto& [file, hash] : json["files"].items()) {
    require(hash.is_string(), "the hash of \"" + file + "\" is no text", ErrorCode::kCorrupt, where);
    record.files.emplace(file, hash.get<std::string>());
  }
  return record;
}

}  // namespace

StageBook::StageBook(std::filesystem::path folder) : folder_(std::move(folder)) {
  const auto path = folder_ / kStateFile;
  if (!std::filesystem::exists(path)) return;
  const Json json = parse_json(read_file(path, std::size_t{1} << 24), path.string());
  require(json.is_object() && json.contains("stages") && json["stages"].is_array(), "expected {\"stages\": [...]}",
          ErrorCode::kCorrupt, path.string());
  for (const auto& stage : json["stages"]) records_.push_back(record_of(stage, path.string()));
}

bool StageBook::is_done(std::string_view name, const Json& key) const {
  const auto* record = find(name);
  if (record == nullptr || record->files.empty() || record->key != key) return false;
  return std::ranges::all_of(record->files, [&](const auto& file) {
    return std::filesystem::exists(folder_ / file.first) && sha256_file((folder_ / file.first).string()) == file.second;
  });
}

void StageBook::begin(std::string_view name, const Json& key, const std::vector<std::string>& files) {
  auto* record = find(name);
  if (record == nullptr) {
    records_.push_back({.name = std::string(name), .key = nullptr});
    record = &records_.back();
  }
  if (record->key != key) {
    for (const auto& file : files) {
      std::error_code error;
      std::filesystem::remove(folder_ / file, error);
      require(
          !error, [&] { return "can't remove the file of an earlier run: " + error.message(); },
          ErrorCode::kUnavailable, (folder_ / file).string());
    }
    *record = {.name = std::string(name), .key = key};
  }
  record->files.clear();
  record->counts = Json::object();
  running_ = name;
  began_ = now_s();
  save();
}

void StageBook::finish(std::string_view name, const std::vector<std::string>& files, Json counts) {
  auto* record = find(name);
  require(
      record != nullptr && running_ == name, [&] { return "stage " + std::string(name) + " was not begun"; },
      ErrorCode::kInternal);
  for (const auto& file : files) {
    if (std::filesystem::exists(folder_ / file)) record->files[file] = sha256_file((folder_ / file).string());
  }
  record->counts = std::move(counts);
  record->seconds += now_s() - began_;
  running_.clear();
  save();
}

const std::string& StageBook::hash_of(const std::string& file) const {
  for (const auto& record : records_) {
    const auto found = record.files.find(file);
    if (found != record.files.end()) return found->second;
  }
  throw Error(ErrorCode::kInternal, "no finished stage wrote " + file);
}

StageRecord* StageBook::find(std::string_view name) {
  const auto found = std::ranges::find(records_, name, &StageRecord::name);
  return found == records_.end() ? nullptr : &*found;
}
const StageRecord* StageBook::find(std::string_view name) const {
  const auto found = std::ranges::find(records_, name, &StageRecord::name);
  return found == records_.end() ? nullptr : &*found;
}

void StageBook::save() const {
  Json stages = Json::array();
  for (const auto& r : records_) {
    Json files = Json::object();
    for (const auto& [file, hash] : r.files) files[file] = hash;
    stages.push_back(
        {{"name", r.name}, {"key", r.key}, {"files", std::move(files)}, {"counts", r.counts}, {"seconds", r.seconds}});
  }
  write_file_atomic(folder_ / kStateFile, dump_json({{"running", running_}, {"stages", std::move(stages)}}, 1) + "\n");
}

}  // namespace onggi::tasks
