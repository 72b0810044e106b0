#pragma once

#include <span>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/train/doctor.h"

namespace onggi::train {

/// What the curves of a finished run say, from its metrics ("loss" of each step, "eval_loss" now and then): findings of
/// severity kWarning in a fixed order.
///   loss_rose              the last fifth of the steps lies above the first
///   evaluation_loss_rose   the evaluation loss has risen since its best while the training loss fell: overfitting
///   still_improving        the best evaluation is the last one, clearly below the one before
///   no_evaluation          nothing was evaluated, so the last state was kept
std::vector<Finding> examine_curve(std::span<const Json> metrics);

}  // namespace onggi::train
