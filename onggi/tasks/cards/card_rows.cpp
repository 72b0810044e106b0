#include "onggi/tasks/cards/card_rows.h"

#include <map>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/datasets/answers.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kMaxProducts = 1000;

std::vector<std::string> texts_of(const Json& list, std::string_view name, const std::string& place) {
  require(
      list.is_array() && list.size() <= kMaxProducts,
      [&] {
        return "\"" + std::string(name) + "\" must be a list of at most " + std::to_string(kMaxProducts) + " texts";
      },
      ErrorCode::kInvalidArgument, place);
  std::vector<std::string> result;
  for (const Json& item : list) {
    require(
        item.is_string(), [&] { return "\"" + std::string(name) + "\" must hold texts, found " + item.dump(); },
        ErrorCode::kInvalidArgument, place);
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<std::string> products_of(const datasets::Row& row) {
  if (const auto list = row.fields.find("products"); list != row.fields.end())
    return texts_of(*list, "products", datasets::place_of(row));
  if (row.fields.contains("product")) return {datasets::text_of(row, "product")};
  return {};
}

bool has_text(const datasets::Row& row, std::string_view name) {
  const auto found = row.fields.find(name);
  return found != row.fields.end() && found->is_string();
}

/// The theme that a row is, if it is one.
std::optional<pictures::CardText> theme_of(const datasets::Row& row) {
  if (!has_text(row, "entity")) return std::nullopt;
  pictures::CardText card{row.id, {}, datasets::text_of(row, "entity"), {}, products_of(row)};
  card.aspect = datasets::text_of(row, row.fields.contains("name") ? "name" : "aspect");
  if (const auto list = row.fields.find("expressions");
      list != row.fields.end() && !row.fields.contains("expression")) {
    const auto texts = texts_of(*list, "expressions", datasets::place_of(row));
    require(!texts.empty(), "\"expressions\" is empty", ErrorCode::kInvalidArgument, datasets::place_of(row));
    card.expression = texts[0];
  } else {
    card.expression = datasets::text_of(row, "expression");
  }
  return card;
}

}  // namespace

CardRows cards_of_rows(std::span<const datasets::Row> rows, std::span<const datasets::Row> sources) {
  std::map<std::string, const datasets::Row*> source_of;
  for (const auto& source : sources) source_of.emplace(source.id, &source);
  CardRows result;
  std::map<std::string, std::string> places;
  const auto add = [&](pictures::CardText card, const std::string& place) {
    const auto [other, is_new] = places.emplace(card.id, place);
    require(
        is_new, [&] { return "the id \"" + card.id + "\" is there twice; first at " + other->second; },
        ErrorCode::kInvalidArgument, place);
    result.cards.push_back({std::move(card), place});
  };
  for (const auto& row : rows) {
    const std::string place = datasets::place_of(row);
    if (auto theme = theme_of(row)) {
      add(std::move(*theme), place);
      continue;
    }
    std::vector<datasets::Card> cards;
    auto products = products_of(row);
    if (row.fields.contains("themes")) {
      cards = datasets::cards_of(row.fields["themes"], place);
    } else if (row.fields.contains("text")) {
      if (has_text(row, "text"))
        cards = datasets::parse_cards(datasets::text_of(row, "text")).value_or(std::vector<datasets::Card>{});
      if (const auto source = source_of.find(row.id); source != source_of.end() && products.empty())
        products = products_of(*source->second);
    } else {
      throw Error(ErrorCode::kInvalidArgument,
                  "this row is no card: expected entity, expression and name, a list of themes, or an answer's text; " +
                      datasets::missing_column_message("entity", row.fields),
                  place);
    }
    result.num_without += cards.empty() ? 1 : 0;
    for (std::size_t i = 0; i < cards.size(); ++i)
      add({row.id + "-" + std::to_string(i + 1), cards[i].expression, cards[i].entity, cards[i].name, products}, place);
  }
  return result;
}

}  // namespace onggi::tasks
