#include "onggi/eval/baselines/baselines.h"

#include "onggi/core/error.h"
#include "onggi/eval/rules/adnominal.h"
#include "onggi/eval/rules/rule_extractor.h"

namespace onggi::eval {
namespace {

/// Predictions from the cards that `answer(row)` gives.
template <class Answer>
System system_of(std::string name, std::span<const ThemeRow> rows, Answer answer) {
  System system{.name = std::move(name)};
  system.predictions.reserve(rows.size());
  for (const ThemeRow& row : rows) {
    const std::vector<Card> cards = answer(row);
    system.predictions.push_back({row.id, datasets::cards_answer(cards), cards});
  }
  return system;
}

}  // namespace

System empty_baseline(std::span<const ThemeRow> rows) {
  return system_of("always []", rows, [](const ThemeRow&) { return std::vector<Card>{}; });
}

System majority_baseline(std::span<const ThemeRow> train, std::span<const ThemeRow> rows) {
  const auto names = aspect_names(train);
  require(!names.empty(), "majority: the training rows hold no theme");
  const std::string expression = plain_expression(names[0]);
  const EntityFinder entities = EntityFinder::fit(train);
  return system_of("majority", rows, [&](const ThemeRow& row) {
    return std::vector<Card>{{.entity = entities.find(row.product), .expression = expression, .name = names[0]}};
  });
}

System rules_baseline(std::span<const ThemeRow> train, std::span<const ThemeRow> rows) {
  const RuleExtractor extractor = RuleExtractor::fit(train, {});
  return system_of("rules", rows, [&](const ThemeRow& row) { return extractor.extract(row); });
}

std::vector<System> make_baselines(std::span<const ThemeRow> train, std::span<const ThemeRow> rows) {
  return {empty_baseline(rows), majority_baseline(train, rows), rules_baseline(train, rows)};
}

}  // namespace onggi::eval
