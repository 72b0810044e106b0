#include "onggi/nn/adapter_files.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/safetensors.h"
#include "onggi/formats/safetensors_writer.h"
#include "onggi/quant/blocks.h"

namespace onggi::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxJsonBytes = std::size_t{1} << 26;
constexpr std::string_view kNamePrefix = "base_model.model.";
/// In the order of AdapterPaths; the first is the name inside.
constexpr std::array<std::string_view, 3> kPathPrefixes = {"model.layers.", "model.language_model.layers.",
                                                           "language_model.model.layers."};

enum class Part { kA, kB, kMagnitude };
constexpr std::array<std::string_view, 3> kPartNames = {".lora_A.weight", ".lora_B.weight", ".lora_magnitude_vector"};

struct TensorName {
  std::string path;  ///< As in the file.
  Part part = Part::kA;
};

/// Kinds of tensors that PEFT may write and we do not compute with, by a piece of their name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kUnsupported = {{
    {"lora_embedding_", "LoRA on embeddings"},
    {".lora_B.bias", "lora_bias"},
    {"trainable_tokens", "trainable tokens"},
    {".base_layer.", "a full copy of a layer (resized or adapted embedding)"},
    {"prompt_embeddings", "prompt tuning"},
    {"vision_tower", "the vision tower, which is never read"},
}};

TensorName parse_name(const std::string& name, const std::string& where) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::kInvalidArgument, "tensor \"" + name + "\": " + what, where);
  };
  for (const auto& [piece, kind] : kUnsupported) {
    if (name.find(piece) != std::string::npos) fail("is " + std::string(kind) + ", which is not supported");
  }
  if (!name.starts_with(kNamePrefix)) fail("expected a name that begins with \"" + std::string(kNamePrefix) + "\"");
  for (const Part part : {Part::kA, Part::kB, Part::kMagnitude}) {
    const std::string_view end = kPartNames[static_cast<std::size_t>(part)];
    if (!name.ends_with(end) || name.size() <= kNamePrefix.size() + end.size()) continue;
    return {name.substr(kNamePrefix.size(), name.size() - kNamePrefix.size() - end.size()), part};
  }
  fail("is no LoRA matrix or DoRA magnitude (a trained bias, or modules_to_save?), which is not supported");
  return {};
}

/// Index into kPathPrefixes of how `path` begins, if it is one of them.
std::optional<std::size_t> prefix_of(std::string_view path) {
  for (std::size_t i = 0; i < kPathPrefixes.size(); ++i) {
    if (path.starts_with(kPathPrefixes[i])) return i;
  }
  return std::nullopt;
}

std::string with_prefix(const std::string& path, std::size_t from, std::size_t to) {
  return std::string(kPathPrefixes[to]) + path.substr(kPathPrefixes[from].size());
}

