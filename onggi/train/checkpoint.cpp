#include "onggi/train/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/formats/safetensors.h"
#include "onggi/formats/safetensors_writer.h"

namespace onggi::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormat = "onggi checkpoint 1";
constexpr const char* kTensorsName = "tensors.safetensors";
constexpr const char* kStateName = "state.json";
constexpr std::size_t kMaxStateBytes = std::size_t{1} << 24;
constexpr std::array<std::string_view, 3> kParts = {"value/", "first_moment/", "second_moment/"};

std::string folder_name(std::int64_t step) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "step-%06lld", static_cast<long long>(step));
  return name.data();
}

/// Published checkpoints, newest first.
std::vector<std::pair<std::int64_t, fs::path>> list_checkpoints(const fs::path& folder) {
  std::vector<std::pair<std::int64_t, fs::path>> all;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::int64_t step = 0;
    if (!name.starts_with("step-")) continue;
    const auto [last, code] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
    if (code == std::errc() && last == name.data() + name.size()) all.emplace_back(step, it->path());
  }
  std::sort(all.rbegin(), all.rend());
  return all;
}

/// What a killed write or prune left behind.
void remove_leftovers(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("step-") && (name.ends_with(".tmp") || name.ends_with(".old")))
      leftovers.push_back(it->path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path, error);
}

Json state_json(const TrainState& state, const AdamW& optimizer, const fs::path& tensors) {
  Json hashes = Json::object();
  for (const auto& [name, hash] : state.hashes) hashes[name] = hash;
  Json body = {{"format", kFormat},           {"step", state.step},   {"epoch", state.epoch},
               {"index", state.index},        {"seed", state.seed},   {"updates", optimizer.num_updates()},
               {"hashes", std::move(hashes)}, {"extra", state.extra}, {"tensors_sha256", sha256_file(tensors)}};
  // The state vouches for the tensors, and this for the state.
  const std::string hash = sha256_hex(dump_json(body));
  return {{"state", std::move(body)}, {"sha256", hash}};
}

/// The body of state.json, after every byte of the checkpoint has been checked. Throws kCorrupt or kNotFound.
Json read_state(const fs::path& path) {
  const std::string where = (path / kStateName).string();
  const Json whole = parse_json(read_file(where, kMaxStateBytes), where);
  const auto check = [&](bool ok, const char* message) { require(ok, message, ErrorCode::kCorrupt, where); };
  check(whole.is_object() && whole.contains("state") && whole.contains("sha256") && whole["sha256"].is_string(),
        "expected \"state\" and \"sha256\"");
  const Json& body = whole["state"];
  check(sha256_hex(dump_json(body)) == whole["sha256"].get<std::string>(), "its SHA-256 does not match");
  check(body.is_object() && body.value("format", "") == kFormat, "not a checkpoint of version 1");
  check(sha256_file(path / kTensorsName) == body.value("tensors_sha256", ""),
        "the SHA-256 of tensors.safetensors does not match");
  return body;
}

TrainState parse_state(const Json& body) {
  TrainState state{.step = body.at("step").get<std::int64_t>(),
                   .epoch = body.at("epoch").get<std::int64_t>(),
                   .index = body.at("index").get<std::int64_t>(),
                   .seed = body.at("seed").get<std::uint64_t>()};
  for (const auto& [name, hash] : body.at("hashes").items()) state.hashes.emplace_back(name, hash.get<std::string>());
  state.extra = body.at("extra");
  return state;
}

void check_inputs(const TrainState& state, std::uint64_t seed, const InputHashes& hashes, const fs::path& path) {
  const auto fail = [&](const std::string& what, const std::string& then, const std::string& now) {
    throw Error(ErrorCode::kInvalidArgument,
                "can't resume: " + what + " was " + then + " when the checkpoint was written and is " + now +
                    " now; put it back, or start a new run",
                path.string());
  };
  if (state.seed != seed) fail("the seed", std::to_string(state.seed), std::to_string(seed));
  const std::map<std::string, std::string> then(state.hashes.begin(), state.hashes.end());
  const std::map<std::string, std::string> now(hashes.begin(), hashes.end());
  for (const auto& [name, hash] : then) {
    if (!now.contains(name)) fail("the " + name + " hash", hash, "absent");
    if (now.at(name) != hash) fail("the " + name + " hash", hash, now.at(name));
  }
  for (const auto& [name, hash] : now) {
    if (!then.contains(name)) fail("the " + name + " hash", "absent", hash);
  }
}

