#include "onggi/train/optimizer.h"

#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/core/random.h"

namespace onggi::train {
namespace {

nn::Parameter make_parameter(std::string name, std::vector<float> value, std::vector<float> grad, bool decay = true) {
  nn::Parameter p{.name = std::move(name), .shape = {static_cast<std::int64_t>(value.size())}};
  p.value = std::move(value);
  p.grad = std::move(grad);
  p.decay = decay;
  return p;
}

nn::Parameter random_parameter(std::uint64_t seed, std::size_t size) {
  std::vector<float> value(size);
  std::vector<float> grad(size);
  for (std::size_t i = 0; i < size; ++i) {
    value[i] = uniform_float(seed, 1, i) - 0.5F;
    grad[i] = uniform_float(seed, 2, i) - 0.5F;
  }
  return make_parameter("p" + std::to_string(size), std::move(value), std::move(grad));
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "no error";
}

TEST(AdamW, FirstUpdateMovesByTheRateAgainstTheSign) {
  auto p = make_parameter("p", {1.0F, -2.0F, 3.0F}, {0.5F, -4.0F, 0.0F});
  AdamW adam({&p}, {});
  adam.step(0.1);
  EXPECT_NEAR(p.value[0], 0.9, 1e-6);
  EXPECT_NEAR(p.value[1], -1.9, 1e-6);
  EXPECT_EQ(p.value[2], 3.0F);
  EXPECT_NEAR(adam.first_moments()[0][0], 0.05, 1e-8);
  EXPECT_NEAR(adam.second_moments()[0][1], 0.016, 1e-8);
  EXPECT_EQ(adam.num_updates(), 1);
}

TEST(AdamW, DecayComesBeforeTheUpdateAndSparesWhatHasNone) {
  auto with = make_parameter("w", {2.0F}, {1.0F});
  auto without = make_parameter("norm", {2.0F}, {1.0F}, false);
  AdamW adam({&with, &without}, {.weight_decay = 0.5});
  adam.step(0.1);
  EXPECT_NEAR(with.value[0], 2.0 * (1.0 - 0.05) - 0.1, 1e-6);
  EXPECT_NEAR(without.value[0], 2.0 - 0.1, 1e-6);
}

TEST(AdamW, FollowsTheFormulaOverManySteps) {
  auto p = make_parameter("p", {0.3F}, {0.0F});
  const AdamWOptions options{.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-4, .weight_decay = 0.1};
  AdamW adam({&p}, options);
  double value = 0.3F;
  double m = 0.0;
  double v = 0.0;
  for (int t = 1; t <= 50; ++t) {
    const double g = std::sin(t * 1.7) * std::exp(-t / 20.0);
    const double lr = 0.01 * (1.0 + t % 3);
    p.grad[0] = static_cast<float>(g);
    adam.step(lr);
    value *= 1.0 - lr * 0.1;
    m = 0.8 * m + 0.2 * g;
    v = 0.95 * v + 0.05 * g * g;
    value -= lr / (1.0 - std::pow(0.8, t)) * m / (std::sqrt(v) / std::sqrt(1.0 - std::pow(0.95, t)) + 1e-4);
    EXPECT_NEAR(p.value[0], value, 2e-6) << t;
  }
}

/// tests/golden/train/adamw.json: 20 clipped updates by PyTorch.
TEST(AdamW, FollowsTorchToTheLastBits) {
  const std::string path = std::string(ONGGI_SOURCE_DIR) + "/tests/golden/train/adamw.json";
  const Json golden = parse_json(read_file(path), path);
  auto a = make_parameter("a", golden["start"][0].get<std::vector<float>>(), {});
  auto b = make_parameter("b", golden["start"][1].get<std::vector<float>>(), {}, false);
  AdamW adam({&a, &b}, {.weight_decay = 0.05});
  for (std::size_t step = 0; step < golden["rates"].size(); ++step) {
    a.grad = golden["gradients"][step][0].get<std::vector<float>>();
    b.grad = golden["gradients"][step][1].get<std::vector<float>>();
    const double norm = golden["norms"][step].get<double>();
    EXPECT_NEAR(clip_gradients(adam.parameters(), 1.0), norm, 1e-6 * norm);
    adam.step(golden["rates"][step].get<double>());
    const auto expected_a = golden["values"][step][0].get<std::vector<float>>();
    const auto expected_b = golden["values"][step][1].get<std::vector<float>>();
    for (std::size_t i = 0; i < a.value.size(); ++i) EXPECT_NEAR(a.value[i], expected_a[i], 2e-7) << step;
    for (std::size_t i = 0; i < b.value.size(); ++i) EXPECT_NEAR(b.value[i], expected_b[i], 2e-7) << step;
  }
}

TEST(AdamW, ThreadsDoNotChangeABit) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{65536}, std::size_t{200001}}) {
    auto one = random_parameter(7, size);
    auto two = one;
    auto extra_one = random_parameter(8, 33);
    auto extra_two = extra_one;
    AdamW a({&one, &extra_one}, {.weight_decay = 0.01});
    AdamW b({&two, &extra_two}, {.weight_decay = 0.01});
    ThreadPool pool(3);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(clip_gradients(a.parameters(), 0.5), clip_gradients(b.parameters(), 0.5, &pool));
      a.step(1e-2);
      b.step(1e-2, &pool);
    }
    EXPECT_EQ(one.value, two.value);
    EXPECT_EQ(extra_one.value, extra_two.value);
    EXPECT_EQ(one.grad, two.grad);
  }
}

