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

Draft draft_of(const Json& root, Draft fallback) {
  if (!root.is_object() || !root.contains("$schema") || !root["$schema"].is_string()) return fallback;
  const auto& name = root["$schema"].get_ref<const std::string&>();
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  if (has("draft-03") || has("draft-04")) return Draft::k4;
  if (has("draft-06")) return Draft::k6;
  if (has("draft-07")) return Draft::k7;
  if (has("2019-09")) return Draft::k201909;
  return has("2020-12") ? Draft::k202012 : fallback;
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

SchemaDocument::SchemaDocument(const Json& root, Draft fallback) : root_(root), draft_(draft_of(root, fallback)) {
  resources_.emplace("", &root_);
  index(root_, "");
}

/// Goes over everything that may be a schema; what is listed by value is none.
void SchemaDocument::index(const Json& schema, const std::string& outer) {
  std::vector<std::pair<const Json*, std::string>> open = {{&schema, outer}};
  while (!open.empty()) {
    const auto [at, inherited] = std::move(open.back());
    open.pop_back();
    std::string base = inherited;
    if (at->is_object()) {
      const char* id_keyword = draft_ == Draft::k4 ? "id" : "$id";
      const bool is_hidden = draft_ <= Draft::k7 && at->contains("$ref");  // Then nothing beside it counts.
      if (const auto id = at->find(id_keyword); id != at->end() && id->is_string() && !is_hidden) {
        const std::string uri = resolved(base, id->get_ref<const std::string&>());
        const bool is_anchor = id->get_ref<const std::string&>().starts_with('#');
        if (!is_anchor) base = uri;
        if (is_anchor && uri.find('#') + 1 < uri.size()) resources_.emplace(uri, at);
        if (!is_anchor) resources_.emplace(base.substr(0, base.find('#')), at);
        if (!is_anchor && at == &root_) resources_[base.substr(0, base.find('#'))] = at;
      }
      for (const char* keyword : {"$anchor", "$dynamicAnchor"}) {
        if (const auto anchor = at->find(keyword); anchor != at->end() && anchor->is_string()) {
          resources_.emplace(base.substr(0, base.find('#')) + "#" + anchor->get<std::string>(), at);
        }
      }
      bases_.emplace(at, base);
      for (const auto& [name, member] : at->items()) {
        if (member.is_structured() && name != "enum" && name != "const" && name != "default" && name != "examples")
          open.emplace_back(&member, base);
      }
    } else if (at->is_array()) {
      for (const Json& member : *at) open.emplace_back(&member, base);
    }
  }
}

const Json* SchemaDocument::find(const std::string& base, const std::string& reference) const {
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
  return at_pointer(*resource->second, *fragment);
}

const Json& SchemaDocument::target(const Json& schema, std::string_view keyword) {
  const Json& reference = schema.at(std::string(keyword));
  if (!reference.is_string()) refuse(schema, keyword, "is no text");
  const auto base = bases_.find(&schema);
  const Json* found = find(base == bases_.end() ? "" : base->second, reference.get_ref<const std::string&>());
  if (found == nullptr) refuse(schema, keyword, "names " + dump_json(reference) + ", which is not in this document");
  return *found;
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
  return "#";
}

void SchemaDocument::refuse(const Json& schema, std::string_view keyword, const std::string& why) const {
  std::string at = pointer(schema);
  if (schema.is_object() && schema.contains(std::string(keyword))) at = pointer_step(at, keyword);
  throw Error(ErrorCode::kInvalidArgument, "guide schema: \"" + std::string(keyword) + "\" " + why, at);
}

}  // namespace onggi::decode
