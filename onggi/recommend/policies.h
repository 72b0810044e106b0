#pragma once

#include <memory>

#include "onggi/recommend/policy.h"

namespace onggi::recommend {

/// The policies that `make_policy` chooses from, without their floor.

/// Beta-Bernoulli Thompson sampling (Chapelle and Li 2011): one draw an arm, the largest is shown.
std::unique_ptr<Policy> make_thompson(const PolicySpec& spec);
/// The largest posterior mean, or in a share `epsilon` any arm. Equal means are drawn among.
std::unique_ptr<Policy> make_epsilon_greedy(const PolicySpec& spec);
/// Disjoint LinUCB (Li et al. 2010): the largest upper bound. Equal bounds are drawn among.
std::unique_ptr<Policy> make_lin_ucb(const PolicySpec& spec);
/// Thompson sampling of the same model (Agrawal and Goyal 2013). A draw of an arm's weights enters through its product
/// with the context alone, which is normal: that is what is drawn.
std::unique_ptr<Policy> make_lin_thompson(const PolicySpec& spec);

}  // namespace onggi::recommend
