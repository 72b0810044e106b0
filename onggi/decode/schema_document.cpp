#include "onggi/decode/schema_document.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>
#include <vector>

#include "onggi/core/error.h"

namespace onggi::decode {
namespace {

constexpr int kMaxDepth = 1000;

/// Keywords whose values are schemas, lists of them, or objects of them.
constexpr std::array<std::string_view, 12> kWithSchema = {"not",
                                                          "if",
                                                          "then",
                                                          "else",
                                                          "items",
                                                          "contains",
                                                          "propertyNames",
                                                          "additionalItems",
                                                          "contentSchema",
                                                          "additionalProperties",
                                                          "unevaluatedItems",
                                                          "unevaluatedProperties"};
constexpr std::array<std::string_view, 5> kWithList = {"allOf", "anyOf", "oneOf", "prefixItems", "items"};
constexpr std::array<std::string_view, 6> kWithMembers = {"properties",  "patternProperties", "$defs",
                                                          "definitions", "dependentSchemas",  "dependencies"};

/// The URI that "$schema" is, without an empty fragment; empty if there is none.
std::string metaschema_of(const Json& schema) {
  if (!schema.is_object() || !schema.contains("$schema") || !schema["$schema"].is_string()) return "";
  std::string name = schema["$schema"].get<std::string>();
  if (name.ends_with('#')) name.pop_back();
  return name;
}

std::optional<Draft> draft_named(const std::string& metaschema) {
  if (metaschema.find("json-schema.org/") == std::string::npos) return std::nullopt;
  const auto has = [&](std::string_view part) { return metaschema.find(part) != std::string::npos; };
  if (has("draft-03") || has("draft-04")) return Draft::k4;
  if (has("draft-06")) return Draft::k6;
  if (has("draft-07")) return Draft::k7;
  if (has("2019-09")) return Draft::k201909;
  if (has("2020-12")) return Draft::k202012;
  return std::nullopt;
}

/// `reference` read against `base`, as RFC 3986 has it for the cases that occur.
std::string resolved(const std::string& base, const std::string& reference) {
  const auto has_scheme = [](const std::string& uri) {
    const auto colon = uri.find(':');
    return colon != std::string::npos && colon > 0 && std::isalpha(static_cast<unsigned char>(uri[0])) != 0 &&
           uri.find_first_of("/?#") > colon;
  };
  const std::string stem = base.substr(0, base.find('#'));
  if (reference.empty()) return stem;
  if (reference[0] == '#') return stem + reference;
  if (has_scheme(reference)) return reference;
  const auto authority = stem.find("://");
  if (reference[0] == '/') {
    if (authority == std::string::npos) return reference;
    return stem.substr(0, std::min(stem.find('/', authority + 3), stem.size())) + reference;
  }
  std::string out = stem.substr(0, stem.rfind('/') == std::string::npos ? 0 : stem.rfind('/') + 1) + reference;
  if (out.empty() || stem.starts_with("urn:")) return reference;
  for (auto at = out.find("/./"); at != std::string::npos; at = out.find("/./")) out.erase(at, 2);
  for (auto at = out.find("/../"); at != std::string::npos && at > 0; at = out.find("/../")) {
    const auto from = out.rfind('/', at - 1);
    if (from == std::string::npos) break;
    out.erase(from, at + 3 - from);
  }
  return out;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      int value = 0;
      const auto digits = text.substr(i + 1, 2);
      const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (digits.size() != 2 || end.ptr != digits.data() + 2) return std::nullopt;
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

const Json* at_pointer(const Json& root, const std::string& pointer) {
  const Json* found = &root;
  for (std::size_t from = 1; from <= pointer.size();) {
    const std::size_t to = std::min(pointer.find('/', from), pointer.size());
    std::string name;
    for (std::size_t i = from; i < to; ++i) {
      const bool is_escape = pointer[i] == '~' && i + 1 < to && (pointer[i + 1] == '0' || pointer[i + 1] == '1');
      name += !is_escape ? pointer[i] : pointer[++i] == '0' ? '~' : '/';
    }
    if (found->is_object()) {
      const auto member = found->find(name);
      if (member == found->end()) return nullptr;
      found = &*member;
    } else if (found->is_array()) {
      std::size_t index = 0;
      const auto end = std::from_chars(name.data(), name.data() + name.size(), index);
      if (name.empty() || end.ptr != name.data() + name.size() || index >= found->size()) return nullptr;
      found = &(*found)[index];
    } else {
      return nullptr;
    }
    from = to + 1;
  }
  return found;
}

bool path_to(const Json& from, const Json* to, std::string& path, int depth) {
  if (&from == to) return true;
  if (depth > kMaxDepth) return false;
  const std::size_t size = path.size();
  if (from.is_object()) {
    for (const auto& [name, member] : from.items()) {
      path = pointer_step(path, name);
      if (path_to(member, to, path, depth + 1)) return true;
      path.resize(size);
    }
  } else if (from.is_array()) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      path += "/" + std::to_string(i);
      if (path_to(from[i], to, path, depth + 1)) return true;
      path.resize(size);
    }
  }
  return false;
}

}  // namespace

