#include "onggi/runtime/embedding.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "onggi/core/error.h"

namespace onggi::runtime {
namespace {

TEST(Embedding, IsCutAndThenBroughtToLengthOne) {
  const std::array<float, 3> pooled = {3.0F, 4.0F, 12.0F};
  const auto whole = embedding_of(pooled, {});
  EXPECT_FLOAT_EQ(whole[2], 12.0F / 13.0F);
  EXPECT_EQ(embedding_of(pooled, {.dimensions = 2}), (std::vector<float>{0.6F, 0.8F}));
  EXPECT_EQ(embedding_of(pooled, {.normalizes = false}), (std::vector<float>{3.0F, 4.0F, 12.0F}));
  EXPECT_EQ(embedding_of(std::array<float, 2>{}, {}), (std::vector<float>{0.0F, 0.0F}));
}

TEST(Embedding, RefusesWhatIsNotFinite) {
  const std::array<float, 2> pooled = {1.0F, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THROW(embedding_of(pooled, {}), Error);
  EXPECT_NO_THROW(embedding_of(pooled, {.dimensions = 1}));
}

TEST(Embedding, CosineOfAnglesThatAreKnown) {
  const std::array<float, 2> x = {2.0F, 0.0F}, y = {0.0F, 5.0F}, z = {-3.0F, 0.0F}, none = {0.0F, 0.0F};
  EXPECT_EQ(cosine(x, x), 1.0);
  EXPECT_EQ(cosine(x, y), 0.0);
  EXPECT_EQ(cosine(x, z), -1.0);
  EXPECT_EQ(cosine(x, none), 0.0);
}

TEST(Embedding, KnowsTwoKindsOfPooling) {
  EXPECT_EQ(pooling_from_name("mean"), Pooling::kMean);
  EXPECT_EQ(pooling_from_name("last"), Pooling::kLast);
  EXPECT_THROW(pooling_from_name("max"), Error);
}

}  // namespace
}  // namespace onggi::runtime
