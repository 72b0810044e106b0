#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/eval/rules/rule_extractor.h"
#include "onggi/eval/themes.h"

namespace onggi::eval {

/// What a model said of a card beside its words. Log-probabilities are sums over the tokens of the part.
struct CardSupport {
  double log_entity = 0, log_expression = 0, log_name = 0;
};

/// A line of `generate`: the cards that it answers, and what it was sure of.
struct SupportedAnswer {
  std::string id;
  std::optional<std::vector<Card>> cards;  ///< Nothing where the row failed or its text is no list of cards.
  std::vector<CardSupport> support;        ///< One a card with `--fields`, else empty.
  std::vector<std::vector<Card>> samples;  ///< With `--show-samples`: those that are lists of cards.
};

/// Which kinds of support a file of answers has; a verifier is for one form.
enum class AnswerForm { kPlain, kFields, kSamples };
std::string_view form_name(AnswerForm form);
/// Throws kInvalidArgument with `where`.
AnswerForm form_from_name(std::string_view name, std::string_view where);

struct SupportedAnswers {
  AnswerForm form = AnswerForm::kPlain;
  std::vector<SupportedAnswer> rows;
};

/// Reads lines of `generate`. The form is the first line's; throws kCorrupt where a later one has less, naming the
/// line.
SupportedAnswers read_supported_answers(const std::filesystem::path& path);

/// The names of what `card_evidence` gives for a form, in its order.
std::vector<std::string_view> evidence_names(AnswerForm form, bool has_rules);

/// Numbers that speak for and against each card of an answer: the model's probabilities or the agreement of its
/// samples, how much of the expression stands in the review (a copied run, pairs of characters), the entity in the
/// product's name, broken rules (`card_faults`), the rule extractor's opinion, the rating, how many cards there are.
/// One vector a card, in the order of `evidence_names`. Throws kInvalidArgument where the answer lacks what the form
/// needs.
std::vector<std::vector<double>> card_evidence(const ThemeRow& row, const SupportedAnswer& answer, AnswerForm form,
                                               const RuleExtractor* rules, std::span<const std::string> names);

/// Length of the longest run of characters of `part`, spaces apart, that stands in `whole`, over the length of `part`.
double copied_share(std::string_view part, std::string_view whole);
/// Share of the pairs of neighbouring characters of `part`, spaces apart, that `whole` has too.
double shared_pairs(std::string_view part, std::string_view whole);

}  // namespace onggi::eval
