#include "onggi/eval/verifier/verifier.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::eval {
namespace {

constexpr std::array<std::string_view, 3> kVerdictNames = {"accepted", "doubtful", "rejected"};
constexpr std::uint64_t kFoldStream = 0x766F6C64;
constexpr int kVersion = 1;

void require_matching(std::span<const ThemeRow> gold, const SupportedAnswers& answers) {
  require(gold.size() == answers.rows.size(),
          "there are " + std::to_string(gold.size()) + " rows and " + std::to_string(answers.rows.size()) + " answers");
  for (std::size_t i = 0; i < gold.size(); ++i) {
    require(gold[i].id == answers.rows[i].id,
            [&] { return "row " + gold[i].id + " meets the answer to row " + answers.rows[i].id; });
  }
}

/// Why a card may not be shown, whatever its probability.
std::vector<std::string> rejections(const ThemeRow& row, std::span<const Card> cards, std::size_t index,
                                    std::span<const std::string> names) {
  auto reasons = card_faults(cards[index], row.product, names);
  const auto is_same = [&](const Card& c) { return c.name == cards[index].name && c.entity == cards[index].entity; };
  if (std::ranges::any_of(cards.first(index), is_same)) reasons.push_back("repeated");
  return reasons;
}

bool is_in(const Card& card, std::span<const Card> gold) {
  return std::ranges::any_of(gold, [&](const Card& g) { return g.entity == card.entity && g.name == card.name; });
}

/// Cards that pass the hard rules.
struct Items {
  std::vector<std::vector<double>> evidence;
  std::vector<bool> is_right;
  std::vector<std::string> groups;
};

Items items_of(std::span<const ThemeRow> gold, const SupportedAnswers& answers, AnswerForm form,
               const RuleExtractor* rules, std::span<const std::string> names) {
  Items items;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const auto& answer = answers.rows[i];
    if (!answer.cards) continue;
    ThemeRow row = gold[i];
    row.gold.clear();  // what is judged must not see it
    auto evidence = card_evidence(row, answer, form, rules, names);
    for (std::size_t k = 0; k < evidence.size(); ++k) {
      if (!rejections(row, *answer.cards, k, names).empty()) continue;
      items.evidence.push_back(std::move(evidence[k]));
      items.is_right.push_back(is_in((*answer.cards)[k], gold[i].gold));
      items.groups.push_back(gold[i].product);
    }
  }
  return items;
}

/// A fold for each product, the same whatever other products there are.
int fold_of(const std::string& group, const VerifierOptions& options) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const unsigned char c : group) hash = (hash ^ c) * 1099511628211U;
  return static_cast<int>(uniform_int(options.seed, kFoldStream, hash, static_cast<std::uint64_t>(options.num_folds)));
}

/// Scores of cards by models that have not seen their products.
std::vector<ScoredCard> out_of_fold(const Items& items, const VerifierOptions& options) {
  std::vector<ScoredCard> scored(items.is_right.size());
  for (int fold = 0; fold < options.num_folds; ++fold) {
    std::vector<std::vector<double>> evidence;
    std::vector<bool> is_right;
    for (std::size_t i = 0; i < scored.size(); ++i) {
      if (fold_of(items.groups[i], options) == fold) continue;
      evidence.push_back(items.evidence[i]);
      is_right.push_back(items.is_right[i]);
    }
    const auto model = Logistic::fit(evidence, is_right, options.ridge);
    for (std::size_t i = 0; i < scored.size(); ++i) {
      if (fold_of(items.groups[i], options) == fold)
        scored[i] = {
            .score = model.probability(items.evidence[i]), .is_right = items.is_right[i], .group = items.groups[i]};
    }
  }
  return scored;
}

double number_of(const Json& json, std::string_view name, std::string_view where) {
  require(json.contains(name) && json[name].is_number(), "\"" + std::string(name) + "\" is missing or no number",
          ErrorCode::kCorrupt, where);
  return json[name].get<double>();
}

}  // namespace

std::string_view verdict_name(Verdict verdict) { return kVerdictNames[static_cast<std::size_t>(verdict)]; }

std::vector<CardVerdict> rule_verdicts(const ThemeRow& row, const SupportedAnswer& answer,
                                       std::span<const std::string> names) {
  std::vector<CardVerdict> verdicts;
  for (std::size_t k = 0; answer.cards && k < answer.cards->size(); ++k) {
    auto reasons = rejections(row, *answer.cards, k, names);
    const auto verdict = reasons.empty() ? Verdict::kAccepted : Verdict::kRejected;
    verdicts.push_back({.verdict = verdict, .probability = reasons.empty() ? 1.0 : 0.0, .reasons = std::move(reasons)});
  }
  return verdicts;
}

Verifier Verifier::fit(std::span<const ThemeRow> gold, const SupportedAnswers& answers, const RuleExtractor* rules,
                       std::span<const std::string> names, const VerifierOptions& options) {
  require_matching(gold, answers);
  require(options.num_folds >= 2 && options.num_folds <= 100, "the folds are out of range, expected 2 to 100");
  Verifier verifier;
  verifier.form_ = answers.form;
  verifier.needs_rules_ = rules != nullptr;
  verifier.names_.assign(names.begin(), names.end());
  verifier.target_ = options.threshold;
  const auto items = items_of(gold, answers, verifier.form_, rules, names);
  require(items.is_right.size() >= 30, "there are " + std::to_string(items.is_right.size()) +
                                           " cards that keep to the rules, expected at least 30 to learn from");
  verifier.threshold_ = choose_threshold(out_of_fold(items, options), options.threshold);
  verifier.model_ = Logistic::fit(items.evidence, items.is_right, options.ridge);
  return verifier;
}

