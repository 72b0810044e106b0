#include "onggi/cluster/duplicates.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "onggi/cluster/shingles.h"
#include "onggi/core/error.h"
#include "onggi/core/random.h"

namespace onggi::cluster {
namespace {

/// Reviews from a small stock of words, a third of them an earlier one with a few words changed.
std::vector<std::string> made_reviews(std::size_t count, std::uint64_t seed) {
  static const std::string kWords[] = {"배송이",   "빠르고",   "포장도",   "꼼꼼해요", "색상이", "화면과",   "같아서",
                                       "마음에",   "들어요",   "사이즈는", "조금",     "크지만", "편하게",   "입기",
                                       "좋네요",   "아이가",   "정말",     "좋아해서", "재구매", "했습니다", "향이",
                                       "은은하고", "지속력도", "괜찮은",   "편입니다", "가격",   "대비",     "성능이",
                                       "훌륭하고", "소음도",   "거의",     "없어요"};
  std::vector<std::vector<std::size_t>> reviews;
  std::uint64_t draw = 0;
  const auto random = [&](std::uint64_t bound) { return uniform_int(seed, 1, draw++, bound); };
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::size_t> words;
    if (i > 0 && random(3) == 0) {
      words = reviews[random(i)];
      for (std::uint64_t changes = random(4); changes > 0; --changes)
        words[random(words.size())] = random(std::size(kWords));
    } else {
      const auto length = 8 + random(20);
      for (std::uint64_t w = 0; w < length; ++w) words.push_back(random(std::size(kWords)));
    }
    reviews.push_back(std::move(words));
  }
  std::vector<std::string> texts;
  for (const auto& words : reviews) {
    std::string text;
    for (const auto w : words) text += (text.empty() ? "" : " ") + kWords[w];
    texts.push_back(text);
  }
  return texts;
}

TEST(Shingles, AreSetsOfCharactersWithoutSpaces) {
  EXPECT_EQ(without_spaces(" 가 나\t다\xE3\x80\x80"), "가나다");
  EXPECT_EQ(shingles_of("가나다라", 3).size(), 2U);
  EXPECT_EQ(shingles_of("가나", 3).size(), 1U);
  EXPECT_EQ(shingles_of("가가가가가", 3).size(), 1U);
  EXPECT_TRUE(shingles_of("", 3).empty());
  EXPECT_NE(shingles_of("가나", 3), shingles_of("나가", 3));
}

TEST(Shingles, JaccardIsIntersectionOverUnion) {
  EXPECT_DOUBLE_EQ(jaccard(shingles_of("가나다라마", 3), shingles_of("가나다라바", 3)), 2.0 / 4);
  EXPECT_EQ(jaccard({}, {}), 1);
  EXPECT_EQ(jaccard({1}, {}), 0);
}

TEST(Shingles, KeysFoldWhatShortTextsDifferIn) {
  EXPECT_EQ(matching_key("좋아요!!"), matching_key("좋 아요~"));
  EXPECT_EQ(matching_key("ＧＯＯＤ"), "good");
  EXPECT_EQ(matching_key("! !"), "!!");
}

TEST(MinHash, SharesOfEqualValuesEstimateJaccard) {
  const MinHasher hasher(2048, 1);
  Shingles a, b;
  for (std::uint64_t i = 0; i < 150; ++i) {
    const std::uint64_t gram = i * 0x9E3779B97F4A7C15U ^ (i << 7U);
    if (i < 100) a.push_back(gram);
    if (i >= 50) b.push_back(gram);
  }
  std::ranges::sort(a);
  std::ranges::sort(b);
  std::vector<std::uint64_t> x(2048), y(2048);
  hasher.sign(a, x);
  hasher.sign(b, y);
  double same = 0;
  for (std::size_t i = 0; i < x.size(); ++i) same += x[i] == y[i] ? 1 : 0;
  EXPECT_NEAR(same / 2048, jaccard(a, b), 0.04);  // Four standard deviations.
}

TEST(MinHash, BandsMissFewAndLetFewThrough) {
  const Bands bands = best_bands(128, 0.8, 0.005);
  EXPECT_LE(bands.bands * bands.rows, 128);
  EXPECT_GE(bands.chance(0.8), 0.995);
  EXPECT_LT(bands.chance(0.3), 0.02);
  // One more row in as many bands as fit would miss more than allowed.
  EXPECT_LT((Bands{.bands = 128 / (bands.rows + 1), .rows = bands.rows + 1}.chance(0.8)), 0.995);
}

TEST(Duplicates, MinHashFindsAtLeast98PercentOfThePairsOfBruteForce) {
  const auto texts = made_reviews(1500, 5);
  std::vector<Shingles> sets;
  for (const auto& text : texts) sets.push_back(shingles_of(without_spaces(text), 5));
  ThreadPool pool(2);
  const auto found = find_duplicates(texts, {}, pool);
  std::int64_t pairs = 0, together = 0;
  std::vector<std::int32_t> top(texts.size());  // Groups by brute force.
  std::iota(top.begin(), top.end(), 0);
  const auto top_of = [&](std::int32_t i) {
    while (top[static_cast<std::size_t>(i)] != i) i = top[static_cast<std::size_t>(i)];
    return i;
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (jaccard(sets[i], sets[j]) < 0.8) continue;
      ++pairs;
      together += found.canonical[i] == found.canonical[j] ? 1 : 0;
      const auto a = top_of(static_cast<std::int32_t>(i)), b = top_of(static_cast<std::int32_t>(j));
      top[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
    }
  }
  EXPECT_GT(pairs, 200);
  EXPECT_GE(static_cast<double>(together), 0.98 * static_cast<double>(pairs));
  // Nobody is in a group that brute force would not make.
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(top_of(static_cast<std::int32_t>(i)), top_of(found.canonical[i]));
  }
}

