#include "onggi/decode/guide.h"

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/decode/all_ends.h"
#include "onggi/decode/grammar_spec.h"
#include "onggi/decode/pattern_guide.h"
#include "onggi/decode/spec.h"

namespace onggi::decode {

std::shared_ptr<const Guide> compile_guide(const Json& spec, std::shared_ptr<const text::Tokenizer> tokenizer) {
  auto guide = grammar_guide(spec, tokenizer);
  if (!guide) guide = pattern_guide(spec_pattern(spec), tokenizer);
  return spec.value("ends", Json()) == "all" ? with_all_ends(std::move(guide), *tokenizer) : guide;
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