std::string pointer_step(const std::string& at, std::string_view name) {
  std::string out = at + "/";
  for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

Draft draft_of(const Json& schema, Draft fallback) { return draft_named(metaschema_of(schema)).value_or(fallback); }

SchemaDocument::SchemaDocument(const Json& root, Draft fallback, const Json& others) : root_(root) {
  dialect_.draft = draft_of(root_, fallback);
  for (const auto& [uri, schema] : others.items()) others_.emplace_back(uri.substr(0, uri.find('#')), schema);
  resources_.emplace("", &root_);
  for (const auto& [uri, schema] : others_) resources_.emplace(uri, &schema);
  read_dialect(fallback);
  index(root_, "");
  for (const auto& [uri, schema] : others_) index(schema, uri);
}

void SchemaDocument::read_dialect(Draft fallback) {
  const std::string name = metaschema_of(root_);
  if (name.empty() || draft_named(name)) return;
  const auto found = resources_.find(name);
  dialect_.is_known = found != resources_.end();
  if (!dialect_.is_known || !found->second->is_object()) return;
  const Json& metaschema = *found->second;
  dialect_.draft = draft_of(metaschema, fallback);
  if (!metaschema.contains("$vocabulary")) return;
  const Json& vocabularies = metaschema["$vocabulary"];
  if (!vocabularies.is_object()) refuse(root_, "$schema", "names a metaschema whose $vocabulary is no object");
  dialect_.has_validation = dialect_.has_applicator = false;
  for (const auto& [uri, is_needed] : vocabularies.items()) {
    const bool is_standard = uri.find("json-schema.org/draft/20") != std::string::npos;
    const std::string part = uri.substr(uri.rfind('/') + 1);
    if (is_standard && part == "validation") {
      dialect_.has_validation = true;
    } else if (is_standard && part == "applicator") {
      dialect_.has_applicator = true;
    } else if (is_standard && (part == "format-assertion" || (part == "format" && is_needed == Json(true)))) {
      dialect_.asserts_formats = true;
    } else if (is_needed == Json(true) && !is_standard) {
      refuse(root_, "$schema",
             "names a metaschema that needs the vocabulary " + dump_json(Json(uri)) + ", which is not known");
    }
  }
}

bool SchemaDocument::is_of_this_dialect(const Json& schema) const {
  const std::string own = metaschema_of(schema);
  const bool is_resource =
      schema.contains(draft() == Draft::k4 ? "id" : "$id") ||
      std::any_of(others_.begin(), others_.end(), [&](const auto& o) { return &o.second == &schema; });
  if (own.empty() || !is_resource || &schema == &root_ || own == metaschema_of(root_)) return true;
  const auto draft = draft_named(own);
  return draft && *draft == dialect_.draft && !dialect_.asserts_formats && dialect_.has_validation &&
         dialect_.has_applicator;
}

/// Learns the names of a schema: gives the base of what is inside.
std::string SchemaDocument::index_one(const Json& schema, std::string base) {
  const char* id_keyword = draft() == Draft::k4 ? "id" : "$id";
  const bool is_hidden = draft() <= Draft::k7 && schema.contains("$ref");  // Then nothing beside it counts.
  if (const auto id = schema.find(id_keyword); id != schema.end() && id->is_string() && !is_hidden) {
    const std::string uri = resolved(base, id->get_ref<const std::string&>());
    const bool is_anchor = id->get_ref<const std::string&>().starts_with('#');
    if (!is_anchor) base = uri;
    if (is_anchor && uri.find('#') + 1 < uri.size()) resources_.emplace(uri, &schema);
    if (!is_anchor) resources_.emplace(base.substr(0, base.find('#')), &schema);
    if (!is_anchor && &schema == &root_) resources_[base.substr(0, base.find('#'))] = &schema;
  }
  for (const char* keyword : {"$anchor", "$dynamicAnchor"}) {
    if (const auto anchor = schema.find(keyword); anchor != schema.end() && anchor->is_string())
      resources_.emplace(base.substr(0, base.find('#')) + "#" + anchor->get<std::string>(), &schema);
  }
  if (const auto anchor = schema.find("$dynamicAnchor"); anchor != schema.end() && anchor->is_string())
    dynamic_anchors_[anchor->get<std::string>()].push_back(&schema);
  const bool has_own = schema.contains("unevaluatedProperties") || schema.contains("unevaluatedItems");
  has_unevaluated_ = has_unevaluated_ || (has_own && draft() >= Draft::k201909);
  bases_.emplace(&schema, base);
  return base;
}

/// Goes over all schemas inside of one: a name inside of an unknown keyword is none.
void SchemaDocument::index(const Json& schema, const std::string& outer) {
  std::vector<std::pair<const Json*, std::string>> open = {{&schema, outer}};
  while (!open.empty()) {
    const auto [at, inherited] = std::move(open.back());
    open.pop_back();
    if (!at->is_object()) continue;
    const std::string base = index_one(*at, inherited);
    for (const auto& [keyword, value] : at->items()) {
      if (value.is_object() && holds(kWithSchema, keyword)) open.emplace_back(&value, base);
      const bool is_list = value.is_array() && holds(kWithList, keyword);
      if (!is_list && !(value.is_object() && holds(kWithMembers, keyword))) continue;
      for (const Json& member : value) open.emplace_back(&member, base);
    }
  }
}

const Json* SchemaDocument::find(const std::string& base, const std::string& reference) {
  const std::string uri = resolved(base, reference);
  const auto hash = std::min(uri.find('#'), uri.size());
  const auto fragment = unescaped(std::string_view(uri).substr(std::min(hash + 1, uri.size())));
  if (!fragment) return nullptr;
  const auto resource = resources_.find(uri.substr(0, hash));
  if (!fragment->empty() && (*fragment)[0] != '/') {
    const auto anchor = resources_.find(uri.substr(0, hash) + "#" + *fragment);
    return anchor == resources_.end() ? nullptr : anchor->second;
  }
  if (resource == resources_.end()) return nullptr;
  const Json* found = at_pointer(*resource->second, *fragment);
  // Below an unknown keyword there may be schemas too, which only a reference shows.
  if (found != nullptr && found->is_object() && !bases_.contains(found)) index(*found, uri.substr(0, hash));
  return found;
}

const Json& SchemaDocument::target(const Json& schema, std::string_view keyword) {
  const Json& reference = schema.at(std::string(keyword));
  if (!reference.is_string()) refuse(schema, keyword, "is no text");
  const auto base = bases_.find(&schema);
  const Json* found = find(base == bases_.end() ? "" : base->second, reference.get_ref<const std::string&>());
  if (found == nullptr)
    refuse(schema, keyword, "names " + dump_json(reference) + ", which is neither here nor in \"documents\"");
  return *found;
}

/// URI of the schema with an identifier that is nearest around.
std::string SchemaDocument::resource_of(const Json& schema) const {
  const auto base = bases_.find(&schema);
  return base == bases_.end() ? "" : base->second.substr(0, base->second.find('#'));
}

const Json& SchemaDocument::dynamic_target(const Json& schema) {
  const Json& first = target(schema, "$dynamicRef");
  const auto& reference = schema["$dynamicRef"].get_ref<const std::string&>();
  const std::string name = reference.substr(std::min(reference.find('#'), reference.size() - 1) + 1);
  if (!first.is_object() || name.empty() || first.value("$dynamicAnchor", Json()) != Json(name)) return first;
  // The outermost resource that has the name counts, and the root's is around all.
  const auto& anchors = dynamic_anchors_[name];
  for (const Json* anchor : anchors) {
    if (resource_of(*anchor) == resource_of(root_)) return *anchor;
  }
  if (anchors.size() > 1) refuse(schema, "$dynamicRef", "may mean several schemas, which is not supported");
  return first;
}

const Json& SchemaDocument::keep(Json made, const Json& out_of) {
  made_.push_back(std::move(made));
  origins_.emplace(&made_.back(), &out_of);
  return made_.back();
}

std::string SchemaDocument::pointer(const Json& schema) const {
  std::string path = "#";
  const Json* real = &schema;
  for (int i = 0; i < kMaxDepth; ++i) {
    if (const auto origin = origins_.find(real); origin != origins_.end()) {
      real = origin->second;
    } else {
      break;
    }
  }
  if (path_to(root_, real, path, 0)) return path;
  for (const auto& [uri, other] : others_) {
    if (path_to(other, real, path = uri + "#", 0)) return path;
  }
  return "#";
}

std::string SchemaDocument::pointer(const Json& schema, std::string_view keyword) const {
  const bool has_keyword = !is_made(schema) && schema.is_object() && schema.contains(std::string(keyword));
  return has_keyword ? pointer_step(pointer(schema), keyword) : pointer(schema);
}

std::string SchemaDocument::spelt_keyword(const Json& schema, std::string_view keyword) const {
  if (keyword.starts_with('\1')) return "what \"not\" or \"oneOf\" makes of it";
  return (is_made(schema) ? "what is made of it by \"" : "\"") + std::string(keyword) + "\"";
}

void SchemaDocument::refuse(const Json& schema, std::string_view keyword, const std::string& why) const {
  throw Error(ErrorCode::kInvalidArgument, "guide schema: " + spelt_keyword(schema, keyword) + " " + why,
              pointer(schema, keyword));
}

}  // namespace onggi::decode
