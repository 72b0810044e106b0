#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onggi/text/jinja/syntax.h"

namespace onggi::text::jinja {

struct Token {
  enum class Kind {
    kText,         // Outside of tags; comments are gone, white space control is done.
    kOutputBegin,  // {{
    kOutputEnd,
    kBlockBegin,  // {%
    kBlockEnd,
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator,
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  Place place;

  bool is(Kind k, std::string_view t) const { return kind == k && text == t; }
};

/// The tokens of a template, kEnd last.
std::vector<Token> tokenize_template(std::string_view source);

}  // namespace onggi::text::jinja
