#include "onggi/core/metrics.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "onggi/core/error.h"

namespace onggi::metrics {
namespace {

TEST(Metrics, TextIsWhatPrometheusReads) {
  Registry registry(Labels{{"model_name", "a \"b\"\\\n"}});
  registry.counter("requests_total", "Requests,\nby \\ \"path\".", {{"path", "/x"}}).add(2);
  registry.counter("requests_total", "", {{"path", "/y"}}).add(0.5);
  registry.gauge("depth", "Now.").set(-std::numeric_limits<double>::infinity());
  registry.gauge_of("held", "Elsewhere.", [] { return 1e18; });
  auto& seconds = registry.histogram("vllm:seconds", "Time.", std::vector{0.1, 1.0});
  seconds.observe(0.1);
  seconds.observe(0.5, 2);
  seconds.observe(7);
  EXPECT_EQ(registry.text(),
            "# HELP requests_total Requests,\\nby \\\\ \"path\".\n# TYPE requests_total counter\n"
            "requests_total{model_name=\"a \\\"b\\\"\\\\\\n\",path=\"/x\"} 2\n"
            "requests_total{model_name=\"a \\\"b\\\"\\\\\\n\",path=\"/y\"} 0.5\n"
            "# HELP depth Now.\n# TYPE depth gauge\ndepth{model_name=\"a \\\"b\\\"\\\\\\n\"} -Inf\n"
            "# HELP held Elsewhere.\n# TYPE held gauge\nheld{model_name=\"a \\\"b\\\"\\\\\\n\"} 1e+18\n"
            "# HELP vllm:seconds Time.\n# TYPE vllm:seconds histogram\n"
            "vllm:seconds_bucket{model_name=\"a \\\"b\\\"\\\\\\n\",le=\"0.1\"} 1\n"
            "vllm:seconds_bucket{model_name=\"a \\\"b\\\"\\\\\\n\",le=\"1\"} 3\n"
            "vllm:seconds_bucket{model_name=\"a \\\"b\\\"\\\\\\n\",le=\"+Inf\"} 4\n"
            "vllm:seconds_sum{model_name=\"a \\\"b\\\"\\\\\\n\"} 8.1\n"
            "vllm:seconds_count{model_name=\"a \\\"b\\\"\\\\\\n\"} 4\n");
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Registry registry;
  auto& counter = registry.counter("a_total", "A.", {{"x", "1"}});
  for (int i = 0; i < 100; ++i) registry.counter("a_total", "A.", {{"x", std::to_string(i)}}).add();
  EXPECT_EQ(&registry.counter("a_total", "A.", {{"x", "1"}}), &counter);
  EXPECT_EQ(counter.value(), 1);
}

TEST(Metrics, NothingIsLostBetweenThreads) {
  Registry registry;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&registry] {
        for (int i = 0; i < 5000; ++i) {
          registry.counter("a_total", "A.").add();
          registry.histogram("b", "B.", std::vector{10.0}).observe(i % 20);
          if (i % 500 == 0) {
            EXPECT_FALSE(registry.text().empty());
          }
        }
      });
    }
  }
  EXPECT_EQ(registry.counter("a_total", "").value(), 20'000);
  const auto reading = registry.histogram("b", "", {}).read();
  EXPECT_EQ(reading.up_to, (std::vector<std::int64_t>{11'000, 20'000}));
  EXPECT_EQ(reading.sum, 190'000.0);
}

TEST(Metrics, LabelsMayChange) {
  Registry registry(Labels{{"a", "1"}});
  std::string who = "x";
  registry.gauges_of("now", "Now.", [&] { return Registry::Readings{{{{"who", who}}, 2.0}}; });
  EXPECT_EQ(registry.text(), "# HELP now Now.\n# TYPE now gauge\nnow{a=\"1\",who=\"x\"} 2\n");
  who = "y";
  EXPECT_EQ(registry.text(), "# HELP now Now.\n# TYPE now gauge\nnow{a=\"1\",who=\"y\"} 2\n");
}

TEST(Metrics, RefusesWhatIsNoName) {
  Registry registry;
  registry.counter("a_total", "A.");
  EXPECT_THROW(registry.gauge("a_total", "A."), Error);
  EXPECT_THROW(registry.gauge("1a", "A."), Error);
  EXPECT_THROW(registry.gauge("", "A."), Error);
  EXPECT_THROW(registry.gauge("b", "B.", {{"with space", "1"}}), Error);
}

TEST(Metrics, OneTwoFive) {
  EXPECT_EQ(one_two_five(1), (std::vector<double>{1}));
  EXPECT_EQ(one_two_five(32), (std::vector<double>{1, 2, 5, 10, 20, 50}));
}

}  // namespace
}  // namespace onggi::metrics
