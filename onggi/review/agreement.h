#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/review/records.h"
#include "onggi/review/state.h"

namespace onggi::review {

/// What one person said of one unit: a set of values, of one in most cases.
struct Rating {
  std::string person;
  std::vector<std::string> values;  ///< Ascending, none twice.
};
/// Independent ratings of the same thing, one a person.
using Unit = std::vector<Rating>;

enum class Distance {
  kNominal,  ///< 1 where the sets differ.
  kJaccard,  ///< 1 - shared values / all values of both; 0 for two empty sets.
};

/// Share of pairs of people that agree, a unit's pairs together counting once. Nothing without a unit of two.
std::optional<double> percent_agreement(std::span<const Unit> units);
/// Cohen 1960, of two people's ratings. Units without both of them are passed over. Nothing where it is undefined: no
/// unit, or one and the same value everywhere.
std::optional<double> cohen_kappa(std::span<const Unit> units, std::string_view a, std::string_view b);
/// Fleiss 1971. Nothing where units have different numbers of ratings, or where it is undefined.
std::optional<double> fleiss_kappa(std::span<const Unit> units);
/// Krippendorff 2011, any number of people and missing ratings. Nothing where it is undefined: fewer than two units, or
/// one and the same value everywhere.
std::optional<double> krippendorff_alpha(std::span<const Unit> units, Distance distance = Distance::kNominal);

/// Wilson's interval of a share (Wilson 1927): `num_hits` of `num`, at 95 %.
struct Share {
  double value = 0, low = 0, high = 1;
};
Share wilson(std::int64_t num_hits, std::int64_t num);
/// How many more are to be judged until the 95 % interval of the share is narrower than `width`, if the share stays as
/// it is (without one yet: as at a half); at most the `num_open` that there are, since then it is known.
std::int64_t labels_left(std::int64_t num_hits, std::int64_t num, std::int64_t num_open, double width);

/// How far people agree about a field of answers, over items that more than one has judged.
struct FieldAgreement {
  std::string field;  ///< "verdict": kept or rejected; the others as answer_fields names them, where both kept it.
  std::int64_t num_units = 0;
  std::optional<double> percent, alpha, kappa;  ///< kappa: Cohen's with two people in all, else Fleiss's.
};
std::vector<FieldAgreement> agreement(const State& state, AnswerKind kind);

/// How one person did on the gold items.
struct GoldScore {
  std::string person;
  std::int64_t num = 0, right = 0;
};

}  // namespace onggi::review
