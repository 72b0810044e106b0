#include "onggi/recommend/policy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/recommend/policies.h"

namespace onggi::recommend {
namespace {

struct Kind {
  std::string_view name;
  std::unique_ptr<Policy> (*make)(const PolicySpec&);
};

constexpr std::array<Kind, 5> kKinds = {{
    {"epsilon_greedy", make_epsilon_greedy},
    {"lin_thompson", make_lin_thompson},
    {"lin_ucb", make_lin_ucb},
    {"thompson", make_thompson},
    {"uniform", [](const PolicySpec&) { return make_fixed_policy({}); }},
}};

/// Draws evenly in a share `floor` of the questions and asks another policy in the rest.
class Floor final : public Policy {
 public:
  Floor(std::shared_ptr<Policy> inner, double floor) : inner_(std::move(inner)), floor_(floor) {}

  std::size_t choose(const Question& question, RandomStream& draws) const override {
    if (draws.uniform() < floor_) return static_cast<std::size_t>(draws.whole(question.arms.size()));
    return frozen().choose(question, draws);
  }
  double probability(const Question& question, std::size_t index) const override {
    return floor_ / static_cast<double>(question.arms.size()) + (1.0 - floor_) * frozen().probability(question, index);
  }
  std::vector<double> probabilities(const Question& question) const override {
    auto probabilities = frozen().probabilities(question);
    for (double& p : probabilities) p = floor_ / static_cast<double>(question.arms.size()) + (1.0 - floor_) * p;
    return probabilities;
  }
  void observe(const Feedback& feedback) override { inner_->observe(feedback); }
  void close_batch() override { inner_->close_batch(); }
  std::shared_ptr<const Policy> freeze() const override {
    auto copy = std::make_shared<Floor>(nullptr, floor_);
    copy->frozen_ = inner_->freeze();
    return copy;
  }

 private:
  const Policy& frozen() const { return frozen_ ? *frozen_ : *inner_; }

  std::shared_ptr<Policy> inner_;
  std::shared_ptr<const Policy> frozen_;  ///< In a frozen copy, in place of `inner_`.
  double floor_;
};

class Fixed final : public Policy {
 public:
  explicit Fixed(std::vector<std::vector<double>> weights) : weights_(std::move(weights)) {}

  std::size_t choose(const Question& question, RandomStream& draws) const override {
    const auto shares = probabilities(question);
    double left = draws.uniform();
    std::size_t last = 0;  // Rounding may leave a rest: it is the last possible one's.
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (shares[i] == 0.0) continue;
      last = i;
      left -= shares[i];
      if (left < 0.0) break;
    }
    return last;
  }
  double probability(const Question& question, std::size_t index) const override {
    return probabilities(question)[index];
  }
  std::vector<double> probabilities(const Question& question) const override {
    std::vector<double> shares;
    double sum = 0.0;
    for (const int arm : question.arms) sum += shares.emplace_back(weight(arm, question.slot));
    for (double& share : shares) share = sum > 0.0 ? share / sum : 1.0 / static_cast<double>(shares.size());
    return shares;
  }
  void observe(const Feedback&) override {}
  void close_batch() override {}
  std::shared_ptr<const Policy> freeze() const override { return std::make_shared<Fixed>(*this); }

 private:
  double weight(int arm, int slot) const {
    if (weights_.empty()) return 1.0;
    const auto& of_slot = weights_[std::min(static_cast<std::size_t>(slot), weights_.size() - 1)];
    return static_cast<std::size_t>(arm) < of_slot.size() ? of_slot[static_cast<std::size_t>(arm)] : 0.0;
  }

  std::vector<std::vector<double>> weights_;
};

void require_range(const char* name, double value, bool is_good, const char* expected) {
  require(std::isfinite(value) && is_good,
          [&] { return std::string(name) + " is " + Json(value).dump() + ", expected " + expected; });
}

}  // namespace

void PolicySpec::validate() const {
  std::vector<std::string> names;
  for (const Kind& k : kKinds) names.emplace_back(k.name);
  require(std::ranges::find(names, kind) != names.end(), [&] {
    const std::string near = nearest_name(kind, names);
    std::string text = "kind is \"" + kind + "\", expected one of";
    for (const auto& name : names) text += " " + name;
    return near.empty() ? text : text + "; did you mean \"" + near + "\"?";
  });
  const bool is_linear = kind.starts_with("lin_");
  require_range("prior_clicks", prior_clicks, prior_clicks >= 1e-3 && prior_clicks <= 1e9, "0.001 to 1e9");
  require_range("prior_misses", prior_misses, prior_misses >= 1e-3 && prior_misses <= 1e9, "0.001 to 1e9");
  require_range("discount", discount, discount > 0.0 && discount <= 1.0, "more than 0 and at most 1");
  require_range("window_batches", window_batches, window_batches >= 0, "0 or more");
  require_range("floor", floor, floor >= 0.0 && floor <= 1.0, "0 to 1");
  require_range("epsilon", epsilon, epsilon >= 0.0 && epsilon <= 1.0, "0 to 1");
  require_range("width", width, width > 0.0 && width <= 1e6, "more than 0 and at most 1e6");
  require_range("ridge", ridge, ridge > 0.0 && ridge <= 1e9, "more than 0 and at most 1e9");
  require_range("features", features, features >= 0 && features <= 512, "0 to 512");
  require(discount == 1.0 || window_batches == 0, "discount and window_batches are both given, expected one of them");
  require(!is_linear || (discount == 1.0 && window_batches == 0),
          [&] { return kind + " forgets nothing: discount and window_batches are for the others"; });
  require(!is_linear || features > 0 || intercept, [&] { return kind + " needs features or an intercept"; });
}

PolicySpec policy_spec(const Json& json, std::string_view where) {
  PolicySpec spec;
  OptionList(spec).parse_json(json, where);
  spec.validate();
  return spec;
}

Json to_json(PolicySpec spec) { return OptionList(spec).to_json(); }

std::unique_ptr<Policy> make_policy(const PolicySpec& spec) {
  spec.validate();
  const auto kind = std::ranges::find(kKinds, spec.kind, &Kind::name);
  auto policy = kind->make(spec);
  if (spec.floor == 0.0) return policy;
  return std::make_unique<Floor>(std::move(policy), spec.floor);
}

std::unique_ptr<Policy> make_fixed_policy(std::vector<std::vector<double>> weights) {
  return std::make_unique<Fixed>(std::move(weights));
}

}  // namespace onggi::recommend