TEST(Duplicates, PrefixesMissNoPair) {
  const auto texts = made_reviews(800, 8);
  ThreadPool pool(2);
  DuplicateOptions options = expression_duplicates();
  for (const double threshold : {0.9, 0.6}) {
    options.threshold = threshold;
    const auto found = find_duplicates(texts, options, pool);
    std::vector<Shingles> sets;
    for (const auto& text : texts) sets.push_back(shingles_of(without_spaces(text), 3));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (jaccard(sets[i], sets[j]) < threshold) continue;
        ASSERT_EQ(found.canonical[i], found.canonical[j]);
      }
    }
  }
}

TEST(Duplicates, TheMostFrequentThenTheLongestStandsForItsGroup) {
  ThreadPool pool(1);
  const std::string a = "아침까지 당김이 없고 촉촉해서 겨울에 쓰기 좋아요 정말", b = a + "!",
                    c = "전혀 다른 이야기를 하는 후기라서 아무것도 같지 않습니다";
  const auto found =
      find_duplicates(std::vector<std::string>{a, c, b, a + " ", "좋아요", "좋아요!!", a}, {.threshold = 0.7}, pool);
  EXPECT_EQ(found.canonical, (std::vector<std::int32_t>{0, 1, 0, 0, 4, 4, 0}));
  EXPECT_EQ(found.kept, (std::vector<std::int32_t>{0, 1, 4}));
  EXPECT_EQ(found.counts, (std::vector<std::int32_t>{4, 1, 2}));
  EXPECT_EQ(found.num_same, 3);
  EXPECT_EQ(found.num_near, 1);
  const auto longest = find_duplicates(std::vector<std::string>{a, b}, {.threshold = 0.7}, pool);
  EXPECT_EQ(longest.kept, std::vector<std::int32_t>{1});
}

TEST(Duplicates, AreTheSameForAnyThreads) {
  const auto texts = made_reviews(800, 3);
  ThreadPool one(1), three(3);
  EXPECT_EQ(find_duplicates(texts, {}, one).canonical, find_duplicates(texts, {}, three).canonical);
}

TEST(Duplicates, OfNothingAreNone) {
  ThreadPool pool(1);
  EXPECT_TRUE(find_duplicates({}, {}, pool).canonical.empty());
  EXPECT_EQ(find_duplicates(std::vector<std::string>{"", " ", "가"}, {}, pool).kept.size(), 2U);
  EXPECT_EQ(find_duplicates(std::vector<std::string>{"", " ", "가"}, expression_duplicates(), pool).kept.size(), 2U);
  EXPECT_THROW(find_duplicates({}, {.threshold = 0}, pool), Error);
}

TEST(Duplicates, AFullBucketIsComparedInPartAndCounted) {
  // All share their first half: near 0.5, so that one permutation a band puts many of them together.
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) {
    std::string text = "같은 말을 앞에 길게 적어 두고 뒤에만 다른 말을 적은 후기입니다";
    for (int k = 0; k < 6; ++k) text += std::to_string(1000003 * (i + 1) * (k + 7) % 99991);
    texts.push_back(text);
  }
  ThreadPool pool(1);
  const DuplicateOptions options{.threshold = 0.8, .num_permutations = 8, .miss = 0.0005};
  EXPECT_EQ(find_duplicates(texts, options, pool).num_left_out, 0);
  DuplicateOptions few = options;
  few.max_bucket = 2;
  EXPECT_GT(find_duplicates(texts, few, pool).num_left_out, 0);
}

}  // namespace
}  // namespace onggi::cluster
