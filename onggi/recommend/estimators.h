#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/core/thread_pool.h"

namespace onggi::recommend {

/// What an estimator needs of one logged impression.
struct Term {
  double reward = 0.0;
  double weight = 0.0;           ///< pi_e(a|x) / pi_b(a|x)
  double expected = 0.0;         ///< q(x, a) of the arm shown.
  double policy_expected = 0.0;  ///< sum over arms of pi_e(a|x) q(x, a)
  int unit = 0;
};

struct EstimatorOptions {
  double clip = 10.0;  ///< Of ipw_clipped's weights, and lambda of switch_dr.
  int num_resamples = 10'000;
  double level = 0.95;
  std::int64_t seed = 0;
};

struct Estimate {
  std::string id;  ///< ipw, ipw_clipped, snipw, dm, dr, sndr or switch_dr.
  double value = 0.0, low = 0.0, high = 0.0;
  /// Of |estimate - truth| / truth: of the value, and mean and deviation over resamples. Only with a truth.
  double relative_error = 0.0, relative_error_mean = 0.0, relative_error_deviation = 0.0;
};

struct Estimates {
  std::vector<Estimate> all;
  double effective_sample = 0.0;   ///< (sum w)^2 / sum w^2
  double mean_weight = 0.0;        ///< 1 in expectation where propensities are right and nothing is out of reach.
  double mean_weight_error = 0.0;  ///< Its standard error, over units.
  double max_weight = 0.0;
  double mean_reward = 0.0;  ///< Of the log.
  std::size_t num_rows = 0, num_units = 0;
};

/// Off-policy estimates of a policy's mean reward an impression (Dudik et al. 2014, Swaminathan and Joachims 2015, Wang
/// et al. 2017), each the mean of row values; intervals are percentiles over resampled units of those row values, the
/// denominators of snipw and sndr staying those of the whole sample, as Open Bandit Pipeline does. `truth` > 0: the
/// policy's true value, for relative errors. The same seed gives the same bits with any number of threads. Throws
/// kInvalidArgument without terms, or where a number is not finite.
Estimates estimate(std::span<const Term> terms, const EstimatorOptions& options, ThreadPool& pool, double truth = 0.0);

}  // namespace onggi::recommend
