#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "onggi/decode/byte_dfa.h"

namespace onggi::decode {

/// Texts in which a regular expression is found, as JSON Schema's "pattern" has it. Look-ahead is read at the very
/// start only. Throws kInvalidArgument for what is not supported, kExhausted for what grows too large; `where` names
/// the place.
ByteDfa pattern_language(std::string_view source, const std::string& where);

struct FormatLanguage {
  std::shared_ptr<const ByteDfa> texts;
  int max_length = -1;
};

/// Texts that base64, base32 or base16 (RFC 4648) writes, without line breaks; null for another name.
std::shared_ptr<const ByteDfa> encoding_language(const std::string& name);

/// Texts of a format of JSON Schema, made once; null if we do not know it.
const FormatLanguage* format_language(const std::string& name);

}  // namespace onggi::decode
