#include "onggi/train/schedule.h"

#include <cmath>

#include <gtest/gtest.h>

#include "onggi/core/error.h"

namespace onggi::train {
namespace {

TEST(Schedule, HandComputedRates) {
  struct Case {
    Schedule schedule;
    std::int64_t step;
    double rate;
  };
  const Schedule linear{.kind = ScheduleKind::kLinear, .peak = 2.0, .total_steps = 10, .warmup_steps = 4};
  const Schedule cosine{.kind = ScheduleKind::kCosine, .peak = 2.0, .total_steps = 8};
  const Schedule floor{.kind = ScheduleKind::kCosine, .peak = 2.0, .total_steps = 8, .min_share = 0.1};
  const Schedule wsd{.kind = ScheduleKind::kWsd, .peak = 2.0, .total_steps = 10, .warmup_steps = 2, .decay_steps = 4};
  const Schedule constant{.kind = ScheduleKind::kConstant, .peak = 2.0, .total_steps = 10, .warmup_steps = 2};
  const Case cases[] = {
      {linear, 0, 0.0},
      {linear, 1, 0.5},
      {linear, 3, 1.5},
      {linear, 4, 2.0},
      {linear, 7, 1.0},
      {linear, 9, 1.0 / 3},
      {linear, 10, 0.0},
      {linear, 99, 0.0},
      {cosine, 0, 2.0},
      {cosine, 4, 1.0},
      {cosine, 2, 1.0 + std::sqrt(0.5)},
      {cosine, 8, 0.0},
      {floor, 4, 1.1},
      {floor, 8, 0.2},
      {wsd, 0, 0.0},
      {wsd, 1, 1.0},
      {wsd, 2, 2.0},
      {wsd, 6, 2.0},
      {wsd, 8, 1.0},
      {wsd, 10, 0.0},
      {constant, 1, 1.0},
      {constant, 2, 2.0},
      {constant, 50, 2.0},
  };
  for (const Case& c : cases) EXPECT_NEAR(c.schedule.rate(c.step), c.rate, 1e-12) << c.step;
}

TEST(Schedule, NeverLeavesZeroToPeakAndFallsAfterWarmUp) {
  for (const auto kind : {ScheduleKind::kConstant, ScheduleKind::kLinear, ScheduleKind::kCosine, ScheduleKind::kWsd}) {
    const Schedule s{.kind = kind, .peak = 3e-4, .total_steps = 97, .warmup_steps = 9, .decay_steps = 30};
    s.check();
    for (std::int64_t step = 0; step <= 100; ++step) {
      EXPECT_GE(s.rate(step), 0.0);
      EXPECT_LE(s.rate(step), s.peak);
      if (step > 9) {
        EXPECT_LE(s.rate(step), s.rate(step - 1));
      }
    }
    EXPECT_EQ(s.rate(9), s.peak);
  }
}

TEST(Schedule, RefusesWhatCanNotTrain) {
  const auto bad = [](Schedule s) { EXPECT_THROW(s.check(), Error); };
  bad({.peak = 0.0, .total_steps = 10});
  bad({.peak = -1e-4, .total_steps = 10});
  bad({.peak = std::nan(""), .total_steps = 10});
  bad({.peak = 1e-4, .total_steps = 10, .warmup_steps = 10});
  bad({.peak = 1e-4, .total_steps = 10, .warmup_steps = -1});
  bad({.kind = ScheduleKind::kWsd, .peak = 1e-4, .total_steps = 10, .warmup_steps = 6, .decay_steps = 5});
  bad({.peak = 1e-4, .total_steps = 10, .min_share = 1.5});
  EXPECT_THROW(schedule_kind("cosin"), Error);
  EXPECT_EQ(schedule_kind("wsd"), ScheduleKind::kWsd);
}

}  // namespace
}  // namespace onggi::train