/// The tensor of each part and parameter, checked; the outer order is that of `kParts`.
std::array<std::vector<const formats::TensorView*>, 3> find_tensors(const formats::SafetensorsFile& file,
                                                                    const AdamW& optimizer, const fs::path& path) {
  std::array<std::vector<const formats::TensorView*>, 3> found;
  const auto check = [&](bool ok, const std::string& message) {
    require(
        ok, [&] { return "can't resume: " + message; }, ErrorCode::kInvalidArgument, path.string());
  };
  check(file.tensors().size() == 3 * optimizer.parameters().size(),
        "the checkpoint has " + std::to_string(file.tensors().size() / 3) + " parameters, this run has " +
            std::to_string(optimizer.parameters().size()));
  for (std::size_t part = 0; part < kParts.size(); ++part) {
    for (const nn::Parameter* p : optimizer.parameters()) {
      const formats::TensorView* tensor = file.find(std::string(kParts[part]) + p->name);
      check(tensor != nullptr, "the checkpoint has no parameter \"" + p->name + "\"");
      check(tensor->type == quant::DType::kF32 && tensor->shape == p->shape &&
                tensor->data.size() == p->value.size() * sizeof(float),
            "parameter \"" + p->name + "\" has another shape in the checkpoint");
      found[part].push_back(tensor);
    }
  }
  return found;
}

}  // namespace

void save_checkpoint(const fs::path& folder, const TrainState& state, const AdamW& optimizer,
                     const CheckpointOptions& options) {
  require(options.keep >= 1, "at least one checkpoint must be kept");
  const auto stage = [&](std::string_view name) {
    if (options.before_stage) options.before_stage(name);
  };
  stage("clean");
  std::error_code error;
  fs::create_directories(folder, error);
  remove_leftovers(folder);
  const fs::path target = folder / folder_name(state.step);
  const fs::path fresh = target.string() + ".tmp";
  fs::create_directories(fresh, error);
  require(
      !error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, fresh.string());
  try {
    stage("tensors");
    std::vector<formats::TensorToWrite> tensors;
    for (std::size_t part = 0; part < kParts.size(); ++part) {
      for (std::size_t i = 0; i < optimizer.parameters().size(); ++i) {
        const nn::Parameter& p = *optimizer.parameters()[i];
        const std::vector<float>& values = part == 0   ? p.value
                                           : part == 1 ? optimizer.first_moments()[i]
                                                       : optimizer.second_moments()[i];
        tensors.push_back(
            {std::string(kParts[part]) + p.name, quant::DType::kF32, p.shape, std::as_bytes(std::span(values))});
      }
    }
    formats::write_safetensors(fresh / kTensorsName, tensors, {});
    stage("state");
    write_file_atomic(fresh / kStateName, dump_json(state_json(state, optimizer, fresh / kTensorsName), 1) + "\n");
    stage("publish");
    replace_folder(fresh, target);
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
  stage("prune");
  int kept = 0;
  for (const auto& [step, path] : list_checkpoints(folder)) {
    // Steps after this one are of a future that a resumed run left.
    if (step <= state.step && ++kept <= options.keep) continue;
    const fs::path old = path.string() + ".old";
    fs::rename(path, old, error);
    fs::remove_all(old, error);
  }
}

LoadedCheckpoint load_checkpoint(const fs::path& folder, std::uint64_t seed, const InputHashes& hashes,
                                 AdamW& optimizer) {
  LoadedCheckpoint loaded;
  for (const auto& [step, path] : list_checkpoints(folder)) {
    Json body;
    TrainState state;
    std::int64_t updates = 0;
    try {
      body = read_state(path);
      state = parse_state(body);
      updates = body.at("updates").get<std::int64_t>();
    } catch (const std::exception& e) {
      loaded.skipped.push_back("checkpoint " + path.filename().string() +
                               " is not complete and is left out: " + e.what());
      continue;
    }
    check_inputs(state, seed, hashes, path);
    const formats::SafetensorsFile file(path / kTensorsName);
    const auto tensors = find_tensors(file, optimizer, path);
    for (std::size_t i = 0; i < optimizer.parameters().size(); ++i) {
      float* targets[] = {optimizer.parameters()[i]->value.data(), optimizer.first_moments()[i].data(),
                          optimizer.second_moments()[i].data()};
      for (std::size_t part = 0; part < kParts.size(); ++part) {
        std::memcpy(targets[part], tensors[part][i]->data.data(), tensors[part][i]->data.size());
      }
    }
    optimizer.set_num_updates(updates);
    loaded.state = std::move(state);
    loaded.path = path;
    break;
  }
  return loaded;
}

}  // namespace onggi::train
