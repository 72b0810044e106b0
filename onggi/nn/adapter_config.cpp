#include "onggi/nn/adapter_config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>

#include "onggi/core/error.h"

namespace onggi::nn {
namespace {

constexpr std::size_t kMaxPatterns = 65536;
/// The release whose output and defaults we were checked against (tests/golden/train/PROVENANCE.md).
constexpr std::string_view kPeftVersion = "0.21.2";

/// Keys that PEFT fills even where the feature they belong to is off (its own key is refused), or that only say how the
/// training began.
constexpr std::array<std::string_view, 5> kIgnoredKeys = {"inference_mode", "megatron_core", "peft_version",
                                                          "qalora_group_size", "eva_config"};

/// Reads members of one file and says which it has read, so that the rest can be refused.
class Reader {
 public:
  Reader(const Json& json, std::string_view where) : json_(json), where_(where) {
    if (!json.is_object()) fail("expected a JSON object");
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ErrorCode::kInvalidArgument, message, where_);
  }

  /// nullptr if the member is absent or null.
  const Json* find(std::string_view key) const {
    const auto it = json_.find(key);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }

  std::string text(std::string_view key, std::string fallback = {}) const {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_string()) wrong_type(key, "a string", *value);
    return value->get<std::string>();
  }

  bool truth(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) wrong_type(key, "true or false", *value);
    return value->get<bool>();
  }

  double number(std::string_view key, double fallback) const {
    const Json* value = find(key);
    return value == nullptr ? fallback : number_of(key, *value);
  }

  double number_of(std::string_view key, const Json& value) const {
    if (!value.is_number()) wrong_type(key, "a number", value);
    return value.get<double>();
  }

  int integer_of(std::string_view key, const Json& value, int low, int high) const {
    const bool fits =
        value.is_number_unsigned() ? value.get<std::uint64_t>() <= std::uint64_t(high) : value.is_number_integer();
    if (!fits || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
      wrong_type(key, "an integer from " + std::to_string(low) + " to " + std::to_string(high), value);
    }
    return static_cast<int>(value.get<std::int64_t>());
  }

  /// A string or a list of strings, as a list.
  std::vector<std::string> texts(std::string_view key, const Json& value) const {
    std::vector<std::string> all;
    const Json list = value.is_array() ? value : Json::array({value});
    if (list.size() > kMaxPatterns) fail(std::string(key) + " has " + std::to_string(list.size()) + " entries");
    for (const Json& item : list) {
      if (!item.is_string() || item.get_ref<const std::string&>().empty()) {
        wrong_type(key, "names that are not empty", item);
      }
      all.push_back(item.get<std::string>());
    }
    return all;
  }

  ModulePattern modules(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (value->is_string()) return {.regex = value->get<std::string>()};
    if (!value->is_array()) wrong_type(key, "a regular expression or a list of names", *value);
    return {.names = texts(key, *value)};
  }

  [[noreturn]] void wrong_type(std::string_view key, const std::string& expected, const Json& found) const {
    std::string shown = found.dump(-1, ' ', true, Json::error_handler_t::replace);
    if (shown.size() > 60) shown = shown.substr(0, 60) + "...";
    fail("\"" + std::string(key) + "\" is " + shown + ", expected " + expected);
  }

 private:
  const Json& json_;
  std::string where_;
};

