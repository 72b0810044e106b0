#include "onggi/train/doctor_curve.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>

namespace onggi::train {
namespace {

struct Evaluation {
  std::int64_t step = 0;
  double loss = 0.0;
};

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

template <class... Values>
Finding warning(const char* code, const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return {code, Severity::kWarning, text};
}

void check_evaluations(std::span<const Evaluation> evaluations, bool train_loss_fell, std::vector<Finding>& findings) {
  const auto best = std::min_element(evaluations.begin(), evaluations.end(), [](const auto& a, const auto& b) { return a.loss < b.loss; });
  const Evaluation& last = evaluations.back();
  // Differences below these shares are noise between two evaluations of one run.
  constexpr double kRisen = 1.01;
  constexpr double kFallen = 0.98;
  if (last.loss > kRisen * best->loss && train_loss_fell) {
    findings.push_back(warning("evaluation_loss_rose",
                               "the evaluation loss was best at step %lld (%.4f) and is %.4f now, while the training loss fell: "
                               "the model learns the rows by heart; fewer epochs, a lower rank or --lora-dropout may help",
                               static_cast<long long>(best->step), best->loss, last.loss));
  }
  if (evaluations.size() >= 2 && last.loss < kFallen * evaluations[evaluations.size() - 2].loss && best == evaluations.end() - 1) {
    findings.push_back(warning("still_improving", "the evaluation loss was still falling at the end (%.4f): more epochs may help", last.loss));
  }
}

}  // namespace

std::vector<Finding> examine_curve(std::span<const Json> metrics) {
  constexpr std::size_t kFewSteps = 10;
  std::vector<double> losses;
  std::vector<Evaluation> evaluations;
  for (const Json& line : metrics) {
    if (line.contains("loss") && line["loss"].is_number()) losses.push_back(line["loss"].get<double>());
    if (!line.contains("eval_loss") || !line["eval_loss"].is_number()) continue;
    evaluations.push_back({line.value("step", std::int64_t{0}), line["eval_loss"].get<double>()});
  }
  std::vector<Finding> findings;
  bool fell = true;
  if (losses.size() >= kFewSteps) {
    const std::size_t fifth = losses.size() / 5;
    const double first = mean(std::span(losses).first(fifth));
    const double last = mean(std::span(losses).last(fifth));
    fell = last < first;
    if (!fell) {
      findings.push_back(warning("loss_rose", "the training loss rose from %.4f to %.4f: a lower --learning-rate may help", first, last));
    }
  }
  if (evaluations.empty()) {
    findings.push_back({"no_evaluation", Severity::kWarning,
                        "there were no validation rows, so the last state was kept, be it the best or not (--validation or --split)"});
  } else {
    check_evaluations(evaluations, fell, findings);
  }
  return findings;
}

}  // namespace onggi::train
