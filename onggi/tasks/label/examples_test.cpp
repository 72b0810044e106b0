#include "onggi/tasks/label/examples.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"
#include "onggi/formats/npy.h"

namespace onggi::tasks {
namespace {

const std::string kLabelled =
    R"({"id":"a","product":"p1","review":"the cream smells good","label":"x"}
{"id":"b","product":"p2","review":"the cream smells bad","label":"x"}
{"id":"c","product":"p3","review":"a loud engine","label":"x"}
{"id":"d","product":"p1","review":"the cream smells so good","label":"x"}
)";

std::vector<std::string> ids_for(const NearestExamples& set, const std::string& row, std::size_t index = 0) {
  const auto rows = datasets::read_rows_text(row, "row");
  std::vector<std::string> ids;
  for (const auto* example : set.examples_for(rows[0], index)) ids.push_back(example->id);
  return ids;
}

using Ids = std::vector<std::string>;

TEST(NearestExamples, TheMostAlikeStandLastAndTheRowItselfNever) {
  const auto prompt = datasets::PromptTemplate::parse("{{review}}\n---answer---\n{{label}}\n", "p");
  const auto labelled = datasets::read_rows_text(kLabelled, "l");
  const NearestExamples plain(labelled, prompt, {.nearest = 2});
  EXPECT_EQ(ids_for(plain, R"({"id":"z","product":"p9","review":"cream that smells good"})"), (Ids{"d", "a"}));
  EXPECT_EQ(ids_for(plain, R"({"id":"a","product":"p9","review":"cream that smells good"})"), (Ids{"b", "d"}));
  EXPECT_EQ(ids_for(plain, R"({"id":"z","product":"p9","review":"the cream smells good"})"), (Ids{"b", "d"}))
      << "the same text";
  const NearestExamples grouped(labelled, prompt, {.nearest = 2, .group = "product"});
  EXPECT_EQ(ids_for(grouped, R"({"id":"z","product":"p1","review":"cream that smells good"})"), (Ids{"c", "b"}));
}

TEST(NearestExamples, VectorsDecideWhereThereAreSome) {
  const auto prompt = datasets::PromptTemplate::parse("{{review}}\n---answer---\n{{label}}\n", "p");
  NearestExamples set(datasets::read_rows_text(kLabelled, "l"), prompt, {.nearest = 1});
  const auto vectors = [](const std::vector<float>& values, std::int64_t rows) {
    return parse_npy(formats::npy_header(rows, 2) + formats::npy_bytes(values), "v");
  };
  EXPECT_THROW(set.use_vectors(vectors({1, 0}, 1), vectors({1, 0}, 1), 1), Error);
  EXPECT_THROW(set.use_vectors(vectors({1, 0, 0, 1, 1, 1, 2, 2}, 4), vectors({1, 0}, 1), 2), Error);
  set.use_vectors(vectors({1, 0, 0, 1, -1, 0, 2, 2}, 4), vectors({0, 5, -3, 0.1F}, 2), 2);
  const std::string row = R"({"id":"z","product":"p9","review":"cream that smells good"})";
  EXPECT_EQ(ids_for(set, row, 0), (Ids{"b"}));
  EXPECT_EQ(ids_for(set, row, 1), (Ids{"c"}));
}

TEST(Vectors, AFileThatIsNoMatrixIsRefused) {
  const std::string good = formats::npy_header(2, 2) + formats::npy_bytes(std::vector<float>{3, 4, 0, 0});
  const auto vectors = parse_npy(good, "v");
  EXPECT_EQ(vectors.rows(), 2U);
  EXPECT_FLOAT_EQ(vectors.row(0)[0], 0.6F);
  EXPECT_EQ(vectors.row(1)[0], 0.0F);
  for (std::size_t cut = 0; cut < good.size(); cut += 3)
    EXPECT_THROW((void)parse_npy(good.substr(0, cut), "v"), Error) << cut;
  EXPECT_THROW((void)parse_npy(good + "1234", "v"), Error);
  for (const auto& [from, to] : {std::pair("<f4", "<f8"), std::pair("False", "True "), std::pair("(2, 2)", "(4,  )"),
                                 std::pair("(2, 2)", "(2, 0)"), std::pair("(2, 2)", "(9, 2)")}) {
    std::string bad = good;
    bad.replace(bad.find(from), std::string(from).size(), to);
    EXPECT_THROW((void)parse_npy(bad, "v"), Error) << to;
  }
}

}  // namespace
}  // namespace onggi::tasks
