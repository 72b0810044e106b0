#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "onggi/core/json.h"

namespace onggi::decode {

enum class Draft { k4, k6, k7, k201909, k202012 };

/// The draft that "$schema" names; `fallback` where it names none.
Draft draft_of(const Json& schema, Draft fallback);

/// What the metaschema that "$schema" names says of the keywords.
struct Dialect {
  Draft draft = Draft::k202012;
  bool is_known = true;          ///< The name is a draft's or a document's, or there is none.
  bool asserts_formats = false;  ///< By its "$vocabulary" (2020-12, 7.2.2 of the validation part).
  bool has_validation = true;    ///< Else "type", "minimum" and their kin say nothing.
  bool has_applicator = true;    ///< Else "properties", "allOf" and their kin.
};

/// A JSON Schema with its references: which schema a "$ref" means, where a schema stands, and schemas that are made on
/// the way. Schemas are told apart by their addresses, which stay.
class SchemaDocument {
 public:
  /// `fallback` is the draft of a schema that does not name its own, `others` an object of the schemas that references
  /// and "$schema" may name, by their URIs. Throws kInvalidArgument for a metaschema that asks for what we don't know.
  SchemaDocument(const Json& root, Draft fallback, const Json& others = Json::object());

  const Json& root() const { return root_; }
  Draft draft() const { return dialect_.draft; }
  const Dialect& dialect() const { return dialect_; }
  /// False for another document, or a schema with an identifier, that names a metaschema of its own.
  bool is_of_this_dialect(const Json& schema) const;
  /// The schema that a reference inside `schema` means. Throws kInvalidArgument if there is none here.
  const Json& target(const Json& schema, std::string_view keyword);
  /// The schema that a "$dynamicRef" means wherever it is come from. Throws kInvalidArgument where that depends.
  const Json& dynamic_target(const Json& schema);
  /// What is evaluated counts somewhere.
  bool has_unevaluated() const { return has_unevaluated_; }
  /// Keeps a schema that was made out of another, for whose place errors are told.
  const Json& keep(Json made, const Json& out_of);
  /// JSON pointer of a schema ("#/properties/a"), of the one that it was made of, or "#".
  std::string pointer(const Json& schema) const;
  /// The same of one of its keywords.
  std::string pointer(const Json& schema, std::string_view keyword) const;
  /// A keyword as messages name it.
  std::string spelt_keyword(const Json& schema, std::string_view keyword) const;
  /// Out of another one, not written by the user.
  bool is_made(const Json& schema) const { return origins_.contains(&schema); }
  /// Throws kInvalidArgument naming the keyword and its pointer.
  [[noreturn]] void refuse(const Json& schema, std::string_view keyword, const std::string& why) const;

 private:
  void index(const Json& schema, const std::string& base);
  std::string index_one(const Json& schema, std::string base);
  const Json* find(const std::string& base, const std::string& reference);
  std::string resource_of(const Json& schema) const;
  void read_dialect(Draft fallback);

  Json root_;
  std::vector<std::pair<std::string, Json>> others_;  ///< By URI.
  Dialect dialect_;
  std::unordered_map<const Json*, std::string> bases_;  ///< Of schemas that were seen.
  std::map<std::string, const Json*> resources_;        ///< By URI, without an empty fragment; anchors after '#'.
  std::map<std::string, std::vector<const Json*>> dynamic_anchors_;
  bool has_unevaluated_ = false;
  std::deque<Json> made_;
  std::unordered_map<const Json*, const Json*> origins_;  ///< Of the schemas made.
};

/// A schema that every value fits, or none.
inline bool is_true(const Json& schema) {
  return schema.is_boolean() ? schema.get<bool>() : schema.is_object() && schema.empty();
}
inline bool is_false(const Json& schema) { return schema.is_boolean() && !schema.get<bool>(); }

template <class List, class Value>
bool holds(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// One more step of a JSON pointer.
std::string pointer_step(const std::string& at, std::string_view name);

}  // namespace onggi::decode
