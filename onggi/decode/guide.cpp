#include "onggi/decode/guide.h"

#include <algorithm>
#include <array>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/decode/cards.h"
#include "onggi/decode/pattern_guide.h"
#include "onggi/decode/regex.h"
#include "onggi/decode/schema.h"

namespace onggi::decode {
namespace {

Pattern choices(const Json& list) {
  require(list.is_array() && !list.empty(), "guide: \"choices\" must be a list of texts, at least one");
  std::vector<Pattern> parts;
  for (const auto& choice : list) {
    require(choice.is_string() && !choice.get_ref<const std::string&>().empty(), "guide: \"choices\" holds something that is no text");
    parts.push_back(Pattern::literal(choice.get<std::string>()));
  }
  return Pattern::any_of(std::move(parts));
}

}  // namespace

std::shared_ptr<const Guide> compile_guide(const Json& spec, std::shared_ptr<const text::Tokenizer> tokenizer) {
  static constexpr std::array<std::string_view, 4> kKinds = {"choices", "regex", "schema", "cards"};
  require(spec.is_object(), "a guide is a JSON object with \"choices\", \"regex\", \"schema\" or \"cards\"");
  std::string kind;
  for (const auto& [key, value] : spec.items()) {
    if (key == "whitespace" && spec.contains("schema")) continue;
    require(kind.empty(), [&, &key = key] { return "guide: /" + key + " beside /" + kind; });
    require(std::find(kKinds.begin(), kKinds.end(), key) != kKinds.end(), [&, &key = key] { return "guide: /" + key + " is not known; a guide has one of choices, regex, schema or cards"; });
    kind = key;
  }
  require(!kind.empty(), "a guide needs one of \"choices\", \"regex\", \"schema\" or \"cards\"; found none");
  const Json& body = spec.at(kind);
  Pattern pattern;
  if (kind == "choices") {
    pattern = choices(body);
  } else if (kind == "regex") {
    require(body.is_string(), "guide: /regex is no text");
    pattern = parse_regex(body.get_ref<const std::string&>());
  } else if (kind == "cards") {
    pattern = cards_pattern(body);
  } else {
    const Json whitespace = spec.value("whitespace", Json("compact"));
    require(whitespace.is_string(), "guide: /whitespace is no text");
    pattern = schema_pattern(body, whitespace.get<std::string>());
  }
  return pattern_guide(pattern, std::move(tokenizer));
}

std::shared_ptr<const Guide> load_guide(const std::filesystem::path& path, std::shared_ptr<const text::Tokenizer> tokenizer) {
  const Json spec = parse_json(read_file(path), path.string());
  try {
    return compile_guide(spec, std::move(tokenizer));
  } catch (const Error& e) {  // Where it stands in the guide is known there, in which file only here.
    throw Error(e.code(), e.message(), path.string() + (e.where().empty() ? "" : ", " + e.where()));
  }
}

}  // namespace onggi::decode
