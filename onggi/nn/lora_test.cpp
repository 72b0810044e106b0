#include "onggi/nn/lora.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "onggi/core/random.h"

namespace onggi::nn {
namespace {

std::vector<float> random_floats(std::uint64_t stream, std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = uniform_float(7, stream, i) - 0.5F;
  }
  return values;
}

struct Case {
  std::int64_t num_inputs, num_outputs;
  int rank, num_tokens;
};

/// y of every token, computed in groups of `group` of them.
std::vector<float> added(const Case& c, int num_threads, int group, const std::vector<float>& x,
                         const std::vector<float>& a, const std::vector<float>& b) {
  ThreadPool pool(num_threads);
  Context context(pool);
  const Int8LowRank factors(context, a.data(), b.data(), c.rank, c.num_inputs, c.num_outputs, 2.0F);
  QuantizedActivations q;
  q.quantize(context, x.data(), c.num_inputs, c.num_tokens, c.num_inputs);
  std::vector<float> y(static_cast<std::size_t>(c.num_tokens * c.num_outputs), 1.0F);
  std::vector<LowRankTarget> targets;
  for (int t = 0; t < c.num_tokens; t += group) {
    targets.push_back({&factors, t, std::min(group, c.num_tokens - t), y.data() + t * c.num_outputs, c.num_outputs});
  }
  add_low_rank(context, q, targets);
  return y;
}

TEST(Int8LowRank, IsNearToF32AndHasTheSameBitsInEveryGroup) {
  for (const Case& c : {Case{640, 200, 16, 70}, Case{64, 33, 12, 5}, Case{2048, 640, 8, 3}, Case{32, 16, 40, 49}}) {
    SCOPED_TRACE(std::to_string(c.num_inputs) + " to " + std::to_string(c.num_outputs) + ", rank " +
                 std::to_string(c.rank));
    const auto x = random_floats(1, c.num_tokens * c.num_inputs), a = random_floats(2, c.rank * c.num_inputs),
               b = random_floats(3, c.num_outputs * c.rank);
    const auto y = added(c, 1, c.num_tokens, x, a, b);
    EXPECT_EQ(y, added(c, 2, 1, x, a, b));
    EXPECT_EQ(y, added(c, 2, 48, x, a, b));
    double dot = 0, want_square = 0, got_square = 0;
    for (int t = 0; t < c.num_tokens; ++t) {
      std::vector<double> u(static_cast<std::size_t>(c.rank), 0.0);
      for (int r = 0; r < c.rank; ++r) {
        for (std::int64_t k = 0; k < c.num_inputs; ++k)
          u[static_cast<std::size_t>(r)] += double{x[static_cast<std::size_t>(t * c.num_inputs + k)]} *
                                            a[static_cast<std::size_t>(r * c.num_inputs + k)];
      }
      for (std::int64_t n = 0; n < c.num_outputs; ++n) {
        double want = 0.0;
        for (int r = 0; r < c.rank; ++r)
          want += 2.0 * u[static_cast<std::size_t>(r)] * b[static_cast<std::size_t>(n * c.rank + r)];
        const double got = double{y[static_cast<std::size_t>(t * c.num_outputs + n)]} - 1.0;
        dot += want * got;
        want_square += want * want;
        got_square += got * got;
      }
    }
    EXPECT_GT(dot / std::sqrt(want_square * got_square), 0.9998);
    EXPECT_NEAR(std::sqrt(got_square / want_square), 1.0, 0.005);
  }
}

}  // namespace
}  // namespace onggi::nn
