#include "onggi/recommend/cards.h"

#include <unordered_map>

#include "onggi/core/error.h"
#include "onggi/datasets/rows.h"

namespace onggi::recommend {
namespace {

using datasets::Row;

constexpr std::size_t kMaxIdBytes = 200;
constexpr std::size_t kMaxListed = 1000;

[[noreturn]] void fail(const Row& row, const std::string& message) {
  throw Error(ErrorCode::kCorrupt, message, datasets::place_of(row));
}

std::string text_member(const Row& row, const char* name) {
  const auto it = row.fields.find(name);
  if (it == row.fields.end()) fail(row, datasets::missing_column_message(name, row.fields));
  if (!it->is_string() || it->get_ref<const std::string&>().empty())
    fail(row, std::string(name) + ": expected a text that is not empty");
  return it->get<std::string>();
}

/// A list of texts, or one text under the name for one.
std::vector<std::string> texts_member(const Row& row, const char* several, const char* one) {
  if (row.fields.contains(one)) {
    if (row.fields.contains(several)) fail(row, std::string(one) + " and " + several + " are both there");
    return {text_member(row, one)};
  }
  std::vector<std::string> texts;
  const auto it = row.fields.find(several);
  if (it == row.fields.end()) return texts;
  if (!it->is_array() || it->size() > kMaxListed)
    fail(row, std::string(several) + ": expected a list of at most " + std::to_string(kMaxListed) + " texts");
  for (const Json& text : *it) {
    if (!text.is_string()) fail(row, std::string(several) + ": expected a list of texts");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::vector<Card> cards_of(const std::vector<Row>& rows, std::string_view file) {
  std::vector<Card> cards;
  std::unordered_map<std::string, std::int64_t> lines;
  for (const Row& row : rows) {
    Card card{.id = text_member(row, "id"),
              .entity = text_member(row, "entity"),
              .aspect = text_member(row, "aspect"),
              .expressions = texts_member(row, "expressions", "expression"),
              .products = texts_member(row, "products", "product")};
    if (card.id.size() > kMaxIdBytes) fail(row, "id: expected at most " + std::to_string(kMaxIdBytes) + " bytes");
    if (card.expressions.empty()) fail(row, "expressions: expected at least one");
    const auto [it, is_new] = lines.try_emplace(card.id, row.line);
    if (!is_new) fail(row, "id \"" + card.id + "\" is that of line " + std::to_string(it->second) + " as well");
    cards.push_back(std::move(card));
  }
  require(!cards.empty(), "expected at least one card", ErrorCode::kCorrupt, file);
  return cards;
}

}  // namespace

std::vector<Card> read_cards(const std::filesystem::path& path) {
  return cards_of(datasets::read_rows(path, {.format = "jsonl"}), path.string());
}

std::vector<Card> read_cards_text(std::string_view text, std::string_view file) {
  return cards_of(datasets::read_rows_text(text, file, {.format = "jsonl"}), file);
}

Json to_json(const Card& card) {
  return {{"theme_id", card.id},
          {"entity", card.entity},
          {"aspect", card.aspect},
          {"expressions", card.expressions},
          {"products", card.products}};
}

}  // namespace onggi::recommend
