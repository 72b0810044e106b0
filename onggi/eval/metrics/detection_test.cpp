#include "onggi/eval/metrics/detection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/eval/metrics/agreement.h"

namespace onggi::eval {
namespace {

TEST(Detection, AndAgreementAreThoseOfScikitLearn) {
  const auto path = std::filesystem::path(ONGGI_SOURCE_DIR) / "tests/golden/cluster/metrics.json";
  for (const auto& c : parse_json(read_file(path), path.string())) {
    const auto scores = c["scores"].get<std::vector<double>>();
    std::vector<bool> sought;
    for (const auto& flag : c["flags"]) sought.push_back(flag.get<int>() == 1);
    const auto found = detection(scores, sought);
    EXPECT_NEAR(found.auroc, c["auroc"].get<double>(), 1e-11);
    EXPECT_NEAR(found.average_precision, c["average_precision"].get<double>(), 1e-11);
    const auto cut = at_cut(scores, sought, c["cut"].get<double>());
    EXPECT_NEAR(cut.precision, c["precision"].get<double>(), 1e-11);
    EXPECT_NEAR(cut.recall, c["recall"].get<double>(), 1e-11);
    const auto both =
        agreement(c["truth"].get<std::vector<std::int32_t>>(), c["found"].get<std::vector<std::int32_t>>());
    EXPECT_NEAR(both.nmi, c["nmi"].get<double>(), 1e-11);
    EXPECT_NEAR(both.ari, c["ari"].get<double>(), 1e-11);
  }
}

TEST(Detection, NeedsBothKindsAndNumbers) {
  EXPECT_THROW(detection(std::vector<double>{1, 2}, {true, true}), Error);
  EXPECT_THROW(detection(std::vector<double>{1}, {true, false}), Error);
  EXPECT_THROW(detection(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()}, {true, false}), Error);
  EXPECT_EQ(at_cut(std::vector<double>{1, 2}, {false, true}, 5).precision, 0);
}

TEST(Agreement, OfOneClassAndOfStrangers) {
  const std::vector<std::int32_t> one = {3, 3, 3}, each = {0, 1, 2};
  EXPECT_EQ(agreement(one, one).nmi, 1);
  EXPECT_EQ(agreement(one, one).ari, 1);
  EXPECT_EQ(agreement(one, each).nmi, 0);
  EXPECT_EQ(agreement(each, each).ari, 1);
}

}  // namespace
}  // namespace onggi::eval
