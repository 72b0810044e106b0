#include "onggi/train/doctor_curve.h"

#include <gtest/gtest.h>

namespace onggi::train {
namespace {

std::vector<std::string> codes(const std::vector<double>& losses, const std::vector<double>& evaluations) {
  std::vector<Json> metrics;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    Json line = {{"step", i + 1}, {"loss", losses[i]}};
    const std::size_t every = evaluations.empty() ? losses.size() + 1 : losses.size() / evaluations.size();
    if ((i + 1) % every == 0) line["eval_loss"] = evaluations[(i + 1) / every - 1];
    metrics.push_back(std::move(line));
  }
  std::vector<std::string> all;
  for (const Finding& finding : examine_curve(metrics)) {
    EXPECT_EQ(finding.severity, Severity::kWarning);
    all.push_back(finding.code);
  }
  return all;
}

using Codes = std::vector<std::string>;
const std::vector<double> kFalling = {3, 2.5, 2, 1.8, 1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1, 0.9};

TEST(DoctorCurve, AGoodRunRaisesNothing) { EXPECT_EQ(codes(kFalling, {1.5, 1.2, 1.19}), Codes{}); }

TEST(DoctorCurve, NamesWhatWentWrong) {
  std::vector<double> rising(kFalling.rbegin(), kFalling.rend());
  EXPECT_EQ(codes(rising, {1.0, 2.0}), Codes{"loss_rose"}) << "and not overfitting, since the training loss rose too";
  EXPECT_EQ(codes(kFalling, {0.777, 0.729, 0.825}), Codes{"evaluation_loss_rose"});
  EXPECT_EQ(codes(kFalling, {1.5, 1.2, 1.0}), Codes{"still_improving"});
  EXPECT_EQ(codes(kFalling, {}), Codes{"no_evaluation"});
}

TEST(DoctorCurve, FewStepsSayNothing) {
  EXPECT_EQ(codes({1, 2}, {1.0, 1.0}), Codes{});
  EXPECT_EQ(codes({1}, {1.0}), Codes{});
  EXPECT_EQ(examine_curve({}).size(), 1U);
}

}  // namespace
}  // namespace onggi::train
