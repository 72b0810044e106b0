#include "onggi/train/run_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::train {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxJsonBytes = std::size_t{1} << 26;
constexpr std::size_t kMaxMetricsBytes = std::size_t{1} << 30;
constexpr std::string_view kEventsName = "events.out.tfevents.0000000000.onggi";

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  require(
      !error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, path.string());
}

Json read_json(const fs::path& path) { return parse_json(read_file(path, kMaxJsonBytes), path.string()); }

bool is_leftover(const fs::path& path) { return path.filename().string().find(".tmp.") != std::string::npos; }

/// A folder may become a run if it is empty, or holds what a start of this run left that was killed.
void require_free(const fs::path& path, const std::string& config) {
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name == "run.lock" || is_leftover(entry.path())) continue;
    if (name == "checkpoints" && entry.is_directory() && fs::is_empty(entry.path())) continue;
    if (name == "config.json" && read_file(entry.path(), kMaxJsonBytes) == config) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "the folder holds something else already (\"" + name + "\"); choose an empty or new folder for the run", path.string());
  }
}

/// What a killed process was writing and had not yet put in place.
void remove_leftovers(const fs::path& path) {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (is_leftover(entry.path())) leftovers.push_back(entry.path());
  }
  for (const auto& leftover : leftovers) fs::remove_all(leftover);
}

int lock_folder(const fs::path& path) {
  const std::string name = (path / "run.lock").string();
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  require(
      fd >= 0, [] { return std::string("can't open the lock file: ") + std::strerror(errno); }, ErrorCode::kUnavailable,
      name);
  if (lock_file(fd)) return fd;
  ::close(fd);
  throw Error(ErrorCode::kUnavailable, "the run is in use by another process; wait for it or stop it", path.string());
}

/// Length of the part of metrics.jsonl whose lines are whole and not after `last_step`.
std::ptrdiff_t metrics_to_keep(const fs::path& path, std::int64_t last_step) {
  if (!fs::exists(path)) return 0;
  const std::string text = read_file(path, kMaxMetricsBytes);
  std::size_t keep = 0;
  for (std::size_t end = 0; (end = text.find('\n', keep)) != std::string::npos; keep = end + 1) {
    try {
      const Json line = parse_json(std::string_view(text).substr(keep, end - keep), path.string());
      if (!line.is_object() || !line.contains("step") || line["step"].get<std::int64_t>() > last_step) break;
    } catch (const std::exception&) {
      break;  // Torn by a crash: what follows was not synced either.
    }
  }
  return static_cast<std::ptrdiff_t>(keep);
}

std::string text_member(const Json& json, const char* name, std::string_view where) {
  const auto it = json.find(name);
  require(
      it != json.end() && it->is_string(), [&] { return "member \"" + std::string(name) + "\" must be a text"; },
      ErrorCode::kCorrupt, where);
  return it->get<std::string>();
}

}  // namespace

Json Manifest::to_json() const {
  Json inputs = Json::object();
  for (const auto& [name, hash] : hashes) inputs[name] = hash;
  return {{"format", "onggi run 1"},    {"tool_version", tool_version},
          {"tool_commit", tool_commit}, {"instruction_set", instruction_set},
          {"created", created},         {"command_line", command_line},
          {"base_path", base_path},     {"seed", seed},
          {"hashes", std::move(inputs)}};
}

Manifest Manifest::from_json(const Json& json, std::string_view where) {
  const auto check = [&](bool ok, const char* message) { require(ok, message, ErrorCode::kCorrupt, where); };
  check(json.is_object(), "expected a JSON object");
  check(text_member(json, "format", where) == "onggi run 1", "not a run manifest of version 1");
  Manifest m;
  m.tool_version = text_member(json, "tool_version", where);
  m.tool_commit = text_member(json, "tool_commit", where);
  m.instruction_set = text_member(json, "instruction_set", where);
  m.created = text_member(json, "created", where);
  m.base_path = text_member(json, "base_path", where);
  const auto seed = json.find("seed");
  check(seed != json.end() && seed->is_number_integer(), "member \"seed\" must be an integer");
  m.seed = seed->get<std::int64_t>();
  const auto words = json.find("command_line");
  check(words != json.end() && words->is_array(), "member \"command_line\" must be a list");
  for (const Json& word : *words) {
    check(word.is_string(), "member \"command_line\" must hold texts");
    m.command_line.push_back(word.get<std::string>());
  }
  const auto inputs = json.find("hashes");
  check(inputs != json.end() && inputs->is_object(), "member \"hashes\" must be an object");
  for (const auto& [name, hash] : inputs->items()) {
    check(hash.is_string(), "member \"hashes\" must hold texts");
    m.hashes.emplace_back(name, hash.get<std::string>());
  }
  return m;
}

