#include "onggi/decode/spec.h"

#include <algorithm>
#include <array>

#include "onggi/core/error.h"
#include "onggi/decode/cards.h"
#include "onggi/decode/regex.h"
#include "onggi/decode/schema.h"

namespace onggi::decode {
namespace {

constexpr std::size_t kMaxDepth = 16;

Pattern choices(const Json& list) {
  require(list.is_array() && !list.empty(), "guide: \"choices\" must be a list of texts, at least one");
  std::vector<Pattern> parts;
  for (const auto& choice : list) {
    require(choice.is_string() && !choice.get_ref<const std::string&>().empty(),
            "guide: \"choices\" holds something that is no text");
    parts.push_back(Pattern::literal(choice.get<std::string>()));
  }
  return Pattern::any_of(std::move(parts));
}

Pattern kind_pattern(const Json& spec, const std::string& kind, const std::string& at, const SchemaPart& schema_part) {
  const Json& body = spec.at(kind);
  const std::string where = at + "/" + kind;
  if (kind == "sequence" || kind == "any_of") {
    require(body.is_array() && !body.empty(),
            [&] { return "guide: \"" + kind + "\" must be a list of guides, at least one"; });
    std::vector<Pattern> parts;
    for (std::size_t i = 0; i < body.size(); ++i)
      parts.push_back(spec_pattern(body[i], where + "/" + std::to_string(i), schema_part));
    return kind == "sequence" ? Pattern::sequence(std::move(parts)) : Pattern::any_of(std::move(parts));
  }
  if (kind == "repeat") return Pattern::repeat(spec_pattern(body, where, schema_part), 0, Pattern::kUnbounded);
  if (kind == "choices") return choices(body);
  if (kind == "cards") return cards_pattern(body);
  if (kind == "regex") {
    require(body.is_string(), "guide: /regex is no text");
    return parse_regex(body.get_ref<const std::string&>());
  }
  if (schema_part) return schema_part(spec);
  const Json whitespace = spec.value("whitespace", Json("compact"));
  require(whitespace.is_string(), "guide: /whitespace is no text");
  return schema_pattern(body, whitespace.get<std::string>());
}

}  // namespace

Pattern spec_pattern(const Json& spec, const std::string& at, const SchemaPart& schema_part) {
  static constexpr std::array<std::string_view, 7> kKinds = {"choices",  "regex",  "schema", "cards",
                                                             "sequence", "any_of", "repeat"};
  static constexpr std::string_view kNames =
      "choices, regex, schema, json_object, grammar, cards, sequence, any_of or repeat";
  require(static_cast<std::size_t>(std::ranges::count(at, '/')) <= 2 * kMaxDepth, "guide: composed too deep",
          ErrorCode::kExhausted, at);
  require(spec.is_object(), [&] { return "a guide is a JSON object with " + std::string(kNames); });
  std::string kind;
  for (const auto& [key, value] : spec.items()) {
    if (key == "whitespace" && spec.contains("schema")) continue;
    if (key == "ends" && at.empty()) {
      require(value == "all", "guide: /ends must be \"all\"");
      continue;
    }
    require(kind.empty(), [&, &key = key] { return "guide: " + at + "/" + key + " beside " + at + "/" + kind; });
    require(at.empty() || (key != "grammar" && key != "json_object"),
            [&, &key = key] { return "guide: " + at + "/" + key + " can't be part of another guide"; });
    require(std::ranges::find(kKinds, key) != kKinds.end(), [&, &key = key] {
      return "guide: " + at + "/" + key + " is not known; a guide has one of " + std::string(kNames);
    });
    kind = key;
  }
  require(!kind.empty(), [&] { return "a guide needs one of " + std::string(kNames) + "; found none"; });
  if (at.empty()) return kind_pattern(spec, kind, at, schema_part);
  try {
    return kind_pattern(spec, kind, at, schema_part);
  } catch (const Error& e) {  // The innermost knows best where it is.
    if (e.where().starts_with('/')) throw;
    throw Error(e.code(), e.message(), at + "/" + kind + e.where());
  }
}

}  // namespace onggi::decode
