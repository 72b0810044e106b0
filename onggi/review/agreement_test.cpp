#include "onggi/review/agreement.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "onggi/review/test_support.h"

namespace onggi::review {
namespace {

/// Units of ratings in columns: a text a person, '.' where there is none.
std::vector<Unit> units_of(std::span<const std::string_view> people) {
  std::vector<Unit> units(people[0].size());
  for (std::size_t p = 0; p < people.size(); ++p) {
    for (std::size_t i = 0; i < people[p].size(); ++i) {
      if (people[p][i] != '.')
        units[i].push_back({std::string(1, static_cast<char>('a' + p)), {std::string(1, people[p][i])}});
    }
  }
  return units;
}

TEST(Agreement, AlphaOfFourCodersIsTheKnownOne) {
  const std::array<std::string_view, 4> people = {"123321412...", "1233224125.3", ".3332342251.", "12332441251."};
  EXPECT_NEAR(*krippendorff_alpha(units_of(people)), 0.743421, 5e-7);
}

TEST(Agreement, KappaOfTheConfusionMatrixIsTheKnownOne) {
  std::string a, b;
  for (const auto& [x, y, count] : {std::tuple{'y', 'y', 20}, {'y', 'n', 5}, {'n', 'y', 10}, {'n', 'n', 15}}) {
    a.append(static_cast<std::size_t>(count), x);
    b.append(static_cast<std::size_t>(count), y);
  }
  const std::array<std::string_view, 2> people = {a, b};
  const auto units = units_of(people);
  EXPECT_NEAR(*cohen_kappa(units, "a", "b"), 0.4, 1e-12);
  EXPECT_NEAR(*percent_agreement(units), 0.7, 1e-12);
  // Scott's pi, which Fleiss's kappa is with two people: Pe = 0.55^2 + 0.45^2.
  EXPECT_NEAR(*fleiss_kappa(units), (0.7 - 0.505) / 0.495, 1e-12);
}

TEST(Agreement, FleissOfTenRatersIsTheKnownOne) {
  // The worked table of 14 raters, 10 subjects, 5 categories: kappa 0.210.
  static constexpr std::array<std::array<int, 5>, 10> kTable = {{{0, 0, 0, 0, 14},
                                                                 {0, 2, 6, 4, 2},
                                                                 {0, 0, 3, 5, 6},
                                                                 {0, 3, 9, 2, 0},
                                                                 {2, 2, 8, 1, 1},
                                                                 {7, 7, 0, 0, 0},
                                                                 {3, 2, 6, 3, 0},
                                                                 {2, 5, 3, 2, 2},
                                                                 {6, 5, 2, 1, 0},
                                                                 {0, 2, 2, 3, 7}}};
  std::vector<Unit> units;
  for (const auto& row : kTable) {
    Unit unit;
    for (std::size_t c = 0; c < row.size(); ++c) {
      for (int i = 0; i < row[c]; ++i) unit.push_back({"p" + std::to_string(unit.size()), {std::to_string(c)}});
    }
    units.push_back(unit);
  }
  EXPECT_NEAR(*fleiss_kappa(units), 0.210, 5e-4);
}

TEST(Agreement, WhatIsUndefinedIsNoNumber) {
  const std::array<std::string_view, 2> same = {"111", "111"};
  EXPECT_FALSE(cohen_kappa(units_of(same), "a", "b"));
  EXPECT_FALSE(fleiss_kappa(units_of(same)));
  EXPECT_FALSE(krippendorff_alpha(units_of(same)));
  EXPECT_EQ(percent_agreement(units_of(same)), 1.0);
  EXPECT_FALSE(percent_agreement({}));
  const std::array<std::string_view, 3> uneven = {"12", "12", "1."};
  EXPECT_FALSE(fleiss_kappa(units_of(uneven)));
  EXPECT_EQ(krippendorff_alpha(units_of(uneven)), 1.0);
}

TEST(Agreement, SetsThatShareSomethingAreNearerThanThoseThatShareNothing) {
  const auto unit = [](std::vector<std::string> a, std::vector<std::string> b) {
    return Unit{{"a", std::move(a)}, {"b", std::move(b)}};
  };
  const std::vector<Unit> near = {unit({"x", "y"}, {"x"}), unit({"z"}, {"z"}), unit({}, {})};
  const std::vector<Unit> far = {unit({"x", "y"}, {"w"}), unit({"z"}, {"z"}), unit({}, {})};
  EXPECT_GT(*krippendorff_alpha(near, Distance::kJaccard), *krippendorff_alpha(far, Distance::kJaccard));
  EXPECT_GT(*krippendorff_alpha(near, Distance::kJaccard), *krippendorff_alpha(near));
}

TEST(LabelsLeft, TheIntervalIsNarrowExactlyFromThereOn) {
  for (const auto& [hits, num] : {std::pair{0, 0}, {9, 10}, {70, 100}, {400, 800}}) {
    const auto left = labels_left(hits, num, 1'000'000, 0.05);
    const double share = num == 0 ? 0.5 : static_cast<double>(hits) / num;
    const auto width_at = [&](std::int64_t n) {
      // Wilson's width with a share that need not be one of n.
      const double z = 1.959963984540054, m = static_cast<double>(n);
      return 2 * z * std::sqrt(share * (1 - share) / m + z * z / (4 * m * m)) / (1 + z * z / m);
    };
    EXPECT_LT(width_at(num + left), 0.05);
    EXPECT_GE(width_at(num + left - 1), 0.05);
  }
  EXPECT_EQ(labels_left(50, 100, 7, 0.05), 7);
  EXPECT_EQ(labels_left(5000, 10'000, 500, 0.05), 0);
}

TEST(LabelsLeft, WilsonHasTheKnownEnds) {
  const auto share = wilson(8, 10);  // Wilson 1927: 0.4902 to 0.9433.
  EXPECT_NEAR(share.low, 0.490162, 1e-6);
  EXPECT_NEAR(share.high, 0.943318, 1e-6);
}

TEST(Agreement, OfAStateLooksAtWhatSeveralHaveJudged) {
  std::vector<Json> rows;
  for (int i = 0; i < 6; ++i) rows.push_back(testing::theme_row("r" + std::to_string(i)));
  testing::Office office(rows, {}, 1.0);
  for (const auto& key : office.keys("a", 6)) office.decide("a", key, "accept");
  const auto keys = office.keys("b", 6);
  for (std::size_t i = 0; i < 4; ++i) {
    if (i < 3)
      office.decide("b", keys[i], "accept");
    else
      office.decide("b", keys[i], "reject", {{"reason", 1}});
  }
  const auto all = agreement(office.desk->state(), AnswerKind::kThemes);
  EXPECT_EQ(all[0].field, "verdict");
  EXPECT_EQ(all[0].num_units, 4);
  EXPECT_NEAR(*all[0].percent, 0.75, 1e-12);
  EXPECT_EQ(all[1].field, "aspects");
  EXPECT_EQ(all[1].num_units, 3);
}

}  // namespace
}  // namespace onggi::review