bool is_nothing(const Json& value) {
  return value.is_null() || (value.is_boolean() && !value.get<bool>()) ||
         ((value.is_object() || value.is_array() || value.is_string()) && value.size() == 0) ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

/// PEFT writes it where no task type was given: the class to load the base with. It changes no number.
void check_auto_mapping(const Reader& reader, const Json& value) {
  if (!value.is_object()) reader.wrong_type("auto_mapping", "an object", value);
  for (const auto& [key, item] : value.items()) {
    if (key != "base_model_class" && key != "parent_library" && key != "unsloth_fixed") {
      reader.fail("\"auto_mapping\" has the unknown member \"" + key + "\"");
    }
  }
}

std::string read_initialisation(const Reader& reader) {
  const Json* value = reader.find("init_lora_weights");
  if (value == nullptr) return "true";
  if (value->is_boolean()) return value->get<bool>() ? "true" : "false";
  const std::string name = reader.text("init_lora_weights");
  if (name == "gaussian" || name == "eva" || name == "orthogonal") return name;
  reader.fail("\"init_lora_weights\" is \"" + name +
              "\", which changes the base weights; convert the adapter to plain LoRA first (PEFT: save_pretrained with "
              "path_initial_model_for_weight_conversion)");
}

template <class T, class Read>
std::vector<std::pair<std::string, T>> read_patterns(const Reader& reader, std::string_view key, Read&& read) {
  std::vector<std::pair<std::string, T>> all;
  const Json* value = reader.find(key);
  if (value == nullptr) return all;
  if (!value->is_object()) reader.wrong_type(key, "an object from pattern to number", *value);
  if (value->size() > kMaxPatterns) reader.fail("\"" + std::string(key) + "\" has too many entries");
  for (const auto& [pattern, number] : value->items()) all.emplace_back(pattern, read(number));
  return all;
}

double check_alpha(const Reader& reader, std::string_view key, double alpha) {
  if (!std::isfinite(alpha) || alpha <= 0.0 || alpha > 1e9) {
    reader.fail("\"" + std::string(key) + "\" must be a number above 0, found " + std::to_string(alpha));
  }
  return alpha;
}

void check_choice(const Reader& reader, std::string_view key, std::string_view fallback,
                  std::initializer_list<std::string_view> allowed) {
  const std::string value = reader.text(key, std::string(fallback));
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
  reader.fail("\"" + std::string(key) + "\" is \"" + value + "\", and only \"" + std::string(*allowed.begin()) +
              "\" is supported");
}

void read_targets(const Reader& reader, AdapterConfig& config) {
  config.targets = reader.modules("target_modules");
  if (config.targets.empty()) reader.fail("\"target_modules\" is missing or empty: no layer would be adapted");
  std::string lower = config.targets.regex;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "all-linear") {
    config.all_linear = true;
    config.targets = {};
  }
  config.excluded = reader.modules("exclude_modules");
  if (const Json* layers = reader.find("layers_to_transform")) {
    const Json list = layers->is_array() ? *layers : Json::array({*layers});
    if (list.size() > kMaxPatterns) reader.fail("\"layers_to_transform\" has too many entries");
    for (const Json& item : list) {
      config.layers_to_transform.push_back(reader.integer_of("layers_to_transform", item, 0, 1'000'000));
    }
  }
  if (const Json* names = reader.find("layers_pattern"); names != nullptr && !is_nothing(*names)) {
    config.layers_pattern = reader.texts("layers_pattern", *names);
  }
}

constexpr std::array<std::string_view, 20> kReadKeys = {"peft_type",
                                                        "task_type",
                                                        "base_model_name_or_path",
                                                        "revision",
                                                        "r",
                                                        "lora_alpha",
                                                        "bias",
                                                        "lora_dropout",
                                                        "use_rslora",
                                                        "use_dora",
                                                        "auto_mapping",
                                                        "alpha_pattern",
                                                        "target_modules",
                                                        "exclude_modules",
                                                        "layers_to_transform",
                                                        "layers_pattern",
                                                        "rank_pattern",
                                                        "init_lora_weights",
                                                        "fan_in_fan_out",
                                                        "modules_to_save"};

}  // namespace

