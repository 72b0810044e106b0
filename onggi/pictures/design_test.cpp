#include <set>

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/pictures/composer.h"
#include "onggi/pictures/picture.h"
#include "onggi/pictures/svg.h"
#include "onggi/pictures/test_support.h"

namespace onggi::pictures {
namespace {

class Designs : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_fonts()) GTEST_SKIP() << "fonts-nanum and fonts-nanum-extra are not installed";
    card_ =
        prepare_card({"t-1", "아침까지 당김 없는", "크림", "보습력", {"누벨르온 세라 배리어 크림 50ml"}}, test_fonts());
  }
  CardText card_;
};

TEST_F(Designs, EveryLayoutHasRoomForAnOrdinaryCardInEverySize) {
  for (std::size_t i = 0; i < layouts().size(); ++i) {
    for (const char* text : {"640x800", "800x800", "1200x628", "160x200", "500x1000"}) {
      const Size size = parse_size(text);
      Design design = choose_design(card_, 1, static_cast<int>(i));
      design.layout = static_cast<int>(i);
      const auto picture = compose_card(card_, design, size, test_fonts());
      ASSERT_TRUE(picture) << layouts()[i].name << " " << text;
      ASSERT_GE(picture->texts.size(), 3u) << layouts()[i].name;
      for (const auto& measure :
           measure_texts(picture->scene, picture->texts, render(picture->scene, 1, Layers::kWithoutText)))
        EXPECT_TRUE(measure.is_whole) << layouts()[i].name << " " << text;
    }
  }
}

TEST_F(Designs, EveryMotifStaysInItsSquareAndShows) {
  for (const Motif& motif : motifs()) {
    for (int seed = 0; seed < 3; ++seed) {
      Scene scene(200, 200);
      const Tones tones = tones_on(palettes()[static_cast<std::size_t>(seed * 6)], static_cast<Ground>(seed));
      Rng rng(1, static_cast<std::uint64_t>(seed));
      motif.draw(Brush(scene, {100, 100}, 60), tones, rng);
      Image image = render(scene);
      std::size_t inside = 0, outside = 0;
      for (int y = 0; y < 200; ++y) {
        for (int x = 0; x < 200; ++x) {
          const bool is_in = std::abs(x - 100) <= 66 && std::abs(y - 100) <= 66;
          (is_in ? inside : outside) += image.at(x, y) != 0xFFFFFF ? 1 : 0;
        }
      }
      EXPECT_GT(inside, 700u) << motif.name;
      EXPECT_EQ(outside, 0u) << motif.name;
    }
  }
}

TEST_F(Designs, EveryArrangementAndPatternDrawsInAnyShapeOfArea) {
  const Tones tones = tones_on(palettes()[0], Ground::kPaper);
  for (const Rect area : {Rect{0, 0, 300, 300}, Rect{0, 0, 400, 60}, Rect{0, 0, 60, 400}}) {
    for (const auto& arrangement : arrangements()) {
      Scene scene(area.w, area.h);
      Rng rng(1, 2);
      arrangement.draw({scene, area, motifs()[0], tones, rng});
      EXPECT_FALSE(scene.items().empty()) << arrangement.name;
      EXPECT_LT(scene.items().size(), 3000u) << arrangement.name;
    }
    for (const auto& pattern : patterns()) {
      Scene scene(area.w, area.h);
      Rng rng(1, 2);
      pattern.draw({scene, area, motifs()[0], tones, rng});
      EXPECT_FALSE(scene.items().empty()) << pattern.name;
      EXPECT_LT(scene.items().size(), 3000u) << pattern.name;
    }
  }
}

TEST_F(Designs, FollowFromSeedAndCardAlone) {
  EXPECT_EQ(choose_design(card_, 1, 0), choose_design(card_, 1, 0));
  std::set<std::string> signatures;
  for (int attempt = 0; attempt < 60; ++attempt) signatures.insert(design_signature(choose_design(card_, 1, attempt)));
  EXPECT_GE(signatures.size(), 59u);
  EXPECT_NE(design_signature(choose_design(card_, 1, 0)), design_signature(choose_design(card_, 2, 0)));
  const std::vector<Size> sizes = {{640, 800}};
  const DrawnCard one = draw_card(card_, 5, sizes, test_fonts()), two = draw_card(card_, 5, sizes, test_fonts());
  EXPECT_EQ(encode_png(one.pictures[0].image), encode_png(two.pictures[0].image));
  EXPECT_EQ(encode_svg(one.pictures[0].picture.scene, "a", "b"), encode_svg(two.pictures[0].picture.scene, "a", "b"));
}

