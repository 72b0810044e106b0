#include "onggi/eval/report/report.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/eval/report/html.h"

namespace onggi::eval {
namespace {

EvalResult small_result() {
  std::vector<ThemeRow> rows;
  System model{"model", {}}, empty{"always []", {}};
  for (int i = 0; i < 30; ++i) {
    const std::string id = std::to_string(i), product = "P" + std::to_string(i / 3) + " <b>크림</b>";
    std::vector<Card> gold;
    if (i % 4 != 0) gold.push_back({"크림", "잘 발리는", "a" + std::to_string(i % 25)});
    rows.push_back({id, product, "review & <script>alert(1)</script>", "cat", "5", gold});
    model.predictions.push_back(make_prediction(id, i == 7 ? "<img src=x>" : datasets::cards_answer(gold)));
    empty.predictions.push_back(make_prediction(id, "[]"));
  }
  const System systems[] = {model, empty};
  return evaluate_themes(rows, systems, {.bootstrap = {.num_resamples = 20}});
}

/// Every tag that opens is closed in order (void elements aside).
void expect_balanced(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const std::size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag.starts_with('!') || tag.ends_with('/') || name == "meta") continue;
    if (!tag.starts_with('/')) {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << tag;
      ASSERT_EQ(open.back(), tag.substr(1));
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(Report, IsOneSelfContainedPageThatEscapesItsData) {
  const Curves curves{.loss = {{1, 3.0}, {2, 2.0}, {3, 1.5}}, .eval_loss = {{1, 2.5}, {3, 1.7}}};
  const std::string html = report_html(small_result(), curves, {.title = "T <x>", .facts = {{"seed", "1"}}});
  expect_balanced(html);
  for (const char* outside : {"http:", "https:", "<script", "src=", "url(", "@import", "<link", "<img"}) {
    const std::size_t at = html.find(outside);
    // The invalid answer is shown, escaped.
    EXPECT_TRUE(at == std::string::npos || html.substr(at - 8, 8) == "&lt;img ") << outside;
  }
  for (const char* part : {"T &lt;x&gt;", "&lt;script&gt;", "training loss", "class=\"heat\"", "Examples, worst first",
                           "Theme cards", "not a valid answer", "prefers-color-scheme: dark", "always []"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
}

TEST(Report, LeavesOutWhatIsNotThere) {
  const std::string html = report_html(small_result(), {}, {});
  EXPECT_EQ(html.find("training loss"), std::string::npos);
  EXPECT_THROW(report_html({}, {}, {}), Error);
}

TEST(Report, CurvesSkipOtherLinesAndATornEnd) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "onggi_metrics.jsonl";
  write_file_atomic(path, "{\"step\":1,\"loss\":2.5,\"lr\":0.1}\n\n{\"note\":\"x\"}\n{\"step\":2,\"eval_loss\":2}\n{\"step\":3,\"lo");
  const Curves curves = read_curves(path);
  EXPECT_EQ(curves.loss, (Curve{{1, 2.5}}));
  EXPECT_EQ(curves.eval_loss, (Curve{{2, 2}}));
  write_file_atomic(path, "{\"step\":1,\n{}\n");
  EXPECT_THROW(read_curves(path), Error);
  std::filesystem::remove(path);
}

TEST(Report, CardsAreGroupedByProductAndAspectOnce) {
  const std::vector<CardRow> rows = {{"P <1>", "c", {{"크림", "잘 발리는", "발림성"}}},
                                     {"P <1>", "c", {{"크림", "잘 발리는", "발림성"}, {"크림", "향이 좋은", "향"}}}};
  const std::string html = cards_html(rows, "Cards");
  expect_balanced(html);
  EXPECT_EQ(html.find("잘 발리는"), html.rfind("잘 발리는"));
  EXPECT_NE(html.find("3 cards from 2 reviews"), std::string::npos);
  EXPECT_NE(html.find("P &lt;1&gt;"), std::string::npos);
}

TEST(Charts, NumbersStayInsideTheFrame) {
  const Bar bars[] = {{"a", {0.5, 0.4, 0.6}, true}, {"b", {2.0, 2.0, 2.0}}};
  const std::string html = bar_chart(bars, 1.0);
  EXPECT_NE(html.find("width=\"500\""), std::string::npos);
  EXPECT_NE(html.find("class=\"bar\" width=\"1000\""), std::string::npos);
  const Series flat[] = {{"flat", {{0, 1}, {5, 1}}}};
  EXPECT_NE(line_chart(flat, "step").find("M0 120L1000 120"), std::string::npos);
  const Series point[] = {{"point", {{0, 1}}}};
  EXPECT_EQ(line_chart(point, "step"), "");
}

}  // namespace
}  // namespace onggi::eval