std::vector<float> read_floats(const formats::TensorView& tensor) {
  const auto fail = [&](ErrorCode code, const std::string& what) {
    throw Error(code, "tensor \"" + tensor.name + "\" " + what, tensor.file);
  };
  using quant::DType;
  if (tensor.type != DType::kF32 && tensor.type != DType::kF16 && tensor.type != DType::kBF16) {
    fail(ErrorCode::kInvalidArgument,
         "is " + std::string(quant::traits(tensor.type).name) + ", expected F32, F16 or BF16");
  }
  std::vector<float> values(static_cast<std::size_t>(tensor.num_elements()));
  quant::decode(tensor.type, tensor.data.data(), tensor.num_elements(), values.data());
  const auto bad = std::count_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  if (bad > 0) fail(ErrorCode::kCorrupt, "has " + std::to_string(bad) + " values that are NaN or infinite");
  return values;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

/// What the file holds for one layer.
struct Found {
  std::string path_in_file;
  std::array<const formats::TensorView*, 3> parts = {};

  const formats::TensorView* operator[](Part part) const { return parts[static_cast<std::size_t>(part)]; }
};

std::map<std::string, Found> collect(const formats::SafetensorsFile& file, const std::string& where) {
  std::map<std::string, Found> all;
  std::set<std::size_t> prefixes;
  for (const formats::TensorView& tensor : file.tensors()) {
    const TensorName name = parse_name(tensor.name, where);
    std::string path = name.path;
    if (const auto prefix = prefix_of(path)) {
      prefixes.insert(*prefix);
      path = with_prefix(path, *prefix, 0);
    }
    Found& found = all[path];
    found.path_in_file = name.path;
    found.parts[static_cast<std::size_t>(name.part)] = &tensor;
  }
  require(
      prefixes.size() <= 1,
      [&] {
        std::string text = "tensor names mix the path prefixes";
        for (const std::size_t i : prefixes) text += " \"" + std::string(kPathPrefixes[i]) + "\"";
        return text + ": the file was put together from two adapters";
      },
      ErrorCode::kInvalidArgument, where);
  require(!all.empty(), "holds no tensors", ErrorCode::kInvalidArgument, where);
  return all;
}

AdapterLayer read_layer(const std::string& path, const Found& found, const AdapterRules& rules,
                        const std::string& where) {
  const auto check = [&](bool ok, auto&& what) {
    require(
        ok, [&] { return "layer \"" + path + "\" " + what(); }, ErrorCode::kInvalidArgument, where);
  };
  const auto rule = rules.find(found.path_in_file);
  check(rule.has_value(), [] { return std::string("has tensors, and adapter_config.json does not target it"); });
  for (const Part part : {Part::kA, Part::kB, Part::kMagnitude}) {
    const std::string name(kPartNames[static_cast<std::size_t>(part)]);
    if (part == Part::kMagnitude && !rule->dora) {
      check(found[part] == nullptr, [&] { return "has \"" + name + "\", and use_dora is false"; });
      continue;
    }
    check(found[part] != nullptr, [&] { return "has no \"" + name + "\" tensor"; });
    const std::size_t dimensions = part == Part::kMagnitude ? 1 : 2;
    check(found[part]->shape.size() == dimensions && found[part]->num_elements() > 0, [&] {
      return "has \"" + name + "\" of shape " + shape_text(found[part]->shape) + ", expected " +
             std::to_string(dimensions) + " dimension" + (dimensions > 1 ? "s" : "") + " that are not 0";
    });
  }
  const auto& a = found[Part::kA]->shape;
  const auto& b = found[Part::kB]->shape;
  check(a[0] == b[1], [&] { return "has A " + shape_text(a) + " and B " + shape_text(b) + " of different rank"; });
  check(a[0] == rule->rank, [&] {
    return "has rank " + std::to_string(a[0]) + ", adapter_config.json says " + std::to_string(rule->rank);
  });
  AdapterLayer layer{.num_inputs = a[1], .num_outputs = b[0], .rule = *rule};
  layer.a = read_floats(*found[Part::kA]);
  layer.b = read_floats(*found[Part::kB]);
  if (rule->dora) {
    check(found[Part::kMagnitude]->shape[0] == b[0], [&] {
      return "has a magnitude of " + shape_text(found[Part::kMagnitude]->shape) + ", expected [" +
             std::to_string(b[0]) + "]";
    });
    layer.magnitude = read_floats(*found[Part::kMagnitude]);
  }
  return layer;
}

Json read_json(const fs::path& path) { return parse_json(read_file(path, kMaxJsonBytes), path.string()); }

/// onggi.json, null where it is absent.
Json read_origin(const fs::path& folder) {
  const fs::path path = folder / "onggi.json";
  if (!fs::exists(path)) return nullptr;
  Json origin = read_json(path);
  require(origin.is_object(), "expected a JSON object", ErrorCode::kCorrupt, path.string());
  return origin;
}

std::string base_type_of(const Json& origin, std::string_view where) {
  if (!origin.is_object() || !origin.contains("base_type")) return "keep";
  require(origin["base_type"].is_string(), "onggi.json: \"base_type\" must be a string", ErrorCode::kCorrupt, where);
  return origin["base_type"].get<std::string>();
}

}  // namespace

