#include "onggi/pictures/card.h"

#include "onggi/core/error.h"
#include "onggi/pictures/typeface.h"
#include "onggi/text/line_text.h"
#include "onggi/text/utf8.h"

namespace onggi::pictures {
namespace {

std::size_t count_chars(std::string_view s) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < s.size(); ++count) at += static_cast<std::size_t>(text::next_utf8(s, at).length);
  return count;
}

std::size_t index_of(std::string_view s, char32_t code) {
  std::size_t index = 0;
  for (std::size_t at = 0; at < s.size(); ++index) {
    const auto c = text::next_utf8(s, at);
    if (c.code == code) break;
    at += static_cast<std::size_t>(c.length);
  }
  return index;
}

std::string prepare_text(std::string_view raw, std::string_view what, const FontChain& chain) {
  const std::string name = "the card's " + std::string(what);
  const std::string line = text::tidy_line(raw);
  require(!line.empty(), [&] { return name + " is empty, or holds nothing that can be seen"; });
  const auto length = count_chars(line);
  require(length <= kMaxTextChars, [&] {
    return name + " has " + std::to_string(length) + " characters; a card holds at most " +
           std::to_string(kMaxTextChars);
  });
  if (const auto hidden = text::find_hidden_char(line)) {
    throw Error(ErrorCode::kInvalidArgument, name + " has " + text::code_point_text(hidden->code) + ", " +
                                                 std::string(hidden->kind) + ", as character " +
                                                 std::to_string(hidden->index + 1) + ": nothing can be drawn for it");
  }
  if (const auto missing = first_missing(line, chain)) {
    throw Error(ErrorCode::kInvalidArgument, name + " has " + text::code_point_text(*missing) + " as character " +
                                                 std::to_string(index_of(line, *missing) + 1) +
                                                 ", which none of the fonts can draw: \"" + line + "\"");
  }
  return line;
}

}  // namespace

CardText prepare_card(const CardText& card, const FontShelf& fonts) {
  // What any typeface falls back to; its own fonts only add to that.
  const FontChain chain = chain_of(fonts, "NanumGothicBold");
  CardText result{card.id,
                  prepare_text(card.expression, "expression", chain),
                  prepare_text(card.entity, "entity", chain),
                  prepare_text(card.aspect, "aspect", chain),
                  {}};
  for (const auto& product : card.products) result.products.push_back(prepare_text(product, "product", chain));
  return result;
}

std::string products_line(const CardText& card) {
  if (card.products.empty()) return {};
  if (card.products.size() == 1) return card.products[0];
  // "Product and N more", in Korean.
  return card.products[0] + " \xEC\x99\xB8 " + std::to_string(card.products.size() - 1) + "\xEA\xB0\x9C";
}

std::string alt_text(const CardText& card) {
  std::string text = card.expression + " " + card.entity + ", " + card.aspect;
  for (const auto& product : card.products) text += ", " + product;
  return text;
}

}  // namespace onggi::pictures
