#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "onggi/core/json.h"

namespace onggi::decode {

enum class Draft { k4, k6, k7, k201909, k202012 };

/// A JSON Schema with its references: which schema a "$ref" means, where a schema stands, and schemas that are made on
/// the way. Schemas are told apart by their addresses, which stay.
class SchemaDocument {
 public:
  /// `fallback` is the draft of a schema that does not name its own.
  SchemaDocument(const Json& root, Draft fallback);

  const Json& root() const { return root_; }
  Draft draft() const { return draft_; }
  /// The schema that a reference inside `schema` means. Throws kInvalidArgument if there is none here.
  const Json& target(const Json& schema, std::string_view keyword);
  /// Keeps a schema that was made out of another, for whose place errors are told.
  const Json& keep(Json made, const Json& out_of);
  /// JSON pointer of a schema ("#/properties/a"), of the one that it was made of, or "#".
  std::string pointer(const Json& schema) const;
  /// Throws kInvalidArgument naming the keyword and its pointer.
  [[noreturn]] void refuse(const Json& schema, std::string_view keyword, const std::string& why) const;

 private:
  void index(const Json& schema, const std::string& base);
  const Json* find(const std::string& base, const std::string& reference) const;

  Json root_;
  Draft draft_;
  std::unordered_map<const Json*, std::string> bases_;  ///< Of schemas that were seen.
  std::map<std::string, const Json*> resources_;        ///< By URI, without an empty fragment; anchors after '#'.
  std::deque<Json> made_;
  std::unordered_map<const Json*, const Json*> origins_;  ///< Of the schemas made.
};

/// One more step of a JSON pointer.
std::string pointer_step(const std::string& at, std::string_view name);

}  // namespace onggi::decode
