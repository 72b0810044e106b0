#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"

namespace onggi {

/// One flag of a command or one key of a config: both come from the same list (see `OptionList`).
struct OptionField {
  std::string name;  ///< "learning_rate": flag --learning-rate, JSON key "learning_rate".
  std::string help;
  std::string default_text;
  bool is_switch = false;                                         ///< bool: the flag takes no value.
  std::function<void(std::string_view text)> set_text;            ///< Throws kInvalidArgument.
  std::function<void(const Json& value)> set_json;                ///< Throws kInvalidArgument.
  std::function<Json()> to_json;
};

/// The fields of an options struct. The struct has one function
///   template <class V> void visit(V&& field) { field("seed", seed, "Seed of every random choice."); ... }
/// over members of type bool, int, std::int64_t, float, double, std::string, std::vector<std::string> or
/// std::optional<one of these>; flags, JSON and --help all come from it.
class OptionList {
 public:
  template <class Options>
  explicit OptionList(Options& options) {
    options.visit([this](std::string_view name, auto& value, std::string_view help) { add(name, value, help); });
  }

  void add(std::string_view name, bool& value, std::string_view help);
  void add(std::string_view name, int& value, std::string_view help);
  void add(std::string_view name, std::int64_t& value, std::string_view help);
  void add(std::string_view name, float& value, std::string_view help);
  void add(std::string_view name, double& value, std::string_view help);
  void add(std::string_view name, std::string& value, std::string_view help);
  void add(std::string_view name, std::vector<std::string>& value, std::string_view help);

  /// Reads `--name value`, `--name=value`, `--switch`, `--no-switch`; returns the positional arguments in order. A list
  /// option may be repeated. Throws kInvalidArgument on an unknown flag, with the nearest known one.
  std::vector<std::string> parse_flags(std::span<const std::string_view> arguments);
  /// Throws kInvalidArgument on an unknown key (with the nearest known one) or a wrong type.
  void parse_json(const Json& object, std::string_view where);
  Json to_json() const;
  /// One line a flag: name, default, help.
  std::string help_text() const;

 private:
  OptionField* find(std::string_view name);
  std::vector<OptionField> fields_;
};

/// The candidate with the smallest edit distance, if it is near enough to be a typing error; else empty.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace onggi