AdapterConfig parse_adapter_config(const Json& json, std::string_view where) {
  const Reader reader(json, where);
  if (reader.text("peft_type") != "LORA") {
    reader.fail("\"peft_type\" is \"" + reader.text("peft_type") + "\", and only \"LORA\" is supported");
  }
  for (const auto& [key, value] : json.items()) {
    const auto is = [&key = key](const auto& keys) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
    const bool handled = is(kReadKeys) && key != "fan_in_fan_out" && key != "modules_to_save";
    if (handled || is(kIgnoredKeys) || is_nothing(value)) continue;
    reader.fail("\"" + key + "\" is set, and it is not supported: the adapter would not compute what was trained");
  }
  check_choice(reader, "task_type", "CAUSAL_LM", {"CAUSAL_LM", "FEATURE_EXTRACTION"});
  check_choice(reader, "bias", "none", {"none"});
  if (const Json* mapping = reader.find("auto_mapping")) check_auto_mapping(reader, *mapping);

  AdapterConfig config;
  config.base_model = reader.text("base_model_name_or_path");
  config.revision = reader.text("revision");
  const auto rank = [&](std::string_view key, const Json& value) {
    return reader.integer_of(key, value, 1, kMaxLoraRank);
  };
  if (const Json* r = reader.find("r")) config.rank = rank("r", *r);
  config.alpha = check_alpha(reader, "lora_alpha", reader.number("lora_alpha", 8.0));
  config.dropout = reader.number("lora_dropout", 0.0);
  if (!(config.dropout >= 0.0 && config.dropout < 1.0)) reader.fail("\"lora_dropout\" must be in [0, 1)");
  config.use_rslora = reader.truth("use_rslora");
  config.use_dora = reader.truth("use_dora");
  config.initialisation = read_initialisation(reader);
  read_targets(reader, config);
  config.rank_pattern =
      read_patterns<int>(reader, "rank_pattern", [&](const Json& value) { return rank("rank_pattern", value); });
  config.alpha_pattern = read_patterns<double>(reader, "alpha_pattern", [&](const Json& value) {
    return check_alpha(reader, "alpha_pattern", reader.number_of("alpha_pattern", value));
  });
  AdapterRules(config, where);  // every pattern compiles
  return config;
}

namespace {

Json number_json(double value) {
  const bool integral = std::nearbyint(value) == value && std::abs(value) < 1e15;
  return integral ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json text_or_null(const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); }

template <class T>
Json list_or_null(const std::vector<T>& values) {
  return values.empty() ? Json(nullptr) : Json(values);
}

Json modules_json(const ModulePattern& pattern) {
  return pattern.regex.empty() ? list_or_null(pattern.names) : Json(pattern.regex);
}

}  // namespace

Json adapter_config_json(const AdapterConfig& config) {
  Json ranks = Json::object();
  for (const auto& [pattern, rank] : config.rank_pattern) ranks[pattern] = rank;
  Json alphas = Json::object();
  for (const auto& [pattern, alpha] : config.alpha_pattern) alphas[pattern] = number_json(alpha);
  Json initialisation = config.initialisation;
  if (config.initialisation == "true" || config.initialisation == "false") {
    initialisation = config.initialisation == "true";
  }
  return {{"alpha_pattern", std::move(alphas)},
          {"base_model_name_or_path", text_or_null(config.base_model)},
          {"bias", "none"},
          {"exclude_modules", modules_json(config.excluded)},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"init_lora_weights", std::move(initialisation)},
          {"layers_pattern", list_or_null(config.layers_pattern)},
          {"layers_to_transform", list_or_null(config.layers_to_transform)},
          {"lora_alpha", number_json(config.alpha)},
          {"lora_dropout", config.dropout},
          {"modules_to_save", nullptr},
          {"peft_type", "LORA"},
          {"peft_version", kPeftVersion},
          {"r", config.rank},
          {"rank_pattern", std::move(ranks)},
          {"revision", text_or_null(config.revision)},
          {"target_modules", config.all_linear ? Json("all-linear") : modules_json(config.targets)},
          {"task_type", "CAUSAL_LM"},
          {"use_dora", config.use_dora},
          {"use_rslora", config.use_rslora}};
}

}  // namespace onggi::nn
