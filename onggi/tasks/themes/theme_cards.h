#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/cluster/cluster_texts.h"
#include "onggi/core/json.h"
#include "onggi/datasets/answers.h"
#include "onggi/datasets/rows.h"

namespace onggi::tasks {

/// A card that may be shown, and where it comes from.
struct ShownCard {
  std::string review, product;  ///< The review's id.
  datasets::Card card;
  double probability = 1;   ///< That a person would call it right; 1 where a person has.
  bool is_decided = false;  ///< By a person.
};

/// Cards of verdicts (`onggi verify apply`) that are accepted; for rows in `decided` (rows with themes, as `onggi
/// review` exports them) what people decided, in their place. In the rows' order. Throws kCorrupt where lines do not
/// match the rows.
std::vector<ShownCard> shown_cards(std::span<const datasets::Row> rows, std::span<const datasets::Row> verdicts,
                                   std::span<const datasets::Row> decided);

struct ThemeCardOptions {
  int least_reviews = 2;
  int num_expressions = 5;

  template <class V>
  void visit(V&& field) {
    field("least_reviews", least_reviews, "A theme is shown if this many reviews have it.");
    field("expressions", num_expressions, "Expressions of a theme, the best first.");
  }
};

/// Entity x aspect: one card on a screen.
struct ThemeCard {
  std::string id;  ///< The beginning of the SHA-256 of entity and aspect: the same in every run.
  std::string entity, name;
  std::vector<std::string> expressions;  ///< The medoid first, then such as are unlike those before.
  std::vector<std::pair<std::string, std::int64_t>> products;  ///< With their reviews, most first.
  std::int64_t num_reviews = 0, num_cards = 0;
};

/// Groups cards that are no outliers by entity and aspect; expressions are chosen by the prepared vectors of
/// `clusters`, which was made of the cards' expressions. Most reviews first, then by id.
std::vector<ThemeCard> theme_cards(std::span<const ShownCard> cards, const cluster::TextClusters& clusters,
                                   const ThemeCardOptions& options, ThreadPool& pool);

/// JSON Lines; docs/formats/theme_cards.md.
std::string theme_cards_jsonl(std::span<const ThemeCard> cards);

}  // namespace onggi::tasks
