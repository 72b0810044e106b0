#include <algorithm>
#include <cmath>
#include <cstdio>

#include "onggi/train/doctor_checks.h"

namespace onggi::train {
namespace {

void check_rate(const DoctorInput& in, std::vector<Finding>& findings) {
  const auto add = [&](const char* code, Severity severity, std::string message) {
    findings.push_back({code, severity, std::move(message)});
  };
  if (in.learning_rate && !(std::isfinite(*in.learning_rate) && *in.learning_rate > 0.0)) {
    add("learning_rate", Severity::kError,
        "learning_rate is " + std::to_string(*in.learning_rate) + ": nothing would be learnt");
  }
  // Full training moves every weight, so it needs smaller steps than two small matrices beside a frozen one.
  const double usual = in.trains_all_weights ? 1e-4 : 2e-3;
  if (in.learning_rate && *in.learning_rate > usual) {
    char text[160];
    std::snprintf(text, sizeof text, "learning_rate is %g, above the %g that %s usually bears: the loss may rise",
                  *in.learning_rate, usual, in.trains_all_weights ? "full training" : "an adapter");
    add("learning_rate_high", Severity::kWarning, text);
  }
  if (in.total_steps > 0 && in.warmup_steps >= in.total_steps) {
    add("warmup_too_long", Severity::kError,
        "warmup_steps is " + std::to_string(in.warmup_steps) + " and the run has " + std::to_string(in.total_steps) +
            " steps: the learning rate never reaches its peak");
  }
  const auto rows = static_cast<std::int64_t>(in.train.size());
  if (in.batch_rows > rows && rows > 0) {
    add("batch_above_data", Severity::kWarning,
        "batch_rows is " + std::to_string(in.batch_rows) + " and there are " + std::to_string(rows) +
            " training rows: every epoch is one step");
  }
  if (!in.has_seed) add("seed_unset", Severity::kWarning, "seed is not set: the run can't be repeated");
}

void check_parameters(const DoctorInput& in, std::vector<Finding>& findings) {
  if (in.trains_all_weights && in.base_is_quantised) {
    findings.push_back({"full_training_of_quantised_base", Severity::kError,
                        "all weights are to be trained and the base is quantised: train an adapter, or take a base in "
                        "16 or 32 bits"});
  }
  if (!in.parameters) return;
  std::int64_t elements = 0;
  std::vector<std::string> decayed;
  for (const nn::Parameter* p : *in.parameters) {
    elements += static_cast<std::int64_t>(p->value.size());
    if (p->decay && p->shape.size() < 2) decayed.push_back(p->name);
  }
  if (elements == 0) {
    findings.push_back({"nothing_trainable", Severity::kError,
                        "there are no trainable parameters: the targets match no layer of the base"});
  }
  if (in.weight_decay > 0.0 && !decayed.empty()) {
    findings.push_back({"decay_on_norm_or_bias", Severity::kWarning,
                        "weight decay is on for " + std::to_string(decayed.size()) +
                            " norms, biases or magnitudes, first \"" + decayed[0] + "\""});
  }
}

/// The sum over an accumulation window must be divided by what the whole window scores.
void check_plan(const DoctorInput& in, std::vector<Finding>& findings) {
  if (in.plan == nullptr) return;
  for (std::size_t i = 0; i < in.plan->steps.size(); ++i) {
    const PlanStep& step = in.plan->steps[i];
    std::int64_t scored = 0;
    bool is_known = true;
    for (const std::int64_t index : step.rows) {
      is_known = index >= 0 && index < static_cast<std::int64_t>(in.train.size());
      if (!is_known) break;
      const auto& mask = in.train[static_cast<std::size_t>(index)].supervised;
      scored += std::count_if(mask.begin(), mask.end(), [](std::uint8_t s) { return s != 0; });
    }
    if (is_known && scored == step.supervised && scored > 0) continue;
    findings.push_back({"loss_denominator", Severity::kError,
                        "step " + std::to_string(i + 1) + " of the plan divides its loss by " +
                            std::to_string(step.supervised) + " positions and its rows score " +
                            (is_known ? std::to_string(scored) : std::string("an unknown number"))});
    return;
  }
}

void check_base(const DoctorInput& in, std::vector<Finding>& findings) {
  for (const auto& [tensor, count] : in.non_finite_weights) {
    findings.push_back({"base_not_finite", Severity::kError,
                        "base tensor \"" + tensor + "\" has " + std::to_string(count) + " NaN or infinite values"});
  }
  for (const DoctorHash& hash : in.hashes) {
    if (hash.expected.empty() || hash.now == hash.expected) continue;
    findings.push_back({hash.name + "_differs", hash.name == "tokenizer" ? Severity::kError : Severity::kWarning,
                        hash.name + " has SHA-256 " + hash.now + ", expected " + hash.expected});
  }
  if (!in.has_tied_head) return;
  for (const std::string& path : in.adapted_paths) {
    if (!path.ends_with("lm_head") && !path.ends_with("embed_tokens")) continue;
    findings.push_back({"tied_head_untied", Severity::kError,
                        "the adapter changes \"" + path +
                            "\", and the base shares one matrix between embedding and head: one side would be lost"});
  }
}

}  // namespace

std::vector<DoctorCheck> option_checks() {
  return {
      {{"batch_above_data", "learning_rate", "learning_rate_high", "seed_unset", "warmup_too_long"}, check_rate},
      {{"decay_on_norm_or_bias", "full_training_of_quantised_base", "nothing_trainable"}, check_parameters},
      {{"loss_denominator"}, check_plan},
      {{"base_not_finite", "serving_prompt_differs", "template_differs", "tied_head_untied", "tokenizer_differs"},
       check_base},
  };
}

}  // namespace onggi::train
