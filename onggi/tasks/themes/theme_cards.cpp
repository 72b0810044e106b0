#include "onggi/tasks/themes/theme_cards.h"

#include <algorithm>
#include <set>

#include "onggi/cluster/themes.h"
#include "onggi/core/error.h"
#include "onggi/core/hash.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kIdCharacters = 16;

std::string member_text(const Json& object, const char* name, const std::string& where) {
  require(object.is_object() && object.contains(name) && object[name].is_string(),
          "a card has no text \"" + std::string(name) + "\"", ErrorCode::kCorrupt, where);
  return object[name].get<std::string>();
}

void add_verdicts(const datasets::Row& row, const datasets::Row& line, std::vector<ShownCard>& shown) {
  const auto where = datasets::place_of(line);
  require(line.id == row.id, "the verdict is on row \"" + line.id + "\", expected \"" + row.id + "\"",
          ErrorCode::kCorrupt, where);
  const auto& cards = datasets::column_of(line, "cards");
  require(cards.is_array(), "\"cards\" is no list", ErrorCode::kCorrupt, where);
  for (const auto& card : cards) {
    if (member_text(card, "verdict", where) != "accepted") continue;
    require(card.contains("probability") && card["probability"].is_number(), "a card has no probability",
            ErrorCode::kCorrupt, where);
    shown.push_back({.review = row.id,
                     .product = datasets::text_of(row, "product"),
                     .card = {.entity = member_text(card, "entity", where),
                              .expression = member_text(card, "expression", where),
                              .name = member_text(card, "name", where)},
                     .probability = card["probability"].get<double>()});
  }
}

/// Reviews of a card's group, by product.
struct Group {
  std::vector<std::size_t> cards;
  std::set<std::string> reviews;
  std::map<std::string, std::set<std::string>> products;
};

/// Expressions of a group, the medoid first, for the points that stand for its cards.
std::vector<std::string> best_expressions(const Group& group, std::span<const ShownCard> cards,
                                          const cluster::TextClusters& clusters,
                                          const std::map<std::int32_t, std::int32_t>& place_of_kept, int most,
                                          ThreadPool& pool) {
  std::map<std::int32_t, std::int32_t> weights;  // a kept text: cards that it stands for
  for (const auto i : group.cards) ++weights[clusters.duplicates.canonical[i]];
  std::vector<std::int32_t> kept, places, counts;
  for (const auto& [text, count] : weights) {
    kept.push_back(text);
    places.push_back(place_of_kept.at(text));
    counts.push_back(count);
  }
  const cluster::Points points(cluster::take_rows(clusters.prepared, places));
  const std::vector<std::int32_t> labels(kept.size(), 0);
  const auto themes = cluster::describe_clusters(points, labels, counts, {}, {.num_best = most}, pool);
  std::vector<std::string> texts;
  for (const auto member : themes.at(0).best)
    texts.push_back(cards[static_cast<std::size_t>(kept[static_cast<std::size_t>(member)])].card.expression);
  return texts;
}

}  // namespace

std::vector<ShownCard> shown_cards(std::span<const datasets::Row> rows, std::span<const datasets::Row> verdicts,
                                   std::span<const datasets::Row> decided) {
  require(rows.size() == verdicts.size(),
          "there are " + std::to_string(rows.size()) + " rows and " + std::to_string(verdicts.size()) + " verdicts",
          ErrorCode::kCorrupt);
  std::map<std::string, const datasets::Row*> by_id;
  for (const auto& row : decided) by_id[row.id] = &row;
  std::vector<ShownCard> shown;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto found = by_id.find(rows[i].id);
    if (found == by_id.end()) {
      add_verdicts(rows[i], verdicts[i], shown);
      continue;
    }
    for (auto& card :
         datasets::cards_of(datasets::column_of(*found->second, "themes"), datasets::place_of(*found->second))) {
      shown.push_back({.review = rows[i].id,
                       .product = datasets::text_of(rows[i], "product"),
                       .card = std::move(card),
                       .is_decided = true});
    }
  }
  return shown;
}

std::vector<ThemeCard> theme_cards(std::span<const ShownCard> cards, const cluster::TextClusters& clusters,
                                   const ThemeCardOptions& options, ThreadPool& pool) {
  require(options.least_reviews >= 1, "--least-reviews is below 1");
  require(options.num_expressions >= 1, "--expressions is below 1");
  require(cards.size() == clusters.is_outlier.size(), "the clusters are of other texts than the cards",
          ErrorCode::kInternal);
  std::map<std::pair<std::string, std::string>, Group> groups;
  for (std::size_t i = 0; i < cards.size(); ++i) {
    if (clusters.is_outlier[i] && !cards[i].is_decided) continue;  // People have the last word.
    auto& group = groups[{cards[i].card.entity, cards[i].card.name}];
    group.cards.push_back(i);
    group.reviews.insert(cards[i].review);
    group.products[cards[i].product].insert(cards[i].review);
  }
  std::map<std::int32_t, std::int32_t> place_of_kept;
  for (std::size_t k = 0; k < clusters.duplicates.kept.size(); ++k)
    place_of_kept[clusters.duplicates.kept[k]] = static_cast<std::int32_t>(k);
  std::vector<ThemeCard> themes;
  for (const auto& [key, group] : groups) {
    if (std::ssize(group.reviews) < options.least_reviews) continue;
    ThemeCard theme{
        .id = sha256_hex(key.first + '\n' + key.second).substr(0, kIdCharacters),
        .entity = key.first,
        .name = key.second,
        .expressions = best_expressions(group, cards, clusters, place_of_kept, options.num_expressions, pool),
        .products = {},
        .num_reviews = std::ssize(group.reviews),
        .num_cards = std::ssize(group.cards)};
    for (const auto& [product, reviews] : group.products) theme.products.emplace_back(product, std::ssize(reviews));
    std::ranges::stable_sort(theme.products, std::greater<>(), [](const auto& p) { return p.second; });
    themes.push_back(std::move(theme));
  }
  std::ranges::sort(themes, [](const auto& a, const auto& b) {
    return a.num_reviews != b.num_reviews ? a.num_reviews > b.num_reviews : a.id < b.id;
  });
  return themes;
}

std::string theme_cards_jsonl(std::span<const ThemeCard> cards) {
  std::string lines;
  for (const auto& card : cards) {
    Json products = Json::array(), product_reviews = Json::array();
    for (const auto& [product, reviews] : card.products) {
      products.push_back(product);
      product_reviews.push_back(reviews);
    }
    lines += dump_json({{"id", card.id},
                        {"entity", card.entity},
                        {"aspect", card.name},
                        {"expressions", card.expressions},
                        {"reviews", card.num_reviews},
                        {"cards", card.num_cards},
                        {"products", std::move(products)},
                        {"product_reviews", std::move(product_reviews)}}) +
             "\n";
  }
  return lines;
}

}  // namespace onggi::tasks
