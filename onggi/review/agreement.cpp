#include "onggi/review/agreement.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "onggi/core/json.h"
#include "onggi/review/answer_form.h"

namespace onggi::review {
namespace {

using Values = std::vector<std::string>;

double distance_of(const Values& a, const Values& b, Distance distance) {
  if (a == b) return 0;
  if (distance == Distance::kNominal) return 1;
  Values shared;
  std::ranges::set_intersection(a, b, std::back_inserter(shared));
  return 1 - static_cast<double>(shared.size()) / static_cast<double>(a.size() + b.size() - shared.size());
}

const Rating* rating_of(const Unit& unit, std::string_view person) {
  const auto found = std::ranges::find(unit, person, &Rating::person);
  return found == unit.end() ? nullptr : &*found;
}

/// Share of a unit's pairs that agree.
double agreeing_pairs(const Unit& unit) {
  std::map<Values, std::int64_t> counts;
  for (const auto& rating : unit) ++counts[rating.values];
  double same = 0;
  for (const auto& [values, count] : counts) same += static_cast<double>(count * (count - 1));
  return same / static_cast<double>(unit.size() * (unit.size() - 1));
}

bool is_pair(const Unit& unit) { return unit.size() >= 2; }

constexpr double kZ = 1.959963984540054;  // 97.5 % point of the normal distribution.

double wilson_width(double share, double n) {
  return 2 * kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
}

}  // namespace

std::optional<double> percent_agreement(std::span<const Unit> units) {
  double sum = 0, num = 0;
  for (const auto& unit : units) {
    if (!is_pair(unit)) continue;
    sum += agreeing_pairs(unit);
    num += 1;
  }
  return num == 0 ? std::nullopt : std::optional(sum / num);
}

std::optional<double> cohen_kappa(std::span<const Unit> units, std::string_view a, std::string_view b) {
  double num = 0, same = 0;
  std::map<Values, std::pair<double, double>> margins;
  for (const auto& unit : units) {
    const Rating *x = rating_of(unit, a), *y = rating_of(unit, b);
    if (x == nullptr || y == nullptr) continue;
    num += 1;
    same += x->values == y->values;
    margins[x->values].first += 1;
    margins[y->values].second += 1;
  }
  double expected = 0;
  for (const auto& [values, margin] : margins) expected += margin.first * margin.second;
  if (num == 0 || expected == num * num) return std::nullopt;
  return (same / num - expected / (num * num)) / (1 - expected / (num * num));
}

std::optional<double> fleiss_kappa(std::span<const Unit> units) {
  std::map<Values, double> shares;
  double num_ratings = 0, sum = 0, num = 0;
  std::size_t size = 0;
  for (const auto& unit : units) {
    if (!is_pair(unit)) continue;
    if (size != 0 && unit.size() != size) return std::nullopt;
    size = unit.size();
    for (const auto& rating : unit) shares[rating.values] += 1;
    num_ratings += static_cast<double>(size);
    sum += agreeing_pairs(unit);
    num += 1;
  }
  double expected = 0;
  for (const auto& [values, count] : shares) expected += (count / num_ratings) * (count / num_ratings);
  if (num == 0 || shares.size() < 2) return std::nullopt;
  return (sum / num - expected) / (1 - expected);
}

std::optional<double> krippendorff_alpha(std::span<const Unit> units, Distance distance) {
  std::map<Values, double> totals;  // n_c
  double observed = 0, num = 0;
  std::int64_t num_units = 0;
  for (const auto& unit : units) {
    if (!is_pair(unit)) continue;
    ++num_units;
    const double weight = 1 / static_cast<double>(unit.size() - 1);
    std::map<Values, double> counts;
    for (const auto& rating : unit) counts[rating.values] += 1;
    for (const auto& [a, count_a] : counts) {
      totals[a] += count_a;
      num += count_a;
      for (const auto& [b, count_b] : counts) observed += count_a * count_b * weight * distance_of(a, b, distance);
    }
  }
  double expected = distance == Distance::kNominal ? num * num : 0;
  for (const auto& [a, count_a] : totals) {
    if (distance == Distance::kNominal) {
      expected -= count_a * count_a;
      continue;
    }
    for (const auto& [b, count_b] : totals) expected += count_a * count_b * distance_of(a, b, distance);
  }
  if (num_units < 2 || expected == 0) return std::nullopt;
  return 1 - (num - 1) * observed / expected;
}

Share wilson(std::int64_t num_hits, std::int64_t num) {
  if (num == 0) return {};
  const double n = static_cast<double>(num), share = static_cast<double>(num_hits) / n;
  const double middle = (share + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n), half = wilson_width(share, n) / 2;
  return {share, std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::int64_t labels_left(std::int64_t num_hits, std::int64_t num, std::int64_t num_open, double width) {
  const double share = num == 0 ? 0.5 : static_cast<double>(num_hits) / static_cast<double>(num);
  const auto is_narrow = [&](std::int64_t n) { return n > 0 && wilson_width(share, static_cast<double>(n)) < width; };
  if (is_narrow(num)) return 0;
  if (num_open == 0 || !is_narrow(num + num_open)) return num_open;
  std::int64_t low = num, high = num + num_open;  // The width falls with every label.
  while (low + 1 < high) {
    const std::int64_t middle = low + (high - low) / 2;
    (is_narrow(middle) ? high : low) = middle;
  }
  return high - num;
}

std::vector<FieldAgreement> agreement(const State& state, AnswerKind kind) {
  std::vector<std::string> order = {"verdict"};
  std::map<std::string, std::vector<Unit>> units;
  std::set<std::string> people;
  for (const auto& item : state.items()) {
    if (item.log.size() < 2) continue;
    const auto opinions = item.opinions();
    if (opinions.size() < 2) continue;
    std::map<std::string, Unit> fields;
    for (const Event* e : opinions) {
      people.insert(e->person);
      const bool is_kept = e->action != Action::kReject;
      fields["verdict"].push_back({e->person, {is_kept ? "kept" : "rejected"}});
      if (!is_kept) continue;
      for (auto& field : answer_fields(kind, parse_json(e->answer, e->id))) {
        if (std::ranges::find(order, field.name) == order.end()) order.push_back(field.name);
        fields[field.name].push_back({e->person, std::move(field.values)});
      }
    }
    for (auto& [name, unit] : fields) {
      if (is_pair(unit)) units[name].push_back(std::move(unit));
    }
  }
  std::vector<FieldAgreement> all;
  for (const auto& name : order) {
    const auto& of_field = units[name];
    const bool is_set = kind == AnswerKind::kThemes && name == "aspects";
    all.push_back({.field = name,
                   .num_units = static_cast<std::int64_t>(of_field.size()),
                   .percent = percent_agreement(of_field),
                   .alpha = krippendorff_alpha(of_field, is_set ? Distance::kJaccard : Distance::kNominal),
                   .kappa = people.size() == 2 ? cohen_kappa(of_field, *people.begin(), *people.rbegin())
                                               : fleiss_kappa(of_field)});
  }
  return all;
}

}  // namespace onggi::review