std::vector<CardVerdict> Verifier::judge(const ThemeRow& row, const SupportedAnswer& answer,
                                         const RuleExtractor* rules) const {
  require((rules != nullptr) == needs_rules_, needs_rules_
                                                  ? "this verifier needs the labelled rows that it was fitted with"
                                                  : "this verifier was fitted without labelled rows");
  std::vector<CardVerdict> verdicts;
  if (!answer.cards) return verdicts;
  const auto evidence = card_evidence(row, answer, form_, rules, names_);
  for (std::size_t k = 0; k < evidence.size(); ++k) {
    CardVerdict verdict{.probability = model_.probability(evidence[k]),
                        .reasons = rejections(row, *answer.cards, k, names_)};
    if (!verdict.reasons.empty()) {
      verdict.verdict = Verdict::kRejected;
    } else if (verdict.probability >= threshold_.score) {
      verdict.verdict = Verdict::kAccepted;
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

Json Verifier::to_json() const {
  Json evidence = Json::array();
  for (const auto name : evidence_names(form_, needs_rules_)) evidence.push_back(std::string(name));
  const bool has_threshold = std::isfinite(threshold_.score);
  return {{"version", kVersion},
          {"form", std::string(form_name(form_))},
          {"needs_rules", needs_rules_},
          {"names", names_},
          {"evidence", std::move(evidence)},
          {"model", model_.to_json()},
          {"target", target_.target},
          {"assurance", target_.assurance},
          {"threshold", has_threshold ? Json(threshold_.score) : Json(nullptr)},
          {"accepted", threshold_.accepted},
          {"right", threshold_.right},
          {"cards", threshold_.count},
          {"precision", {threshold_.precision.low, threshold_.precision.value, threshold_.precision.high}},
          {"best_bound", threshold_.best_bound},
          {"best_accepted", threshold_.best_accepted}};
}

Verifier Verifier::from_json(const Json& json, std::string_view where) {
  require(json.is_object() && json.value("version", Json()) == kVersion, "this is no verifier of version 1",
          ErrorCode::kCorrupt, where);
  Verifier verifier;
  require(json.contains("form") && json["form"].is_string() && json.contains("needs_rules") &&
              json["needs_rules"].is_boolean() && json.contains("names") && json["names"].is_array() &&
              json.contains("model") && json.contains("evidence"),
          "a verifier has form, needs_rules, names, evidence and model", ErrorCode::kCorrupt, where);
  verifier.form_ = form_from_name(json["form"].get_ref<const std::string&>(), where);
  verifier.needs_rules_ = json["needs_rules"].get<bool>();
  for (const auto& name : json["names"]) {
    require(name.is_string(), "\"names\" holds something that is no text", ErrorCode::kCorrupt, where);
    verifier.names_.push_back(name.get<std::string>());
  }
  Json known = Json::array();
  for (const auto name : evidence_names(verifier.form_, verifier.needs_rules_)) known.push_back(std::string(name));
  require(json["evidence"] == known, "it was fitted on other evidence than this version has: fit it again",
          ErrorCode::kCorrupt, where);
  verifier.model_ = Logistic::from_json(json["model"], where);
  require(verifier.model_.num_features() == known.size(), "it has another number of weights than of evidence",
          ErrorCode::kCorrupt, where);
  verifier.target_ = {.target = number_of(json, "target", where), .assurance = number_of(json, "assurance", where)};
  if (json.contains("threshold") && json["threshold"].is_number())
    verifier.threshold_.score = json["threshold"].get<double>();
  verifier.threshold_.accepted = static_cast<std::int64_t>(number_of(json, "accepted", where));
  verifier.threshold_.right = static_cast<std::int64_t>(number_of(json, "right", where));
  verifier.threshold_.count = static_cast<std::int64_t>(number_of(json, "cards", where));
  verifier.threshold_.best_bound = number_of(json, "best_bound", where);
  verifier.threshold_.best_accepted = static_cast<std::int64_t>(number_of(json, "best_accepted", where));
  verifier.threshold_.precision = exact_interval(verifier.threshold_.right, verifier.threshold_.accepted, 0.95);
  return verifier;
}

std::vector<ScoredCard> scored_cards(std::span<const ThemeRow> gold, const SupportedAnswers& answers,
                                     const Verifier& verifier, const RuleExtractor* rules) {
  require_matching(gold, answers);
  std::vector<ScoredCard> scored;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    ThemeRow row = gold[i];
    row.gold.clear();
    const auto verdicts = verifier.judge(row, answers.rows[i], rules);
    for (std::size_t k = 0; k < verdicts.size(); ++k) {
      if (verdicts[k].verdict == Verdict::kRejected) continue;
      scored.push_back({.score = verdicts[k].probability,
                        .is_right = is_in((*answers.rows[i].cards)[k], gold[i].gold),
                        .group = gold[i].product});
    }
  }
  return scored;
}

}  // namespace onggi::eval
