#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "onggi/cluster/neighbours.h"

namespace onggi::cluster {

/// Robust z of each value among those of its group: 0.6745 (d - median) / MAD (Iglewicz and Hoaglin 1993); above 3.5 is
/// an outlier. Where the median absolute deviation is 0 their second form is taken, (d - median) / (1.253314 * mean
/// absolute deviation), and 0 where that is 0 too. `groups` has a number from 0 a value; below 0 the value is none of a
/// group and gets the z among all.
std::vector<double> robust_z(std::span<const double> values, std::span<const std::int32_t> groups);

/// Local outlier factor (Breunig et al. 2000) from each point's neighbours: about 1 within a region of even density,
/// above 1.5 suspicious. Reachabilities have 1e-10 added, so that points on each other stay finite.
std::vector<double> local_outlier_factors(const Neighbours& neighbours);

}  // namespace onggi::cluster
