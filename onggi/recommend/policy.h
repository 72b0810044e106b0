#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/recommend/beliefs.h"
#include "onggi/recommend/random_stream.h"

namespace onggi::recommend {

/// Which card for a slot? Arms are numbers of cards, from 0.
struct Question {
  std::span<const int> arms;         ///< What may be shown there; not empty, none twice.
  int slot = 0;                      ///< From 0.
  std::span<const double> features;  ///< Of the context; policies that use none take any.
};

/// What became of an impression, or of several of one arm in one slot.
struct Feedback {
  int arm = 0;
  int slot = 0;
  double clicks = 0.0;
  double misses = 0.0;               ///< Impressions whose window closed without a click.
  std::span<const double> features;  ///< As of its question.
};

/// How cards are chosen. `observe` and `close_batch` belong to one thread; a frozen copy may be asked by many.
class Policy {
 public:
  virtual ~Policy() = default;
  /// An index into the question's arms: a function of the policy, the question and the draws.
  virtual std::size_t choose(const Question& question, RandomStream& draws) const = 0;
  /// The probability that `choose` gives `index`, over all draws: exact but for rounding or, for Thompson sampling, a
  /// quadrature (best_probability). Never 0 for what was chosen.
  virtual double probability(const Question& question, std::size_t index) const = 0;
  /// Of every index; they sum to 1.
  virtual std::vector<double> probabilities(const Question& question) const = 0;
  /// Counts from the next close of a batch on.
  virtual void observe(const Feedback& feedback) = 0;
  virtual void close_batch() = 0;
  /// A copy that never changes, with what makes answers quick prepared.
  virtual std::shared_ptr<const Policy> freeze() const = 0;
};

/// What a policy is made from: a version of it is this and nothing else.
struct PolicySpec {
  std::string kind = "thompson";
  double prior_clicks = 1.0;
  double prior_misses = 1.0;
  double discount = 1.0;
  int window_batches = 0;
  bool by_slot = true;
  double floor = 0.0;
  double epsilon = 0.1;
  double width = 1.0;
  double ridge = 1.0;
  int features = 0;
  bool intercept = true;
  std::int64_t seed = 0;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("kind", kind, "thompson, lin_ucb, lin_thompson, epsilon_greedy or uniform.");
    field("prior_clicks", prior_clicks, "The Beta prior's a: clicks taken as seen of a new card.");
    field("prior_misses", prior_misses, "The Beta prior's b: impressions without a click taken as seen.");
    field("discount", discount, "What was seen counts so much less with each batch; 1 forgets nothing.");
    field("window_batches", window_batches, "Only so many last batches count; 0 = all.");
    field("by_slot", by_slot, "Learn of each slot for itself: higher places are looked at more.");
    field("floor", floor,
          "Share of impressions drawn evenly, so that every card's propensity is at least floor / cards.");
    field("epsilon", epsilon, "Of epsilon_greedy: the share drawn evenly.");
    field("width", width, "lin_ucb: standard deviations added to the mean; lin_thompson: the scale of its draws.");
    field("ridge", ridge, "Of the linear policies: what the weights are held to 0 by.");
    field("features", features, "Of the linear policies: numbers that each request brings.");
    field("intercept", intercept, "Of the linear policies: a feature of 1 stands before them.");
    field("seed", seed, "Of every draw.");
  }

  /// Throws kInvalidArgument naming the field.
  void validate() const;
};

/// Reads what `OptionList::to_json` writes of a spec, and checks it.
PolicySpec policy_spec(const Json& json, std::string_view where);
Json to_json(PolicySpec spec);

/// A policy that has seen nothing.
std::unique_ptr<Policy> make_policy(const PolicySpec& spec);

/// A policy that learns nothing: weights of arms, the same in every slot or for each. Over a question's arms they are
/// normalised; an arm without a weight has 0, and where all have, all are alike. weights[slot][arm].
std::unique_ptr<Policy> make_fixed_policy(std::vector<std::vector<double>> weights);

/// The draws for an impression: they depend on the seed and the impression's id alone.
inline RandomStream draws_of(std::int64_t seed, std::string_view impression_id) {
  return {static_cast<std::uint64_t>(seed), stream_of(impression_id)};
}

}  // namespace onggi::recommend
