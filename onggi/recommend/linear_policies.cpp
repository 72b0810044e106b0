#include <cmath>
#include <limits>
#include <map>

#include "onggi/core/error.h"
#include "onggi/recommend/linear_arm.h"
#include "onggi/recommend/policies.h"
#include "onggi/recommend/score_table.h"
#include "onggi/recommend/ties.h"

namespace onggi::recommend {
namespace {

/// Means and standard deviations of the arms' rewards in a context, from disjoint ridge regressions.
class LinearBeliefs {
 public:
  explicit LinearBeliefs(const PolicySpec& spec)
      : num_features_(static_cast<std::size_t>(spec.features)),
        has_intercept_(spec.intercept),
        is_by_slot_(spec.by_slot),
        unseen_(num_features_ + (has_intercept_ ? 1 : 0), spec.ridge) {}

  struct Estimate {
    double mean, deviation;
  };
  std::vector<Estimate> estimates(const Question& question) const {
    const auto x = vector_of(question.features);
    std::vector<Estimate> estimates;
    for (const int arm : question.arms) {
      const auto it = arms_.find({is_by_slot_ ? question.slot : 0, arm});
      const LinearArm& model = it == arms_.end() ? unseen_ : it->second;
      estimates.push_back({model.mean(x), std::sqrt(std::max(0.0, model.variance(x)))});
    }
    return estimates;
  }
  void observe(const Feedback& f) {
    open_.push_back({{is_by_slot_ ? f.slot : 0, f.arm}, vector_of(f.features), f.clicks, f.misses});
  }
  void close_batch() {
    for (const auto& o : open_) {
      LinearArm& arm = arms_.try_emplace(o.key, unseen_).first->second;
      for (double i = 0.0; i < o.clicks; ++i) arm.observe(o.x, 1.0);
      for (double i = 0.0; i < o.misses; ++i) arm.observe(o.x, 0.0);
    }
    open_.clear();
  }

 private:
  using Key = std::pair<int, int>;  ///< Slot and arm.
  struct Observation {
    Key key;
    std::vector<double> x;
    double clicks, misses;
  };

  std::vector<double> vector_of(std::span<const double> features) const {
    require(features.size() == num_features_, [&] {
      return "features: expected " + std::to_string(num_features_) + " numbers, found " +
             std::to_string(features.size());
    });
    std::vector<double> x;
    x.reserve(features.size() + 1);
    if (has_intercept_) x.push_back(1.0);
    for (const double feature : features) x.push_back(feature);
    return x;
  }

  std::size_t num_features_;
  bool has_intercept_, is_by_slot_;
  LinearArm unseen_;
  std::map<Key, LinearArm> arms_;
  std::vector<Observation> open_;
};

class LinUcb final : public Policy {
 public:
  explicit LinUcb(const PolicySpec& spec) : beliefs_(spec), width_(spec.width) {}

  std::size_t choose(const Question& question, RandomStream& draws) const override {
    return draw_best(bounds(question), draws);
  }
  double probability(const Question& question, std::size_t index) const override {
    return probabilities(question)[index];
  }
  std::vector<double> probabilities(const Question& question) const override { return best_shares(bounds(question)); }
  void observe(const Feedback& feedback) override { beliefs_.observe(feedback); }
  void close_batch() override { beliefs_.close_batch(); }
  std::shared_ptr<const Policy> freeze() const override { return std::make_shared<LinUcb>(*this); }

 private:
  std::vector<double> bounds(const Question& question) const {
    std::vector<double> bounds;
    for (const auto& [mean, deviation] : beliefs_.estimates(question)) bounds.push_back(mean + width_ * deviation);
    return bounds;
  }

  LinearBeliefs beliefs_;
  double width_;
};

class LinThompson final : public Policy {
 public:
  explicit LinThompson(const PolicySpec& spec) : beliefs_(spec), width_(spec.width) {}

  std::size_t choose(const Question& question, RandomStream& draws) const override {
    std::size_t best = 0;
    double highest = -std::numeric_limits<double>::infinity();
    const auto all = scores(question);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double draw = all[i].location + all[i].scale * draws.normal();
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
  void observe(const Feedback& feedback) override { beliefs_.observe(feedback); }
  void close_batch() override { beliefs_.close_batch(); }
  std::shared_ptr<const Policy> freeze() const override { return std::make_shared<LinThompson>(*this); }

 private:
  std::vector<Score> scores(const Question& question) const {
    // A context of zeros would leave nothing to draw: all arms are alike then.
    constexpr double kLeastDeviation = 1e-12;
    std::vector<Score> scores;
    for (const auto& [mean, deviation] : beliefs_.estimates(question))
      scores.push_back({ScoreTable::normal(), mean, std::max(width_ * deviation, kLeastDeviation)});
    return scores;
  }

  LinearBeliefs beliefs_;
  double width_;
};

}  // namespace

std::unique_ptr<Policy> make_lin_ucb(const PolicySpec& spec) { return std::make_unique<LinUcb>(spec); }
std::unique_ptr<Policy> make_lin_thompson(const PolicySpec& spec) { return std::make_unique<LinThompson>(spec); }

}  // namespace onggi::recommend