TEST(AdamW, ResumesFromItsMomentsAndCount) {
  auto p = random_parameter(3, 100);
  AdamW adam({&p}, {});
  for (int i = 0; i < 5; ++i) adam.step(1e-2);
  auto q = p;
  AdamW other({&q}, {});
  other.first_moments() = adam.first_moments();
  other.second_moments() = adam.second_moments();
  other.set_num_updates(adam.num_updates());
  adam.step(1e-2);
  other.step(1e-2);
  EXPECT_EQ(p.value, q.value);
}

TEST(AdamW, RefusesBadOptionsAndMissingGradients) {
  auto p = make_parameter("p", {1.0F}, {1.0F});
  EXPECT_THROW(AdamW({&p}, {.beta1 = 1.0}), Error);
  EXPECT_THROW(AdamW({&p}, {.epsilon = 0.0}), Error);
  EXPECT_THROW(AdamW({&p}, {.weight_decay = -1.0}), Error);
  EXPECT_THROW(AdamW({&p}, {.weight_decay = std::nan("")}), Error);
  EXPECT_NE(message_of([] { AdamW({}, {}); }).find("no trainable parameters"), std::string::npos);
  p.grad.clear();
  AdamW adam({&p}, {});
  EXPECT_NE(message_of([&] { adam.step(0.1); }).find("(p)"), std::string::npos);
}

TEST(ClipGradients, ScalesToTheLargestNormOrNotAtAll) {
  auto a = make_parameter("a", {0, 0}, {3.0F, 0.0F});
  auto b = make_parameter("b", {0}, {4.0F});
  std::vector<nn::Parameter*> both = {&a, &b};
  EXPECT_EQ(gradient_norm(both), 5.0);
  EXPECT_EQ(clip_gradients(both, 6.0), 5.0);
  EXPECT_EQ(a.grad[0], 3.0F);
  EXPECT_EQ(clip_gradients(both, 0.0), 5.0);
  EXPECT_EQ(b.grad[0], 4.0F);
  EXPECT_EQ(clip_gradients(both, 1.0), 5.0);
  EXPECT_FLOAT_EQ(a.grad[0], static_cast<float>(3.0 / (5.0 + 1e-6)));
  EXPECT_NEAR(gradient_norm(both), 1.0, 1e-6);
}

TEST(ClipGradients, NamesTheTensorThatIsNotFinite) {
  auto a = make_parameter("layers.0.lora_A", {0, 0}, {3.0F, 0.0F});
  auto b = make_parameter("layers.1.lora_B", {0, 0, 0},
                          {1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()});
  std::vector<nn::Parameter*> both = {&a, &b};
  const std::string message = message_of([&] { clip_gradients(both, 1.0); });
  EXPECT_NE(message.find("layers.1.lora_B"), std::string::npos) << message;
  EXPECT_NE(message.find("2 of 3"), std::string::npos) << message;
  EXPECT_EQ(a.grad[0], 3.0F);
}

}  // namespace
}  // namespace onggi::train
