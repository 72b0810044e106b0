#include "onggi/runtime/prefix_cache.h"

#include <gtest/gtest.h>

#include <numeric>

namespace onggi::runtime {
namespace {

constexpr int kPiece = PrefixCache::kPieceTokens;

const nn::KvShape& shape() {
  static const nn::KvShape kShape{.num_layers = 2, .num_kv_heads = 1, .head_dim = 4, .windows = {0, 100}};
  return kShape;
}

/// A sequence whose key at position p of both layers is (tokens[p], p, layer, 0).
nn::KvSequence run(nn::KvSequence sequence, std::span<const int> tokens, int end) {
  const int begin = sequence.length();
  sequence.reserve(end - begin);
  for (int layer = 0; layer < 2; ++layer) {
    for (int p = begin; p < end; ++p) {
      const float k[4] = {static_cast<float>(tokens[static_cast<std::size_t>(p)]), static_cast<float>(p),
                          static_cast<float>(layer), 0};
      sequence.write(layer, p, k, k);
    }
  }
  sequence.commit(end - begin);
  return sequence;
}

float token_at(const nn::KvSequence& sequence, int layer, int position) {
  const float* keys = sequence.keys(layer, position / nn::kBlockPositions, 0);
  return keys == nullptr ? -1.0F : keys[position % nn::kBlockPositions];
}

std::vector<int> count_from(int first, int count) {
  std::vector<int> tokens(static_cast<std::size_t>(count));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

TEST(PrefixCache, FindsWholePiecesOfWhatBeginsAlike) {
  PrefixCache cache(10 * kPiece);
  const auto tokens = count_from(1000, 3 * kPiece + 5);
  cache.insert("a", tokens, run(nn::KvSequence(shape()), tokens, 3 * kPiece + 5), 0);
  EXPECT_EQ(cache.num_tokens(), 3 * kPiece);
  const auto found = cache.find("a", tokens);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sequence.length(), 3 * kPiece);
  for (int p = 0; p < 3 * kPiece; ++p) EXPECT_EQ(token_at(found->sequence, 0, p), static_cast<float>(1000 + p));
  // What the window's layer needs to go on is there too.
  for (int p = 3 * kPiece - 100; p < 3 * kPiece; ++p)
    EXPECT_EQ(token_at(found->sequence, 1, p), static_cast<float>(1000 + p));
  auto other = tokens;
  other[2 * kPiece] = 7;
  EXPECT_EQ(cache.find("a", other)->sequence.length(), 2 * kPiece);
  other[0] = 7;
  EXPECT_FALSE(cache.find("a", other));
  EXPECT_FALSE(cache.find("b", tokens));
  // One token is always left to compute.
  EXPECT_EQ(cache.find("a", std::span(tokens).first(2 * kPiece))->sequence.length(), kPiece);
  EXPECT_FALSE(cache.find("a", std::span(tokens).first(kPiece)));
}

TEST(PrefixCache, GrowsInPassesAndKeepsOnlyWhatTheWindowStillHolds) {
  PrefixCache cache(100 * kPiece);
  const auto tokens = count_from(0, 8 * kPiece);
  auto first = run(nn::KvSequence(shape()), tokens, 3 * kPiece);
  auto second = run(first.fork(), tokens, 8 * kPiece);
  cache.insert("a", tokens, second, 3 * kPiece);  // the pieces before are not there
  EXPECT_EQ(cache.num_tokens(), 0);
  cache.insert("a", tokens, first, 0);
  cache.insert("a", tokens, second, 3 * kPiece);
  EXPECT_EQ(cache.num_tokens(), 8 * kPiece);
  const auto found = cache.find("a", std::span(tokens).first(5 * kPiece + 1));
  ASSERT_EQ(found->sequence.length(), 5 * kPiece);
  for (int p = 5 * kPiece - 99; p < 5 * kPiece; ++p) EXPECT_EQ(token_at(found->sequence, 1, p), static_cast<float>(p));
}

TEST(PrefixCache, TheLeastRecentlyUsedLeafGoesFirst) {
  PrefixCache cache(3 * kPiece);
  const auto a = count_from(0, 2 * kPiece), b = count_from(5000, 2 * kPiece);
  cache.insert("k", a, run(nn::KvSequence(shape()), a, 2 * kPiece), 0);
  cache.insert("k", b, run(nn::KvSequence(shape()), b, 2 * kPiece), 0);
  EXPECT_EQ(cache.num_tokens(), 3 * kPiece);
  EXPECT_EQ(cache.find("k", count_from(0, 2 * kPiece + 1))->sequence.length(), kPiece);  // its end went
  EXPECT_EQ(cache.find("k", count_from(5000, 2 * kPiece + 1))->sequence.length(), 2 * kPiece);
  cache.erase("k");
  EXPECT_EQ(cache.num_tokens(), 0);
  EXPECT_FALSE(cache.find("k", count_from(0, 2 * kPiece)));
  PrefixCache none(0);
  none.insert("k", a, run(nn::KvSequence(shape()), a, 2 * kPiece), 0);
  EXPECT_EQ(none.num_tokens(), 0);
}

}  // namespace
}  // namespace onggi::runtime
