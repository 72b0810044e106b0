#include <algorithm>

#include "onggi/datasets/characters.h"
#include "onggi/eval/themes.h"

namespace onggi::eval {
namespace {

using datasets::to_code_points;

// The rules of GUIDELINES.md and validate.py beside the data.
constexpr std::size_t kMinExpression = 5, kMaxExpression = 30, kMaxEntity = 15;

/// Adnominal endings of Korean close the last syllable with n or l: -neun, -eun, -n, -eul, -l.
bool ends_adnominal(std::u32string_view text) {
  const int final = text.empty() ? -1 : datasets::final_consonant(text.back());
  return final == 4 || final == 8;
}

bool is_expression_character(char32_t c) {
  return datasets::is_hangul(c) || (c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z') ||
         c == U' ' || c == U',' || c == U'%';
}

/// The entity's words are pieces of the product's name, in order. Whole names differ by what stands between
/// ("water tray" of "water cup tray"), so each word is looked up after the one before.
bool is_piece_of(std::string_view entity, std::string_view product) {
  std::size_t from = 0;
  while (!entity.empty()) {
    const std::size_t space = entity.find(' ');
    const std::string_view word = entity.substr(0, space);
    entity.remove_prefix(space == std::string_view::npos ? entity.size() : space + 1);
    const std::size_t at = product.find(word, from);
    if (word.empty() || at == std::string_view::npos) return false;
    from = at + word.size();
  }
  return true;
}

}  // namespace

std::vector<std::string> card_faults(const Card& card, std::string_view product, std::span<const std::string> names) {
  std::vector<std::string> faults;
  const std::u32string expression = to_code_points(card.expression), entity = to_code_points(card.entity);
  if (!ends_adnominal(expression)) faults.push_back("ending");
  if (expression.size() < kMinExpression || expression.size() > kMaxExpression) faults.push_back("length");
  if (datasets::collapse_spaces(card.expression).find(' ') == std::string::npos) faults.push_back("words");
  if (!std::ranges::all_of(expression, is_expression_character)) faults.push_back("characters");
  if (!names.empty() && std::ranges::find(names, card.name) == names.end()) faults.push_back("aspect");
  const bool has_digit = std::ranges::any_of(entity, [](char32_t c) { return c >= U'0' && c <= U'9'; });
  if (entity.empty() || entity.size() > kMaxEntity || has_digit || !is_piece_of(card.entity, product)) {
    faults.push_back("entity");
  }
  return faults;
}

}  // namespace onggi::eval
