#include "onggi/core/options.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "onggi/core/error.h"

namespace onggi {
namespace {

template <class T>
constexpr std::string_view expected_text() {
  if constexpr (std::same_as<T, bool>) return "true or false";
  if constexpr (std::same_as<T, std::string>) return "text";
  if constexpr (std::integral<T>) return "a whole number";
  return "a number";
}

template <class T>
constexpr std::string_view value_name() {
  if constexpr (std::same_as<T, bool>) return "";
  if constexpr (std::same_as<T, std::string>) return "TEXT";
  if constexpr (std::integral<T>) return "N";
  return "X";
}

[[noreturn]] void wrong_value(std::string_view expected, std::string_view found) {
  throw Error(ErrorCode::kInvalidArgument, "expected " + std::string(expected) + ", found " + std::string(found));
}

/// The whole of `text` as a T, or nothing: no spaces, no trailing letters, no infinity.
template <class T>
std::optional<T> number_from_text(std::string_view text) {
  T number{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  if constexpr (std::floating_point<T>) {
    if (!std::isfinite(number)) return std::nullopt;
  }
  return number;
}

template <class T>
T from_text(std::string_view text) {
  if constexpr (std::same_as<T, std::string>) {
    return std::string(text);
  } else if constexpr (std::same_as<T, bool>) {
    if (text == "true") return true;
    if (text == "false") return false;
  } else if (const auto number = number_from_text<T>(text)) {
    return *number;
  }
  wrong_value(expected_text<T>(), "\"" + std::string(text) + "\"");
}

template <class T>
T from_json(const Json& value) {
  if constexpr (std::same_as<T, std::string>) {
    if (value.is_string()) return value.get<std::string>();
  } else if constexpr (std::same_as<T, bool>) {
    if (value.is_boolean()) return value.get<bool>();
  } else if constexpr (std::integral<T>) {
    using Limits = std::numeric_limits<T>;
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(Limits::max())) {
      return static_cast<T>(value.get<std::uint64_t>());
    }
    if (value.is_number_integer() && !value.is_number_unsigned() && value.get<std::int64_t>() >= Limits::min()) {
      return static_cast<T>(value.get<std::int64_t>());
    }
  } else {
    const double number = value.is_number() ? value.get<double>() : HUGE_VAL;
    if (std::abs(number) <= std::numeric_limits<T>::max()) return static_cast<T>(number);
  }
  wrong_value(expected_text<T>(), value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// A float goes through its shortest text, so that 4e-4F prints as 0.0004 and not as its double.
Json as_json(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return number_from_text<double>({text, end}).value_or(value);
}

template <class T>
Json as_json(const T& value) {
  return Json(value);
}

std::string flag_name(std::string_view name) {
  std::string flag(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string default_of(const Json& value) {
  if (value.is_null() || (value.is_array() && value.empty()) || value == Json("")) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string left_column(const OptionField& field) {
  if (field.is_switch && field.default_text == "true") return "  --[no-]" + flag_name(field.name);
  return "  --" + flag_name(field.name) + (field.value_name.empty() ? "" : " " + field.value_name);
}

}  // namespace

template <OptionScalar T>
void OptionList::add(std::string_view name, T& value, std::string_view help) {
  fields_.push_back({.name = std::string(name),
                     .help = std::string(help),
                     .default_text = default_of(as_json(value)),
                     .value_name = std::string(value_name<T>()),
                     .is_switch = std::same_as<T, bool>,
                     .set_text = [&value](std::string_view text) { value = from_text<T>(text); },
                     .set_json = [&value](const Json& json) { value = from_json<T>(json); },
                     .to_json = [&value] { return as_json(value); }});
}

template <OptionScalar T>
void OptionList::add(std::string_view name, std::optional<T>& value, std::string_view help) {
  const auto to_json = [&value] { return value ? as_json(*value) : Json(nullptr); };
  fields_.push_back({.name = std::string(name),
                     .help = std::string(help),
                     .default_text = default_of(to_json()),
                     .value_name = std::string(value_name<T>()),
                     .is_switch = std::same_as<T, bool>,
                     .set_text = [&value](std::string_view text) { value = from_text<T>(text); },
                     .set_json =
                         [&value](const Json& json) {
                           if (json.is_null()) {
                             value.reset();
                           } else {
                             value = from_json<T>(json);
                           }
                         },
                     .to_json = to_json});
}

template void OptionList::add(std::string_view, bool&, std::string_view);
template void OptionList::add(std::string_view, int&, std::string_view);
template void OptionList::add(std::string_view, std::int64_t&, std::string_view);
template void OptionList::add(std::string_view, float&, std::string_view);
template void OptionList::add(std::string_view, double&, std::string_view);
template void OptionList::add(std::string_view, std::string&, std::string_view);
template void OptionList::add(std::string_view, std::optional<bool>&, std::string_view);
template void OptionList::add(std::string_view, std::optional<int>&, std::string_view);
template void OptionList::add(std::string_view, std::optional<std::int64_t>&, std::string_view);
template void OptionList::add(std::string_view, std::optional<float>&, std::string_view);
template void OptionList::add(std::string_view, std::optional<double>&, std::string_view);
template void OptionList::add(std::string_view, std::optional<std::string>&, std::string_view);

void OptionList::add(std::string_view name, std::vector<std::string>& value, std::string_view help) {
  const auto set_json = [&value](const Json& json) {
    if (!json.is_array()) wrong_value("a list of texts", json.dump(-1, ' ', false, Json::error_handler_t::replace));
    std::vector<std::string> items;
    for (const Json& item : json) items.push_back(from_json<std::string>(item));
    value = std::move(items);
  };
  fields_.push_back({.name = std::string(name),
                     .help = std::string(help),
                     .default_text = default_of(Json(value)),
                     .value_name = "TEXT",
                     .is_list = true,
                     .set_text = [&value](std::string_view text) { value.emplace_back(text); },
                     .set_json = set_json,
                     .to_json = [&value] { return Json(value); }});
}

OptionField* OptionList::find(std::string_view name) {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const OptionField& f) { return f.name == name; });
  return at == fields_.end() ? nullptr : &*at;
}

std::string OptionList::suggestion(std::string_view name, std::string_view prefix) const {
  std::vector<std::string> names;
  for (const OptionField& field : fields_) names.push_back(field.name);
  const std::string near = nearest_name(name, names);
  if (near.empty()) return "";
  return "; did you mean " + std::string(prefix) + (prefix.empty() ? "\"" + near + "\"" : flag_name(near)) + "?";
}

std::pair<OptionField*, bool> OptionList::find_flag(const std::string& flag) {
  std::string name = flag.substr(2);
  std::replace(name.begin(), name.end(), '-', '_');
  if (OptionField* field = find(name); field != nullptr) return {field, false};
  OptionField* negated = name.starts_with("no_") ? find(std::string_view(name).substr(3)) : nullptr;
  require(negated != nullptr && negated->is_switch, [&] { return "unknown flag " + flag + suggestion(name, "--"); });
  return {negated, true};
}

std::vector<std::string> OptionList::parse_flags(std::span<const std::string_view> arguments) {
  std::vector<std::string> positional;
  std::set<const OptionField*> used_lists;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") {
      positional.insert(positional.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (!argument.starts_with("--")) {
      const bool is_dash_flag = argument.size() > 1 && argument[0] == '-' &&
                                !std::isdigit(static_cast<unsigned char>(argument[1])) && argument[1] != '.';
      require(!is_dash_flag, [&] { return "unknown flag " + std::string(argument) + "; flags begin with two dashes"; });
      positional.emplace_back(argument);
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string flag(argument.substr(0, equals));
    const auto found = find_flag(flag);
    OptionField* const field = found.first;
    const bool is_negated = found.second;
    std::string_view value;
    if (equals != std::string_view::npos) {
      require(!is_negated, [&] { return flag + " takes no value"; });
      value = argument.substr(equals + 1);
    } else if (field->is_switch) {
      value = is_negated ? "false" : "true";
    } else {
      const bool has_value = i + 1 < arguments.size() && !arguments[i + 1].starts_with("--");
      require(has_value, [&] { return flag + " needs a value: " + flag + " " + field->value_name; });
      value = arguments[++i];
    }
    try {
      if (field->is_list && used_lists.insert(field).second) field->set_json(Json::array());
      field->set_text(value);
    } catch (const Error& e) {
      throw Error(e.code(), flag + ": " + e.message());
    }
  }
  return positional;
}

void OptionList::parse_json(const Json& object, std::string_view where) {
  require(object.is_object(), "expected a JSON object of options", ErrorCode::kInvalidArgument, where);
  for (const auto& member : object.items()) {
    const std::string& key = member.key();
    OptionField* field = find(key);
    require(
        field != nullptr, [&] { return "unknown option \"" + key + "\"" + suggestion(key, ""); },
        ErrorCode::kInvalidArgument, where);
    try {
      field->set_json(member.value());
    } catch (const Error& e) {
      throw Error(e.code(), "option \"" + key + "\": " + e.message(), std::string(where));
    }
  }
}

Json OptionList::to_json() const {
  Json object = Json::object();
  for (const OptionField& field : fields_) object[field.name] = field.to_json();
  return object;
}

std::string OptionList::help_text() const {
  static constexpr std::size_t kMaxColumn = 34;
  std::size_t column = 0;
  for (const OptionField& field : fields_) column = std::max(column, left_column(field).size() + 2);
  column = std::min(column, kMaxColumn);
  std::string text;
  for (const OptionField& field : fields_) {
    std::string left = left_column(field);
    left.resize(std::max(left.size() + 2, column), ' ');
    text += left + field.help;
    const bool is_off = field.is_switch && field.default_text != "true";
    if (!field.default_text.empty() && !is_off) text += " [" + field.default_text + "]";
    text += '\n';
  }
  return text;
}

std::string nearest_name(std::string_view name, std::span<const std::string> candidates) {
  static constexpr std::size_t kMaxLength = 64;  // Bounds the work on hostile input; no option is that long.
  if (name.size() > kMaxLength) return {};
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    // Optimal string alignment: rows i-2, i-1 and i of the table.
    std::vector<std::size_t> before;
    std::vector<std::size_t> last(candidate.size() + 1);
    for (std::size_t j = 0; j <= candidate.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      std::vector<std::size_t> row(candidate.size() + 1, i);
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const bool is_same = name[i - 1] == candidate[j - 1];
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (is_same ? 0 : 1)});
        if (i > 1 && j > 1 && name[i - 1] == candidate[j - 2] && name[i - 2] == candidate[j - 1]) {
          row[j] = std::min(row[j], before[j - 2] + 1);
        }
      }
      before = std::move(last);
      last = std::move(row);
    }
    if (last.back() < best) {
      best = last.back();
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace onggi
