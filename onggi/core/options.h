#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/json.h"

namespace onggi {

/// The types that an option may have, alone or in std::optional (absent until set).
template <class T>
concept OptionScalar = std::same_as<T, bool> || std::same_as<T, int> || std::same_as<T, std::int64_t> ||
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::string>;

/// One flag of a command or one key of a config: both come from the same list (see `OptionList`).
struct OptionField {
  std::string name;  ///< "learning_rate": flag --learning-rate, JSON key "learning_rate".
  std::string help;
  std::string default_text;                             ///< As JSON would print it; empty if there is no default.
  std::string value_name;                               ///< What --help calls the value: N, X, TEXT.
  bool is_switch = false;                               ///< bool: the flag takes no value.
  bool is_list = false;                                 ///< The flag may be repeated.
  std::function<void(std::string_view text)> set_text;  ///< Throws kInvalidArgument. Appends to a list.
  std::function<void(const Json& value)> set_json;      ///< Throws kInvalidArgument. Replaces a list.
  std::function<Json()> to_json;
};

/// The fields of an options struct. The struct has one function
///   template <class V> void visit(V&& field) { field("seed", seed, "Seed of every random choice."); ... }
/// over members of an OptionScalar type, std::optional of one, or std::vector<std::string>; flags, JSON and --help all
/// come from it. The list refers to the struct, which must outlive it. Confined to one thread.
class OptionList {
 public:
  /// One list over the fields of several structs, in this order.
  template <class... Options>
    requires(sizeof...(Options) > 0)
  explicit OptionList(Options&... options) {
    (options.visit([this](std::string_view name, auto& value, std::string_view help) { add(name, value, help); }), ...);
  }

  template <OptionScalar T>
  void add(std::string_view name, T& value, std::string_view help);
  template <OptionScalar T>
  void add(std::string_view name, std::optional<T>& value, std::string_view help);
  void add(std::string_view name, std::vector<std::string>& value, std::string_view help);

  /// Reads `--name value`, `--name=value`, `--switch`, `--no-switch`; returns the positional arguments in order, and
  /// everything after `--`. The last of equal flags wins; a list flag may be repeated, and its first use replaces what
  /// the list held. Throws kInvalidArgument on an unknown flag, with the nearest known one, and on a wrong value.
  std::vector<std::string> parse_flags(std::span<const std::string_view> arguments);
  /// Sets the members that `object` has. Throws kInvalidArgument on an unknown key (with the nearest known one) or a
  /// wrong type; `where` names the file.
  void parse_json(const Json& object, std::string_view where);
  /// All fields in order; what `parse_json` reads back to the same values.
  Json to_json() const;
  /// One line a flag: name, help, default.
  std::string help_text() const;

 private:
  OptionField* find(std::string_view name);
  /// The field of `flag` ("--name"), and whether it was "--no-name". Throws kInvalidArgument.
  std::pair<OptionField*, bool> find_flag(const std::string& flag);
  std::string suggestion(std::string_view name, std::string_view prefix) const;
  std::vector<OptionField> fields_;
};

/// The candidate with the smallest edit distance (a swap of neighbours counts one), if it is near enough to be a typing
/// error: at most one edit in three letters. Else empty. The first of equals wins.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace onggi