TEST_F(Designs, TakenHaveWholeAndReadableText) {
  const std::vector<Size> sizes = {{640, 800}, {1200, 628}};
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const DrawnCard drawn = draw_card(card_, seed, sizes, test_fonts());
    ASSERT_EQ(drawn.pictures.size(), 2u);
    for (const auto& picture : drawn.pictures) {
      for (std::size_t i = 0; i < picture.measures.size(); ++i) {
        EXPECT_TRUE(picture.measures[i].is_whole);
        EXPECT_GE(picture.measures[i].contrast, picture.picture.texts[i].needed_contrast());
      }
    }
  }
}

TEST_F(Designs, ATextThatFitsNowhereIsNamed) {
  CardText card = card_;
  card.entity.clear();
  for (int i = 0; i < 40; ++i) card.entity += "끝";
  const std::vector<Size> sizes = {{640, 800}};
  try {
    draw_card(prepare_card(card, test_fonts()), 1, sizes, test_fonts());
    FAIL() << "drawn";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(error.message().find(card.entity), std::string::npos);
  }
}

TEST_F(Designs, AspectsHaveMotifsKnownOrNot) {
  for (const char* aspect : {"보습력", "기호성", "처음 보는 주제", ""}) {
    const auto found = motifs_of_aspect(aspect);
    EXPECT_GE(found.size(), 3u);
    EXPECT_EQ(found, motifs_of_aspect(aspect));
  }
  EXPECT_THROW(find_motif("dropp"), Error);
}

TEST(Sizes, AreReadOrRefused) {
  EXPECT_EQ(parse_size("640x800"), (Size{640, 800}));
  for (const char* bad : {"", "640", "640x", "x800", "640X800", "640x800x3", "-640x800", "100x100", "5000x5000",
                          "200x2000", "640 x800", "99999999999x1"})
    EXPECT_THROW(parse_size(bad), Error) << bad;
}

TEST_F(Designs, MeasuringSeesTextThatIsCutCoveredOrPale) {
  const auto measure = [](Point at, Color color, Color ground, bool covered) {
    Scene scene(300, 200);
    scene.fill(Path::rect(scene.area()), ground);
    const auto line = outline_line("크림", chain_of(test_fonts(), "NanumSquareEB"), 0);
    PlacedText text{Role::kEntity,
                    "크림",
                    {"크림"},
                    60,
                    true,
                    color,
                    line.path.transformed(Matrix::scaling(60, 60).then(Matrix::translation(at))),
                    {}};
    text.box = text.outline.bounds();
    std::vector<PlacedText> texts = {text};
    if (covered) texts.push_back(text);
    return measure_texts(scene, texts, render(scene, 1, Layers::kWithoutText))[0];
  };
  const auto good = measure({90, 120}, rgb(0), rgb(0xFFFFFF), false);
  EXPECT_TRUE(good.is_whole);
  EXPECT_NEAR(good.contrast, 21.0f, 0.01f);
  EXPECT_FALSE(measure({260, 120}, rgb(0), rgb(0xFFFFFF), false).is_whole);
  EXPECT_FALSE(measure({90, 10}, rgb(0), rgb(0xFFFFFF), false).is_whole);
  EXPECT_FALSE(measure({-500, 120}, rgb(0), rgb(0xFFFFFF), false).is_whole);
  EXPECT_FALSE(measure({90, 120}, rgb(0), rgb(0xFFFFFF), true).is_whole);
  EXPECT_NEAR(measure({90, 120}, rgb(0x777777), rgb(0xFFFFFF), false).contrast, 4.478f, 0.01f);
}

}  // namespace
}  // namespace onggi::pictures
