#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/eval/verifier/evidence.h"
#include "onggi/eval/verifier/logistic.h"
#include "onggi/eval/verifier/threshold.h"

namespace onggi::eval {

/// What becomes of a card.
enum class Verdict {
  kAccepted,  ///< May be shown.
  kDoubtful,  ///< A person has to look.
  kRejected,  ///< Breaks a rule, or says what a card before it in the row says.
};
std::string_view verdict_name(Verdict verdict);

struct CardVerdict {
  Verdict verdict = Verdict::kDoubtful;
  double probability = 0;            ///< That a person would call entity and name right.
  std::vector<std::string> reasons;  ///< Of a rejection: codes of card_faults, "repeated".
};

/// The hard rules alone: a card that breaks none is accepted, with probability 1.
std::vector<CardVerdict> rule_verdicts(const ThemeRow& row, const SupportedAnswer& answer,
                                       std::span<const std::string> names);

struct VerifierOptions {
  ThresholdOptions threshold;
  double ridge = 1.0;
  int num_folds = 5;
  std::uint64_t seed = 0;
};

/// Decides which cards need no person: hard rules first, then a probability learnt from rows whose cards people have
/// given, and a threshold that was chosen on cards the probability was not learnt from. Immutable.
class Verifier {
 public:
  /// Learns from answers to rows with gold cards, of which the answering model has seen none. A card is right if gold
  /// has its entity and name. `rules` may be null. Scores for the threshold come from folds over products. Throws
  /// kInvalidArgument where rows and answers do not match, or there are too few cards.
  static Verifier fit(std::span<const ThemeRow> gold, const SupportedAnswers& answers, const RuleExtractor* rules,
                      std::span<const std::string> names, const VerifierOptions& options);

  /// A verdict a card of the answer. `row` needs no gold cards.
  std::vector<CardVerdict> judge(const ThemeRow& row, const SupportedAnswer& answer, const RuleExtractor* rules) const;

  AnswerForm form() const { return form_; }
  bool needs_rules() const { return needs_rules_; }
  const Threshold& threshold() const { return threshold_; }
  const ThresholdOptions& target() const { return target_; }
  const Logistic& model() const { return model_; }
  const std::vector<std::string>& names() const { return names_; }

  /// docs/formats/verifier.md.
  Json to_json() const;
  /// Throws kCorrupt with `where`.
  static Verifier from_json(const Json& json, std::string_view where);

 private:
  AnswerForm form_ = AnswerForm::kPlain;
  bool needs_rules_ = false;
  std::vector<std::string> names_;  ///< Closed list of aspects.
  Logistic model_;
  Threshold threshold_;
  ThresholdOptions target_;
};

/// The cards that no hard rule rejects, with their scores and truth; groups are products. For curves.
std::vector<ScoredCard> scored_cards(std::span<const ThemeRow> gold, const SupportedAnswers& answers,
                                     const Verifier& verifier, const RuleExtractor* rules);

}  // namespace onggi::eval
