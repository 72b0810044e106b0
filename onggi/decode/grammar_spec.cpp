#include "onggi/decode/grammar_spec.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/decode/ebnf.h"
#include "onggi/decode/pattern_guide.h"
#include "onggi/decode/pushdown_guide.h"
#include "onggi/decode/schema.h"
#include "onggi/decode/schema_grammar.h"

namespace onggi::decode {
namespace {

/// Refuses members that may not stand beside the kind.
void check_members(const Json& spec, const std::string& kind, std::initializer_list<std::string_view> others) {
  for (const auto& [key, value] : spec.items()) {
    const bool is_known = key == kind || key == "ends" || std::find(others.begin(), others.end(), key) != others.end();
    require(is_known, [&, &key = key] { return "guide: /" + key + " beside /" + kind; });
  }
  require(!spec.contains("ends") || spec["ends"] == "all", "guide: /ends must be \"all\"");
}

/// One of the words that a member may be.
std::size_t word_of(const Json& spec, const char* member, std::initializer_list<std::string_view> words) {
  const Json value = spec.value(member, Json(*words.begin()));
  std::string expected;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (value.is_string() && value.get_ref<const std::string&>() == words.begin()[i]) return i;
    expected += (i == 0 ? "" : ", ") + std::string(words.begin()[i]);
  }
  throw Error(ErrorCode::kInvalidArgument,
              std::string("guide: /") + member + " is " + dump_json(value) + ", expected one of " + expected);
}

SchemaReading schema_reading(const Json& spec) {
  SchemaReading reading;
  reading.is_flexible = word_of(spec, "whitespace", {"compact", "flexible"}) == 1;
  reading.is_ordered = word_of(spec, "order", {"schema", "any"}) == 0;
  const Json open = spec.value("open", Json(false));
  require(open.is_boolean(), "guide: /open must be true or false");
  reading.passes_over_unknown = open.get<bool>();
  reading.formats = static_cast<SchemaReading::Formats>(word_of(spec, "format", {"assert", "known", "annotate"}));
  static constexpr std::array<Draft, 5> kDrafts = {Draft::k202012, Draft::k201909, Draft::k7, Draft::k6, Draft::k4};
  reading.draft = kDrafts[word_of(spec, "draft", {"2020-12", "2019-09", "7", "6", "4"})];
  reading.documents = spec.value("documents", Json::object());
  require(reading.documents.is_object(), "guide: /documents is no object");
  return reading;
}

/// Draft 7 holds strings to their contents, which only the grammar does.
bool holds_to_contents(const Json& schema, const SchemaReading& reading) {
  if (draft_of(schema, reading.draft) != Draft::k7 || reading.formats == SchemaReading::Formats::kAnnotate)
    return false;
  const std::string text = schema.dump();
  return text.find("\"contentEncoding\"") != std::string::npos ||
         text.find("\"contentMediaType\"") != std::string::npos;
}

/// A regular language where it is one: it may quote a row, and its reachable tokens are few. Else a grammar.
std::shared_ptr<const Guide> schema_guide(const Json& spec, const std::shared_ptr<const text::Tokenizer>& tokenizer) {
  const SchemaReading reading = schema_reading(spec);
  const Json& schema = spec.at("schema");
  std::optional<Pattern> pattern;
  std::optional<Error> why_not;
  if (!reading.passes_over_unknown && reading.is_ordered && reading.documents.empty() &&
      !holds_to_contents(schema, reading)) {
    try {
      pattern = schema_pattern(schema, reading.is_flexible ? "flexible" : "compact");
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInvalidArgument && e.code() != ErrorCode::kExhausted) throw;
      why_not = e;
    }
  }
  if (pattern) return pattern_guide(*pattern, tokenizer);
  try {
    return pushdown_guide(schema_grammar(schema, reading), tokenizer);
  } catch (const Error& e) {
    // A schema that quotes rows is for the first of the two, whose reason counts.
    if (why_not && e.message().find("x-onggi-regex") != std::string::npos) throw *why_not;
    throw;
  }
}

}  // namespace

std::shared_ptr<const Guide> grammar_guide(const Json& spec, const std::shared_ptr<const text::Tokenizer>& tokenizer) {
  if (!spec.is_object()) return nullptr;
  if (spec.contains("grammar")) {
    check_members(spec, "grammar", {});
    require(spec["grammar"].is_string(), "guide: /grammar is no text");
    return pushdown_guide(parse_ebnf(spec["grammar"].get_ref<const std::string&>()), tokenizer);
  }
  if (spec.contains("json_object")) {
    check_members(spec, "json_object", {"whitespace"});
    require(spec["json_object"] == Json(true), "guide: /json_object must be true");
    return pushdown_guide(schema_grammar({{"type", "object"}}, schema_reading(spec)), tokenizer);
  }
  if (!spec.contains("schema")) return nullptr;
  check_members(spec, "schema", {"whitespace", "order", "open", "format", "draft", "documents"});
  return schema_guide(spec, tokenizer);
}

}  // namespace onggi::decode
