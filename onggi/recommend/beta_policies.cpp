#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "onggi/recommend/policies.h"
#include "onggi/recommend/score_table.h"
#include "onggi/recommend/ties.h"

namespace onggi::recommend {
namespace {

BeliefOptions belief_options(const PolicySpec& spec) {
  return {.prior = {spec.prior_clicks, spec.prior_misses},
          .discount = spec.discount,
          .window_batches = spec.window_batches,
          .is_by_slot = spec.by_slot};
}

/// Tables by their parameters; many arms have the same.
class TableCache {
 public:
  std::shared_ptr<const ScoreTable> get(const Beta& beta) {
    auto& table = tables_[{beta.a, beta.b}];
    if (!table) table = std::make_shared<const ScoreTable>(ScoreTable::of_beta(beta));
    return table;
  }

 private:
  std::map<std::pair<double, double>, std::shared_ptr<const ScoreTable>> tables_;
};

class Thompson final : public Policy {
 public:
  explicit Thompson(const BeliefOptions& options) : beliefs_(options) {}

  std::size_t choose(const Question& question, RandomStream& draws) const override {
    std::size_t best = 0;
    double highest = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < question.arms.size(); ++i) {
      const Beta beta = beliefs_.posterior(question.arms[i], question.slot);
      const double draw = draws.beta_logit(beta.a, beta.b);
      if (draw > highest) {
        highest = draw;
        best = i;
      }
    }
    return best;
  }
  double probability(const Question& question, std::size_t index) const override {
    return best_probability(scores(question), index);
  }
  std::vector<double> probabilities(const Question& question) const override {
    return best_probabilities(scores(question));
  }
  void observe(const Feedback& f) override {
    beliefs_.observe(f.arm, f.slot, f.clicks, f.misses);
    num_arms_ = std::max(num_arms_, f.arm + 1);
    num_slots_ = std::max(num_slots_, f.slot + 1);
  }
  void close_batch() override { beliefs_.close_batch(); }
  std::shared_ptr<const Policy> freeze() const override {
    auto copy = std::make_shared<Thompson>(*this);
    const int num_slots = beliefs_.options().is_by_slot ? num_slots_ : std::min(num_slots_, 1);
    // Only what the last frozen copy knew and this one has again is worth keeping.
    TableCache fresh;
    const auto table_of = [&](const Beta& beta) {
      if (const auto it = known_.find({beta.a, beta.b}); it != known_.end()) return it->second;
      return fresh.get(beta);
    };
    std::map<std::pair<double, double>, std::shared_ptr<const ScoreTable>> used;
    copy->tables_.assign(static_cast<std::size_t>(num_slots), {});
    for (int slot = 0; slot < num_slots; ++slot) {
      for (int arm = 0; arm < num_arms_; ++arm) {
        const Beta beta = beliefs_.posterior(arm, slot);
        auto table = table_of(beta);
        used.emplace(std::pair(beta.a, beta.b), table);
        copy->tables_[static_cast<std::size_t>(slot)].push_back(std::move(table));
      }
    }
    const Beta& prior = beliefs_.options().prior;
    copy->prior_table_ = table_of(prior);
    used.emplace(std::pair(prior.a, prior.b), copy->prior_table_);
    copy->known_.clear();
    known_ = std::move(used);
    return copy;
  }

 private:
  std::vector<Score> scores(const Question& question) const {
    std::vector<Score> scores;
    scores.reserve(question.arms.size());
    if (prior_table_) {
      const auto slot = beliefs_.options().is_by_slot ? static_cast<std::size_t>(question.slot) : 0;
      for (const int arm : question.arms) {
        const bool is_known = slot < tables_.size() && static_cast<std::size_t>(arm) < tables_[slot].size();
        scores.push_back({is_known ? tables_[slot][static_cast<std::size_t>(arm)] : prior_table_});
      }
      return scores;
    }
    TableCache cache;
    for (const int arm : question.arms) scores.push_back({cache.get(beliefs_.posterior(arm, question.slot))});
    return scores;
  }

  Beliefs beliefs_;
  int num_arms_ = 0, num_slots_ = 0;
  std::vector<std::vector<std::shared_ptr<const ScoreTable>>> tables_;  ///< Of a frozen copy: [slot][arm].
  std::shared_ptr<const ScoreTable> prior_table_;                       ///< Null unless frozen.
  /// Of the last frozen copy, so that the next makes only what changed.
  mutable std::map<std::pair<double, double>, std::shared_ptr<const ScoreTable>> known_;
};

class EpsilonGreedy final : public Policy {
 public:
  EpsilonGreedy(const BeliefOptions& options, double epsilon) : beliefs_(options), epsilon_(epsilon) {}

  std::size_t choose(const Question& question, RandomStream& draws) const override {
    if (draws.uniform() < epsilon_) return static_cast<std::size_t>(draws.whole(question.arms.size()));
    return draw_best(means(question), draws);
  }
  double probability(const Question& question, std::size_t index) const override {
    return probabilities(question)[index];
  }
  std::vector<double> probabilities(const Question& question) const override {
    auto shares = best_shares(means(question));
    for (double& share : shares) share = epsilon_ / static_cast<double>(shares.size()) + (1.0 - epsilon_) * share;
    return shares;
  }
  void observe(const Feedback& f) override { beliefs_.observe(f.arm, f.slot, f.clicks, f.misses); }
  void close_batch() override { beliefs_.close_batch(); }
  std::shared_ptr<const Policy> freeze() const override { return std::make_shared<EpsilonGreedy>(*this); }

 private:
  std::vector<double> means(const Question& question) const {
    std::vector<double> means;
    for (const int arm : question.arms) means.push_back(beliefs_.posterior(arm, question.slot).mean());
    return means;
  }

  Beliefs beliefs_;
  double epsilon_;
};

}  // namespace

std::unique_ptr<Policy> make_thompson(const PolicySpec& spec) {
  return std::make_unique<Thompson>(belief_options(spec));
}

std::unique_ptr<Policy> make_epsilon_greedy(const PolicySpec& spec) {
  return std::make_unique<EpsilonGreedy>(belief_options(spec), spec.epsilon);
}

}  // namespace onggi::recommend
