#include "onggi/decode/guide.h"

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/decode/all_ends.h"
#include "onggi/decode/composed_grammar.h"
#include "onggi/decode/grammar_spec.h"
#include "onggi/decode/pattern_guide.h"
#include "onggi/decode/pushdown_guide.h"
#include "onggi/decode/spec.h"

namespace onggi::decode {
namespace {

/// A regular language where it is one.
std::shared_ptr<const Guide> composed_guide(const Json& spec, const std::shared_ptr<const text::Tokenizer>& tokenizer) {
  try {
    return pattern_guide(spec_pattern(spec), tokenizer);
  } catch (const Error& e) {
    const bool is_composed =
        spec.is_object() && (spec.contains("sequence") || spec.contains("any_of") || spec.contains("repeat"));
    if (!is_composed || (e.code() != ErrorCode::kInvalidArgument && e.code() != ErrorCode::kExhausted)) throw;
  }
  return pushdown_guide(composed_grammar(spec), tokenizer);
}

}  // namespace

std::shared_ptr<const Guide> compile_guide(const Json& spec, std::shared_ptr<const text::Tokenizer> tokenizer) {
  auto guide = grammar_guide(spec, tokenizer);
  if (!guide) guide = composed_guide(spec, tokenizer);
  return spec.value("ends", Json()) == "all" ? with_all_ends(std::move(guide), *tokenizer) : guide;
}

std::shared_ptr<const Guide> load_guide(const std::filesystem::path& path,
                                        std::shared_ptr<const text::Tokenizer> tokenizer) {
  const Json spec = parse_json(read_file(path), path.string());
  try {
    return compile_guide(spec, std::move(tokenizer));
  } catch (const Error& e) {  // Where it stands in the guide is known there, in which file only here.
    throw Error(e.code(), e.message(), path.string() + (e.where().empty() ? "" : ", " + e.where()));
  }
}

}  // namespace onggi::decode