RunFolder RunFolder::create(const fs::path& path, const Json& config, const Manifest& manifest) {
  make_folder(path);
  const std::string config_text = dump_json(config, 2) + "\n";
  if (!fs::exists(path / "manifest.json")) require_free(path, config_text);
  const int lock = lock_folder(path);
  try {
    require(!fs::exists(path / "manifest.json"), "the folder holds a run already; resume it or choose another folder",
            ErrorCode::kInvalidArgument, path.string());
    make_folder(path / "checkpoints");
    write_file_atomic(path / "config.json", config_text);
    // Last, since a folder counts as a run once it has its manifest.
    write_file_atomic(path / "manifest.json", dump_json(manifest.to_json(), 2) + "\n");
    return RunFolder(path, config, manifest, lock, -1);
  } catch (...) {
    ::close(lock);
    throw;
  }
}

RunFolder RunFolder::resume(const fs::path& path, std::int64_t last_step) {
  require(fs::exists(path / "manifest.json"), "no run here (manifest.json is missing)", ErrorCode::kNotFound,
          path.string());
  const int lock = lock_folder(path);
  try {
    const fs::path manifest = path / "manifest.json";
    return RunFolder(path, read_json(path / "config.json"), Manifest::from_json(read_json(manifest), manifest.string()),
                     lock, last_step);
  } catch (...) {
    ::close(lock);
    throw;
  }
}

RunFolder::RunFolder(fs::path path, Json config, Manifest manifest, int lock, std::int64_t last_step)
    : path_(std::move(path)), config_(std::move(config)), manifest_(std::move(manifest)) {
  remove_leftovers(path_);
  make_folder(path_ / "tensorboard");
  const fs::path metrics = path_ / "metrics.jsonl";
  metrics_ = std::make_unique<AppendFile>(metrics, metrics_to_keep(metrics, last_step));
  events_ = std::make_unique<EventWriter>(path_ / "tensorboard" / kEventsName, last_step, now_seconds());
  lock_ = lock;
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)),
      config_(std::move(other.config_)),
      manifest_(std::move(other.manifest_)),
      lock_(std::exchange(other.lock_, -1)),
      metrics_(std::move(other.metrics_)),
      events_(std::move(other.events_)) {}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

void RunFolder::log(std::int64_t step, const Json& metrics) {
  Json line = {{"step", step}};
  std::vector<std::pair<std::string, float>> scalars;
  for (const auto& [name, value] : metrics.items()) {
    require(name != "step", "a metric can't be called \"step\"");
    line[name] = value;
    if (value.is_number()) scalars.emplace_back(name, value.get<float>());
  }
  metrics_->append(dump_json(line) + "\n");
  if (!scalars.empty()) events_->add(step, scalars, now_seconds());
}

void RunFolder::sync() {
  metrics_->sync();
  events_->sync();
}

void RunFolder::finish(const Json& result) {
  sync();
  write_file_atomic(path_ / "result.json", dump_json(result, 2) + "\n");
}

std::vector<Json> read_metrics(const fs::path& run) {
  const fs::path path = run / "metrics.jsonl";
  const std::string text = read_file(path, kMaxMetricsBytes);
  std::vector<Json> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string where = path.string() + ", line " + std::to_string(lines.size() + 1);
    lines.push_back(parse_json(std::string_view(text).substr(begin, end - begin), where));
    require(lines.back().is_object() && lines.back().contains("step") && lines.back()["step"].is_number_integer(),
            "expected an object with an integer \"step\"", ErrorCode::kCorrupt, where);
  }
  return lines;
}

