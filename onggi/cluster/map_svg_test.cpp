#include "onggi/cluster/map_svg.h"

#include <gtest/gtest.h>

namespace onggi::cluster {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(MapSvg, ShowsPointsNamesAndOutliersAndEscapesTexts) {
  const MapPicture picture{
      .title = "a < b",
      .note = "note",
      .points = {{{0, 0}, 0, false, "<b>&\"\x01"}, {{1, 1}, 9, true, "다른"}, {{2, 0}, -1, false, "x"}},
      .themes = {{0, "이름", 5, {0, 0}}, {9, "other", 7, {1, 1}}}};
  const auto svg = map_svg(picture);
  EXPECT_EQ(count(svg, "<g>"), 3U);
  EXPECT_EQ(count(svg, "class=\"cross\" d="), 2U);  // The point, and the legend.
  EXPECT_EQ(count(svg, "이름"), 2U);                // On the map, and in the legend.
  EXPECT_NE(svg.find("<title>&lt;b&gt;&amp;&quot; </title>"), std::string::npos);
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_EQ(svg.find('\x01'), std::string::npos);
  EXPECT_NE(svg.find("class=\"c1 edge\" points="), std::string::npos);  // Cluster 9: the second colour, a square.
  EXPECT_NE(svg.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_LT(svg.find("other</text>"), svg.find("이름</text>"));  // The larger theme's name is placed first.
  EXPECT_EQ(svg, map_svg(picture));
}

TEST(MapSvg, LeavesOutNamesThatWouldCoverOthers) {
  MapPicture picture{.title = "", .note = "", .points = {{{0, 0}, 0, false, ""}, {{9, 9}, 0, false, ""}}, .themes = {}};
  for (std::int32_t i = 0; i < 50; ++i) picture.themes.push_back({i, "이름이 꽤 긴 주제", 100 - i, {5, 5}});
  const auto svg = map_svg(picture);
  EXPECT_EQ(count(svg, "class=\"ink name\""), 6U);
  EXPECT_NE(svg.find("17 more"), std::string::npos);
}

TEST(MapSvg, OfNothingIsAPicture) { EXPECT_EQ(count(map_svg({}), "</svg>"), 1U); }

}  // namespace
}  // namespace onggi::cluster
