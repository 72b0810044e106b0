#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/json.h"

namespace onggi {

/// A YAML value that knows its place. The library behind it is an implementation choice of this header.
struct Yaml {
  enum class Kind { kScalar, kList, kMap };
  struct Member;

  Kind kind = Kind::kScalar;
  Json scalar;                  ///< Null, true or false, a number or a text.
  std::vector<Yaml> items;      ///< Of a list.
  std::vector<Member> members;  ///< Of a map, in their order.
  int line = 1, column = 1;     ///< Where it begins, counted from 1.

  /// Null if there is none, or if this is no map.
  const Yaml* find(std::string_view name) const;
  Json to_json() const;
  /// "a list", "text \"abc\"" ...: for what was found.
  std::string description() const;
};

struct Yaml::Member {
  std::string name;
  int line = 1, column = 1;
  Yaml value;
};

/// Parses one document (YAML 1.2 with its core schema). What would be read in two ways is refused: a name twice in one
/// map, aliases, tags, directives, keys that are no text; and what nests deeper than 32 levels. Throws kCorrupt with
/// `where`:line:column; `where` names the file.
Yaml parse_yaml(std::string_view text, const std::string& where);

/// "where:line:column", for errors about a value.
std::string place_of(const Yaml& value, const std::string& where);

/// Throws kInvalidArgument: `name`: expected ..., found ... (where:line:column).
[[noreturn]] void refuse_yaml(const Yaml& value, const std::string& where, std::string_view name,
                              std::string_view expected);
/// Throws kInvalidArgument where the map has a member that is none of these, naming the nearest; `what` names the map.
void require_members(const Yaml& map, const std::string& where, std::string_view what,
                     std::span<const std::string> known);
/// Of a map's member; nothing where it is absent or null. Throw as `refuse_yaml`.
std::string text_member(const Yaml& map, const std::string& where, const std::string& name);
std::vector<std::string> texts_member(const Yaml& map, const std::string& where, const std::string& name);
/// A whole number of at least `least`; `otherwise` where it is absent.
std::int64_t whole_member(const Yaml& map, const std::string& where, const std::string& name, std::int64_t least,
                          std::int64_t otherwise);

}  // namespace onggi