namespace {

void add_metrics(RunSummary& run, const std::vector<Json>& lines) {
  std::map<std::string, std::size_t> index;
  for (const Json& line : lines) {
    const auto step = line["step"].get<std::int64_t>();
    run.steps = std::max(run.steps, step);
    for (const auto& [name, value] : line.items()) {
      if (name == "step" || !value.is_number()) continue;
      const double number = value.get<double>();
      const auto [it, is_new] = index.emplace(name, run.metrics.size());
      if (is_new) run.metrics.push_back({.name = name, .lowest = number, .lowest_step = step});
      MetricSummary& metric = run.metrics[it->second];
      metric.last = number;
      metric.last_step = step;
      if (number < metric.lowest) {
        metric.lowest = number;
        metric.lowest_step = step;
      }
    }
  }
}

std::string shown(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string shown(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

void flatten(const Json& value, const std::string& prefix, std::vector<std::pair<std::string, std::string>>& out) {
  if (!value.is_object()) {
    out.emplace_back(prefix, shown(value));
    return;
  }
  for (const auto& [key, item] : value.items()) flatten(item, prefix.empty() ? key : prefix + "." + key, out);
}

/// Rows in order of first appearance, a column a run.
std::vector<RunComparison::Row> make_rows(
    const std::vector<std::vector<std::pair<std::string, std::string>>>& columns) {
  std::vector<RunComparison::Row> rows;
  std::map<std::string, std::size_t> index;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (const auto& [key, value] : columns[c]) {
      const auto [it, is_new] = index.emplace(key, rows.size());
      if (is_new) rows.push_back({key, std::vector<std::string>(columns.size())});
      rows[it->second].values[c] = value;
    }
  }
  return rows;
}

}  // namespace

RunSummary summarize_run(const fs::path& path) {
  RunSummary run{.name = path.filename().string(), .path = path};
  if (run.name.empty()) run.name = path.parent_path().filename().string();
  try {
    const fs::path manifest = path / "manifest.json";
    run.manifest = Manifest::from_json(read_json(manifest), manifest.string());
    run.config = read_json(path / "config.json");
    if (fs::exists(path / "result.json")) run.result = read_json(path / "result.json");
    if (fs::exists(path / "metrics.jsonl")) add_metrics(run, read_metrics(path));
  } catch (const Error& e) {
    run.problem = e.what();
  }
  return run;
}

std::vector<RunSummary> list_runs(const fs::path& folder) {
  require(fs::is_directory(folder), "no such folder", ErrorCode::kNotFound, folder.string());
  if (fs::exists(folder / "manifest.json")) return {summarize_run(folder)};
  std::vector<RunSummary> runs;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code absent;
    if (fs::exists(it->path() / "manifest.json", absent)) runs.push_back(summarize_run(it->path()));
  }
  require(
      !error, [&] { return "can't list the folder: " + error.message(); }, ErrorCode::kUnavailable, folder.string());
  std::sort(runs.begin(), runs.end(), [](const RunSummary& a, const RunSummary& b) {
    return std::tie(a.manifest.created, a.name) < std::tie(b.manifest.created, b.name);
  });
  return runs;
}

RunComparison compare_runs(std::span<const RunSummary> runs) {
  RunComparison result;
  std::vector<std::vector<std::pair<std::string, std::string>>> configs;
  std::vector<std::vector<std::pair<std::string, std::string>>> metrics;
  for (const RunSummary& run : runs) {
    result.names.push_back(run.name);
    configs.emplace_back();
    if (!run.config.is_null()) flatten(run.config, "", configs.back());
    for (const auto& [name, hash] : run.manifest.hashes)
      configs.back().emplace_back("hash." + name, hash.substr(0, 12));
    metrics.emplace_back();
    for (const MetricSummary& metric : run.metrics) {
      metrics.back().emplace_back(metric.name, shown(metric.last));
      metrics.back().emplace_back(metric.name + " (lowest)",
                                  shown(metric.lowest) + " at step " + std::to_string(metric.lowest_step));
    }
  }
  result.config = make_rows(configs);
  std::erase_if(result.config, [](const RunComparison::Row& row) {
    return std::all_of(row.values.begin(), row.values.end(), [&](const auto& value) { return value == row.values[0]; });
  });
  result.metrics = make_rows(metrics);
  return result;
}

}  // namespace onggi::train
