#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "onggi/kernels/kernels.h"
#include "onggi/kernels/test_support.h"
#include "tests/support/tolerance.h"

namespace onggi::kernels {
namespace {

using onggi::testing::expect_close;
using onggi::testing::expect_equal_bits;
using testing::random_floats;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

const std::vector<std::int64_t> kSizes = {0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 101, 640, 1000};

template <class Function>
void for_each_table(Function&& function) {
  for (const Kernels* table : available_kernels()) {
    SCOPED_TRACE(std::string(table->isa));
    function(*table);
  }
}

Floats scaled(Floats x, float factor) {
  for (float& v : x) v *= factor;
  return x;
}
std::span<const float> view(const Floats& x) { return x; }
std::span<const double> view(const Doubles& x) { return x; }

double activation(Activation a, double x) {
  if (a == Activation::kSilu) return x / (1 + std::exp(-x));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

TEST(Elementwise, AddScaleAndDotEqualTheReferenceAtEverySize) {
  for (const std::int64_t n : kSizes) {
    const Floats a = random_floats(1, n), b = random_floats(2, n);
    Floats sum = b, product = b;
    double dot = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum[i] = b[i] + a[i];
      product[i] = b[i] * 0.3F;
      dot += static_cast<double>(a[i]) * b[i];
    }
    const float scalar_dot = find_kernels("scalar")->dot(a.data(), b.data(), n);
    for_each_table([&](const Kernels& k) {
      Floats y = b;
      y.push_back(7);
      k.add(a.data(), n, y.data());
      expect_equal_bits(view(y).first(a.size()), view(sum));
      EXPECT_EQ(y.back(), 7);
      y = b;
      k.scale(0.3F, n, y.data());
      expect_equal_bits(view(y), view(product));
      EXPECT_EQ(k.dot(a.data(), b.data(), n), scalar_dot);
      EXPECT_NEAR(scalar_dot, dot, 1e-6 * static_cast<double>(n + 1));
    });
  }
}

TEST(Elementwise, GatedIsWithinTwoUlpAndTheSameBitsInEveryTable) {
  for (const Activation a : {Activation::kGeluTanh, Activation::kSilu}) {
    for (const std::int64_t n : kSizes) {
      Floats gate = scaled(random_floats(3, n), 12);
      if (n > 40) gate[3] = 0, gate[4] = -0.0F, gate[5] = 100, gate[6] = -100, gate[7] = 1e20F, gate[8] = -1e20F;
      const Floats up = random_floats(4, n);
      Floats expected(gate.size());
      find_kernels("scalar")->gated(a, gate.data(), up.data(), n, expected.data());
      for (std::size_t i = 0; i < gate.size(); ++i) {
        const double truth = activation(a, gate[i]) * up[i];
        EXPECT_NEAR(expected[i], truth, 1e-6 * std::abs(truth) + 1e-6 * std::min(1.0, std::abs(double{gate[i]})))
            << gate[i];
      }
      for_each_table([&](const Kernels& k) {
        Floats y(gate.size() + 1, 7);
        k.gated(a, gate.data(), up.data(), n, y.data());
        expect_equal_bits(view(y).first(gate.size()), view(expected));
        EXPECT_EQ(y.back(), 7);
      });
    }
  }
}

TEST(Elementwise, GatedBackwardIsTheFiniteDifference) {
  constexpr double h = 1e-5;
  for (const Activation a : {Activation::kGeluTanh, Activation::kSilu}) {
    for (const std::int64_t n : kSizes) {
      Floats gate = scaled(random_floats(5, n), 9);
      if (n > 40) gate[3] = 0, gate[5] = 100, gate[6] = -100, gate[7] = 1e25F, gate[8] = -1e25F;
      const Floats up = random_floats(6, n), dy = random_floats(7, n);
      Doubles dgate, dup;
      for (std::size_t i = 0; i < gate.size(); ++i) {
        const double slope = (activation(a, gate[i] + h) - activation(a, gate[i] - h)) / (2 * h);
        dgate.push_back(std::abs(gate[i]) > 1e6F ? (gate[i] > 0 ? dy[i] * up[i] : 0.0) : dy[i] * up[i] * slope);
        dup.push_back(std::abs(gate[i]) > 1e6F ? 0.0 : dy[i] * activation(a, gate[i]));
      }
      Floats first_dgate, first_dup;
      for_each_table([&](const Kernels& k) {
        Floats got_dgate(gate.size()), got_dup(gate.size());
        k.gated_backward(a, dy.data(), gate.data(), up.data(), n, got_dgate.data(), got_dup.data());
        if (first_dgate.empty()) first_dgate = got_dgate, first_dup = got_dup;
        expect_equal_bits(view(got_dgate), view(first_dgate));
        expect_equal_bits(view(got_dup), view(first_dup));
        for (std::size_t i = 0; i < gate.size(); ++i) {
          EXPECT_NEAR(got_dgate[i], dgate[i], 2e-6) << gate[i];
          if (std::abs(gate[i]) > 1e6F) continue;
          EXPECT_NEAR(got_dup[i], dup[i], 1e-6 * (1 + std::abs(dup[i]))) << gate[i];
        }
      });
    }
  }
}

TEST(RmsNorm, EqualsTheDoubleReferenceAtEveryWidth) {
  constexpr float epsilon = 1e-6F;
  for (const std::int64_t rows : {0, 1, 3, 20}) {
    for (const std::int64_t width : kSizes) {
      if (width == 0) continue;
      const Floats x = scaled(random_floats(8, rows * width), 3), gain = random_floats(9, width);
      Doubles expected;
      for (std::int64_t r = 0; r < rows; ++r) {
        double square = 0;
        for (std::int64_t i = 0; i < width; ++i) square += double{x[r * width + i]} * x[r * width + i];
        const double inverse = 1 / std::sqrt(square / static_cast<double>(width) + epsilon);
        for (std::int64_t i = 0; i < width; ++i) expected.push_back(x[r * width + i] * inverse * gain[i]);
      }
      Floats first;
      for_each_table([&](const Kernels& k) {
        Floats y(x.size()), inverse(static_cast<std::size_t>(rows));
        k.rms_norm(x.data(), gain.data(), rows, width, epsilon, y.data(), inverse.data());
        if (first.empty()) first = y;
        expect_equal_bits(view(y), view(first));
        expect_close(view(y), view(expected), onggi::testing::kExactSum);
        Floats without(x.size());
        k.rms_norm(x.data(), gain.data(), rows, width, epsilon, without.data(), nullptr);
        expect_equal_bits(view(without), view(y));
      });
    }
  }
}

double norm_objective(const Doubles& x, const Doubles& gain, const Floats& dy, std::int64_t rows, std::int64_t width) {
  double total = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    double square = 0;
    for (std::int64_t i = 0; i < width; ++i) square += x[r * width + i] * x[r * width + i];
    const double inverse = 1 / std::sqrt(square / static_cast<double>(width) + 1e-6);
    for (std::int64_t i = 0; i < width; ++i) total += dy[r * width + i] * x[r * width + i] * inverse * gain[i];
  }
  return total;
}

TEST(RmsNorm, BackwardIsTheFiniteDifference) {
  constexpr double h = 1e-5;
  for (const std::int64_t width : {1, 5, 16, 37}) {
    const std::int64_t rows = 3;
    const Floats x = random_floats(10, rows * width), gain = random_floats(11, width);
    const Floats dy = random_floats(12, rows * width), before = random_floats(13, rows * width);
    Doubles x64(x.begin(), x.end()), gain64(gain.begin(), gain.end()), dx, dgain;
    const auto slope = [&](double& at) {
      const double kept = at;
      at = kept + h;
      const double up = norm_objective(x64, gain64, dy, rows, width);
      at = kept - h;
      const double down = norm_objective(x64, gain64, dy, rows, width);
      at = kept;
      return (up - down) / (2 * h);
    };
    for (double& v : x64) dx.push_back(slope(v));
    for (std::size_t i = 0; i < dx.size(); ++i) dx[i] += before[i];
    for (double& v : gain64) dgain.push_back(slope(v) + 2);
    Floats first_dx, first_dgain;
    for_each_table([&](const Kernels& k) {
      Floats y(x.size()), inverse(3);
      k.rms_norm(x.data(), gain.data(), rows, width, 1e-6F, y.data(), inverse.data());
      Floats got_dx = before, got_dgain(gain.size(), 2);
      k.rms_norm_backward(dy.data(), x.data(), gain.data(), inverse.data(), rows, width, got_dx.data(),
                          got_dgain.data());
      if (first_dx.empty()) first_dx = got_dx, first_dgain = got_dgain;
      expect_equal_bits(view(got_dx), view(first_dx));
      expect_equal_bits(view(got_dgain), view(first_dgain));
      expect_close(view(got_dx), view(dx), 3 * onggi::testing::kFiniteDifference);
      expect_close(view(got_dgain), view(dgain), 3 * onggi::testing::kFiniteDifference);
      Floats alone = before;
      k.rms_norm_backward(dy.data(), x.data(), gain.data(), inverse.data(), rows, width, alone.data(), nullptr);
      expect_equal_bits(view(alone), view(got_dx));
    });
  }
}

TEST(Softmax, EqualsTheDoubleReferenceInsideAndIsZeroOutside) {
  for (const std::int64_t length : kSizes) {
    const std::int64_t stride = length + 3, rows = 5;
    const Floats x = scaled(random_floats(14, rows * stride), 40);
    std::vector<std::int32_t> begin, end;
    for (std::uint64_t r = 0; r < 5; ++r) {
      const auto a = static_cast<std::int32_t>(uniform_int(15, 0, r, static_cast<std::uint64_t>(length) + 1));
      const auto b = static_cast<std::int32_t>(uniform_int(15, 1, r, static_cast<std::uint64_t>(length) + 1));
      begin.push_back(r == 0 ? 0 : std::min(a, b));
      end.push_back(r == 0 ? static_cast<std::int32_t>(length) : std::max(a, b));
    }
    Floats first, first_inverse;
    for_each_table([&](const Kernels& k) {
      Floats y = x, inverse(5);
      k.softmax_unscaled(y.data(), rows, length, stride, 0.7F, begin.data(), end.data(), inverse.data());
      if (first.empty()) first = y, first_inverse = inverse;
      expect_equal_bits(view(y), view(first));
      expect_equal_bits(view(inverse), view(first_inverse));
      for (std::int64_t r = 0; r < rows; ++r) {
        double top = -std::numeric_limits<double>::infinity(), total = 0;
        for (std::int64_t i = begin[r]; i < end[r]; ++i) top = std::max(top, double{x[r * stride + i] * 0.7F});
        for (std::int64_t i = begin[r]; i < end[r]; ++i) total += std::exp(x[r * stride + i] * 0.7F - top);
        EXPECT_NEAR(inverse[r], begin[r] < end[r] ? 1 / total : 0, 1e-6);
        for (std::int64_t i = 0; i < stride; ++i) {
          const float got = y[r * stride + i];
          if (i >= length) {
            EXPECT_EQ(got, x[r * stride + i]);
          } else if (i < begin[r] || i >= end[r]) {
            EXPECT_EQ(got, 0);
          } else {
            const double truth = std::exp(static_cast<double>(x[r * stride + i] * 0.7F - static_cast<float>(top)));
            EXPECT_NEAR(got, truth, 2.4e-7 * truth + 2e-38) << "at " << i;
          }
        }
      }
    });
  }
}

TEST(ExpBelow, SumsAndValuesAreThoseOfAllTables) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const std::int64_t count : {0, 1, 15, 16, 100, 256}) {
    Floats x = scaled(random_floats(7, count), 30);
    if (count > 20) x[3] = -inf;
    Floats first;
    float first_sum = 0;
    for_each_table([&](const Kernels& k) {
      const float top = k.highest(x.data(), count);
      EXPECT_EQ(top, count == 0 ? -inf : *std::max_element(x.begin(), x.end()));
      for (const float scale : {1.0F, 0.3F, std::numeric_limits<float>::max()}) {
        Floats y(x.size(), 5);
        k.exp_below(x.data(), count, top, scale, y.data());
        const float sum = k.sum_exp_below(x.data(), count, top, scale);
        double total = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double truth = std::exp((static_cast<double>(x[i]) - double{top}) * double{scale});
          EXPECT_NEAR(y[i], truth, 2e-5 * truth + 2e-38) << x[i];  // The product is rounded before exp.
          total += double{y[i]};
        }
        EXPECT_NEAR(sum, total, 1e-6 * total);
        if (scale != 1.0F) continue;
        if (first.empty()) first = y, first_sum = sum;
        expect_equal_bits(view(y), view(first));
        EXPECT_EQ(sum, first_sum);
      }
    });
  }
  for_each_table([&](const Kernels& k) {
    for (std::size_t i = 0; i < 40; ++i) {
      Floats x(40, 1);
      x[(i + 7) % 40] = 2;
      x[i] = nan;
      EXPECT_EQ(k.highest(x.data(), 40), 2.0F) << i;
      EXPECT_TRUE(std::isnan(k.sum_exp_below(x.data(), 40, 2, 1))) << i;
    }
  });
}

TEST(Softmax, BitsDoNotDependOnThePaddingAround) {
  for_each_table([&](const Kernels& k) {
    const std::int64_t length = 96;
    const Floats x = scaled(random_floats(16, length), 20);
    Floats wide(static_cast<std::size_t>(length + 64), 3), narrow = x;
    std::copy(x.begin(), x.end(), wide.begin() + 32);
    float inverse_wide = 0, inverse_narrow = 0;
    std::int32_t begin = 32, end = 128, zero = 0, all = 96;
    k.softmax_unscaled(wide.data(), 1, length + 64, 0, 1, &begin, &end, &inverse_wide);
    k.softmax_unscaled(narrow.data(), 1, length, 0, 1, &zero, &all, &inverse_narrow);
    EXPECT_EQ(inverse_wide, inverse_narrow);
    expect_equal_bits(view(wide).subspan(32, 96), view(narrow));
  });
}

}  // namespace
}  // namespace onggi::kernels
