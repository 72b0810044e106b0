#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "onggi/recommend/beta.h"

namespace onggi::recommend {

struct BeliefOptions {
  Beta prior;
  double discount = 1.0;   ///< Of what was seen, at each batch: a <- discount a + clicks + (1 - discount) prior.a.
  int window_batches = 0;  ///< Only these last ones count; 0: all.
  bool is_by_slot = true;  ///< A posterior a slot: the first place is looked at more than the third.
};

/// What is believed of each arm's click rate: Beta posteriors, frozen within a batch. Arms and slots count from 0 and
/// need no announcement. Confined to one thread at a time.
class Beliefs {
 public:
  explicit Beliefs(const BeliefOptions& options) : options_(options) {}

  /// Counts once the batch is closed.
  void observe(int arm, int slot, double clicks, double misses);
  void close_batch();
  Beta posterior(int arm, int slot) const;
  const BeliefOptions& options() const { return options_; }

 private:
  struct Seen {
    double clicks = 0.0, misses = 0.0;
    std::int64_t batch = 0;  ///< Discounted up to this one.
  };
  struct Observation {
    std::size_t slot, arm;
    double clicks, misses;
  };
  void add(const Observation& observation, double sign);

  BeliefOptions options_;
  std::vector<std::vector<Seen>> seen_;  ///< [slot][arm]
  std::vector<Observation> open_;
  std::deque<std::vector<Observation>> window_;
  std::int64_t batch_ = 0;
};

}  // namespace onggi::recommend