AdapterFiles read_adapter(const fs::path& folder) {
  const std::string config_path = (folder / "adapter_config.json").string();
  AdapterFiles adapter;
  adapter.config = parse_adapter_config(read_json(config_path), config_path);
  const AdapterRules rules(adapter.config, config_path);
  const fs::path tensors = folder / "adapter_model.safetensors";
  const formats::SafetensorsFile file(tensors);
  for (const auto& [path, found] : collect(file, tensors.string())) {
    adapter.layers.emplace(path, read_layer(path, found, rules, tensors.string()));
  }
  adapter.origin = read_origin(folder);
  return adapter;
}

std::string adapter_base_type(const fs::path& folder) { return base_type_of(read_origin(folder), folder.string()); }

std::string adapter_base_type(const AdapterFiles& adapter, std::string_view where) {
  return base_type_of(adapter.origin, where);
}

namespace {

void check_layer(const std::string& path, const std::string& written, const AdapterLayer& layer,
                 const AdapterRules& rules) {
  const auto check = [&](bool ok, std::string_view what) {
    require(ok, [&] { return "adapter layer \"" + path + "\" " + std::string(what); });
  };
  const auto rule = rules.find(written);
  check(rule.has_value(), "is not a target of the config under the name \"" + written + "\"");
  check(rule->rank == layer.rule.rank && rule->alpha == layer.rule.alpha && rule->dora == layer.rule.dora,
        "has another rank, alpha or kind than the config gives it");
  check(layer.num_inputs > 0 && layer.num_outputs > 0, "has no inputs or outputs");
  const auto inputs = static_cast<std::size_t>(layer.num_inputs);
  const auto outputs = static_cast<std::size_t>(layer.num_outputs);
  const auto rank = static_cast<std::size_t>(rule->rank);
  check(layer.a.size() == rank * inputs && layer.b.size() == outputs * rank, "has matrices of a wrong size");
  check(layer.magnitude.size() == (rule->dora ? outputs : 0), "has a magnitude of a wrong size");
  for (const auto* values : {&layer.a, &layer.b, &layer.magnitude}) {
    check(std::all_of(values->begin(), values->end(), [](float x) { return std::isfinite(x); }),
          "has values that are NaN or infinite");
  }
}

/// Text for YAML between double quotes.
std::string quoted(const std::string& text) { return dump_json(Json(text)); }

std::string model_card(const AdapterFiles& adapter) {
  const AdapterConfig& config = adapter.config;
  const std::string kind = config.use_dora ? "DoRA" : config.use_rslora ? "rsLoRA" : "LoRA";
  std::string card = "---\nlibrary_name: peft\n";
  if (!config.base_model.empty()) card += "base_model: " + quoted(config.base_model) + "\n";
  card += "tags:\n- onggi\n- lora\n---\n\n# " + kind + " adapter\n\n";
  card += "Rank " + std::to_string(config.rank) + " on " + std::to_string(adapter.layers.size()) + " linear layers";
  if (!config.base_model.empty()) card += " of `" + config.base_model + "`";
  card += ", in PEFT's format.\n";
  if (!adapter.origin.is_null()) card += "`onggi.json` says what it was trained on, with hashes of every input.\n";
  return card;
}

void write_tensors(const fs::path& path, const AdapterFiles& adapter, AdapterPaths paths, const AdapterRules& rules) {
  std::vector<formats::TensorToWrite> tensors;
  for (const auto& [layer_path, layer] : adapter.layers) {
    const auto prefix = prefix_of(layer_path);
    require(paths == AdapterPaths::kText || prefix == 0,
            [&layer_path = layer_path] { return "adapter layer \"" + layer_path + "\" has no image-class name"; });
    const std::string written = prefix == 0 ? with_prefix(layer_path, 0, static_cast<std::size_t>(paths)) : layer_path;
    check_layer(layer_path, written, layer, rules);
    const auto add = [&](Part part, std::vector<std::int64_t> shape, const std::vector<float>& values) {
      tensors.push_back({std::string(kNamePrefix) + written + std::string(kPartNames[static_cast<std::size_t>(part)]),
                         quant::DType::kF32, std::move(shape), std::as_bytes(std::span(values))});
    };
    add(Part::kA, {layer.rule.rank, layer.num_inputs}, layer.a);
    add(Part::kB, {layer.num_outputs, layer.rule.rank}, layer.b);
    if (layer.rule.dora) add(Part::kMagnitude, {layer.num_outputs}, layer.magnitude);
  }
  require(!tensors.empty(), "the adapter has no layers");
  formats::write_safetensors(path, tensors, {{"format", "pt"}});
}

}  // namespace

