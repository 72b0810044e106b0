#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/recommend/off_policy.h"
#include "onggi/recommend/score_table.h"

namespace onggi::recommend {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

/// The number of an arm, which the log is given if it lacks it.
int arm_number(LoggedData& log, const std::string& name) {
  const auto it = std::ranges::find(log.arms, name);
  if (it != log.arms.end()) return static_cast<int>(it - log.arms.begin());
  log.arms.push_back(name);
  const auto number = static_cast<int>(log.arms.size()) - 1;
  // A log of CSV does not say what could be shown: whatever the policy knows could.
  if (log.candidate_sets.size() == 1) log.candidate_sets[0].push_back(number);
  return number;
}

double probability_of(const Json& value, const std::string& where, const std::string& name) {
  const bool is_good = value.is_number() && value.get<double>() >= 0.0 && std::isfinite(value.get<double>());
  require(
      is_good, [&] { return name + " is " + value.dump() + ", expected a number of at least 0"; },
      ErrorCode::kInvalidArgument, where);
  return value.get<double>();
}

using Weights = std::vector<std::vector<double>>;

Weights empty_weights(const LoggedData& log) {
  return Weights(static_cast<std::size_t>(log.num_slots), std::vector<double>(log.arms.size(), 0.0));
}

std::shared_ptr<const Policy> fixed(Weights weights) { return make_fixed_policy(std::move(weights))->freeze(); }

/// {"arm": probability} for all slots, or a list of them, one a slot.
std::shared_ptr<const Policy> read_probabilities(const Json& json, const std::string& where, LoggedData& log) {
  require(json.is_object() || json.is_array(), "probabilities: expected an object, or a list of one a slot",
          ErrorCode::kInvalidArgument, where);
  const std::vector<Json> slots = json.is_array() ? json.get<std::vector<Json>>() : std::vector<Json>{json};
  require(
      json.is_object() || static_cast<int>(slots.size()) == log.num_slots,
      [&] {
        return "probabilities has " + std::to_string(slots.size()) + " slots, the log " + std::to_string(log.num_slots);
      },
      ErrorCode::kInvalidArgument, where);
  std::vector<std::vector<std::pair<int, double>>> found;
  for (const Json& slot : slots) {
    require(slot.is_object() && !slot.empty(), "probabilities: expected objects of arms", ErrorCode::kInvalidArgument,
            where);
    found.emplace_back();
    double sum = 0.0;
    for (const auto& [name, value] : slot.items()) {
      found.back().emplace_back(arm_number(log, name), probability_of(value, where, name));
      sum += found.back().back().second;
    }
    require(
        std::abs(sum - 1.0) < 1e-3,
        [&] { return "the probabilities of a slot sum to " + Json(sum).dump() + ", expected 1"; },
        ErrorCode::kInvalidArgument, where);
  }
  Weights weights = empty_weights(log);
  for (std::size_t slot = 0; slot < weights.size(); ++slot)
    for (const auto& [arm, value] : found[std::min(slot, found.size() - 1)])
      weights[slot][static_cast<std::size_t>(arm)] = value;
  return fixed(std::move(weights));
}

/// {"arm": [clicks, misses]}: one draw of each posterior a page, the largest in the first slot, and so on.
std::shared_ptr<const Policy> read_ranked(const Json& json, const std::string& where, LoggedData& log) {
  require(json.is_object() && !json.empty(), "ranked_thompson: expected an object of arms", ErrorCode::kInvalidArgument,
          where);
  std::vector<int> arms;
  std::vector<Score> scores;
  for (const auto& [name, value] : json.items()) {
    const bool is_pair = value.is_array() && value.size() == 2 && value[0].is_number() && value[1].is_number() &&
                         value[0].get<double>() > 0.0 && value[1].get<double>() > 0.0;
    require(
        is_pair,
        [&, name = name, value = value] {
          return name + " is " + value.dump() + ", expected [clicks, misses], both more than 0";
        },
        ErrorCode::kInvalidArgument, where);
    arms.push_back(arm_number(log, name));
    const Beta beta{value[0].get<double>(), value[1].get<double>()};
    scores.push_back({std::make_shared<const ScoreTable>(ScoreTable::of_beta(beta))});
  }
  require(static_cast<int>(arms.size()) >= log.num_slots, "ranked_thompson: fewer arms than the log has slots",
          ErrorCode::kInvalidArgument, where);
  const auto ranks = rank_probabilities(scores, log.num_slots);
  Weights weights = empty_weights(log);
  for (std::size_t i = 0; i < arms.size(); ++i)
    for (std::size_t slot = 0; slot < weights.size(); ++slot)
      weights[slot][static_cast<std::size_t>(arms[i])] = ranks[i][slot];
  return fixed(std::move(weights));
}

}  // namespace

std::vector<LoggedImpression> take_lessons(LoggedData& log, double share) {
  const auto num_lessons = static_cast<std::ptrdiff_t>(share * static_cast<double>(log.rows.size()));
  require(share > 0.0 && share < 1.0 && num_lessons > 0, [&] {
    return "the share that teaches is " + Json(share).dump() + ", expected between 0 and 1, and some impressions";
  });
  std::vector<LoggedImpression> lessons(log.rows.begin(), log.rows.begin() + num_lessons);
  log.rows.erase(log.rows.begin(), log.rows.begin() + num_lessons);
  return lessons;
}

std::shared_ptr<const Policy> read_policy(const std::filesystem::path& path, LoggedData& log,
                                          std::span<const LoggedImpression> lessons) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path, kMaxBytes), where);
  require(json.is_object() && json.size() == 1,
          "expected an object with one of the members probabilities, ranked_thompson and spec",
          ErrorCode::kInvalidArgument, where);
  const auto member = json.begin();
  const std::string& name = member.key();
  const Json& value = member.value();
  if (name == "probabilities") return read_probabilities(value, where, log);
  if (name == "ranked_thompson") return read_ranked(value, where, log);
  require(
      name == "spec",
      [&] { return "there is no kind of policy \"" + name + "\", expected probabilities, ranked_thompson or spec"; },
      ErrorCode::kInvalidArgument, where);
  const PolicySpec spec = policy_spec(value, where);
  const auto policy = make_policy(spec);
  for (const auto& lesson : lessons)
    policy->observe({.arm = lesson.arm,
                     .slot = lesson.slot,
                     .clicks = lesson.reward,
                     .misses = 1.0 - lesson.reward,
                     .features = lesson.features});
  policy->close_batch();
  return policy->freeze();
}

std::shared_ptr<const Policy> frequency_policy(const LoggedData& other, LoggedData& log) {
  require(other.num_slots == log.num_slots, [&] {
    return "the logs have " + std::to_string(log.num_slots) + " and " + std::to_string(other.num_slots) + " slots";
  });
  std::vector<int> numbers;
  for (const auto& name : other.arms) numbers.push_back(arm_number(log, name));
  Weights weights = empty_weights(log);
  for (const auto& row : other.rows)
    weights[static_cast<std::size_t>(row.slot)][static_cast<std::size_t>(numbers[static_cast<std::size_t>(row.arm)])] +=
        1.0;
  return fixed(std::move(weights));
}

}  // namespace onggi::recommend