void write_adapter(const fs::path& target, const AdapterFiles& adapter, AdapterPaths paths) {
  fs::path folder = target.lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();
  const AdapterRules rules(adapter.config);
  std::error_code error;
  const bool is_free = !fs::exists(folder, error) || fs::exists(folder / "adapter_config.json", error) ||
                       (fs::is_directory(folder, error) && fs::is_empty(folder, error));
  require(is_free && !error, "the place of the adapter is taken by something else; choose another folder",
          ErrorCode::kInvalidArgument, folder.string());
  const fs::path fresh = temporary_beside(folder);
  fs::create_directories(fresh, error);
  require(
      !error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, fresh.string());
  try {
    write_tensors(fresh / "adapter_model.safetensors", adapter, paths, rules);
    write_file_atomic(fresh / "adapter_config.json", dump_json(adapter_config_json(adapter.config), 2) + "\n");
    write_file_atomic(fresh / "README.md", model_card(adapter));
    if (!adapter.origin.is_null()) write_file_atomic(fresh / "onggi.json", dump_json(adapter.origin, 2) + "\n");
    replace_folder(fresh, folder);
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
}

void check_adapter_fits(const AdapterFiles& adapter, std::span<const LinearShape> base, std::string_view where) {
  std::map<std::string_view, const LinearShape*> by_path;
  for (const LinearShape& linear : base) by_path.emplace(linear.path, &linear);
  const auto fail = [&](const std::string& message) {
    throw Error(ErrorCode::kInvalidArgument, message, std::string(where));
  };
  for (const auto& [path, layer] : adapter.layers) {
    const auto it = by_path.find(path);
    if (it == by_path.end()) fail("the adapter has \"" + path + "\", which the base lacks: it is for another base");
    const LinearShape& linear = *it->second;
    if (linear.num_inputs != layer.num_inputs || linear.num_outputs != layer.num_outputs) {
      fail("the adapter is for another base: \"" + path + "\" is [" + std::to_string(linear.num_outputs) + ", " +
           std::to_string(linear.num_inputs) + "] in the base, the adapter expects [" +
           std::to_string(layer.num_outputs) + ", " + std::to_string(layer.num_inputs) + "]");
    }
  }
  const AdapterRules rules(adapter.config, where);
  for (const LinearShape& linear : base) {
    if (adapter.layers.contains(linear.path) || !rules.find(linear.path)) continue;
    fail("the adapter's config targets \"" + linear.path + "\", and its file has no tensors for it");
  }
}

void check_adapter_origin(const AdapterFiles& adapter, std::span<const std::pair<std::string, std::string>> hashes,
                          std::string_view where) {
  if (!adapter.origin.is_object() || !adapter.origin.contains("hashes")) return;
  const Json& trained = adapter.origin["hashes"];
  require(trained.is_object(), "onggi.json: \"hashes\" must be an object", ErrorCode::kCorrupt, where);
  for (const auto& [key, now] : hashes) {
    const auto it = trained.find(key);
    if (it == trained.end() || !it->is_string() || it->get_ref<const std::string&>() == now) continue;
    throw Error(
        ErrorCode::kInvalidArgument,
        "the adapter was trained with another " + key + ": SHA-256 " + it->get<std::string>() + ", this one has " + now,
        std::string(where));
  }
}

}  // namespace onggi::nn
