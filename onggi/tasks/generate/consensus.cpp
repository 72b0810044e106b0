#include "onggi/tasks/generate/consensus.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "onggi/datasets/answers.h"

namespace onggi::tasks {
namespace {

/// Cards with one (entity, name) over all samples.
struct Vote {
  datasets::Card card;             ///< As the most probable sample writes it.
  double log_probability = 0.0;    ///< That sample's.
  int count = 0;
  double order = 0.0;              ///< Sum of positions.
};

double log_share(double sum, double count) { return sum > 0.0 ? std::log(sum / count) : 0.0; }

runtime::Answer majority(const std::vector<const runtime::Answer*>& samples) {
  std::map<std::string_view, int> counts;
  for (const auto* sample : samples) ++counts[sample->text];
  const runtime::Answer* best = samples.front();
  for (const auto* sample : samples) {
    const int gain = counts[sample->text] - counts[best->text];
    if (gain > 0 || (gain == 0 && sample->log_probability > best->log_probability)) best = sample;
  }
  runtime::Answer answer = *best;
  answer.log_probability = log_share(counts[best->text], static_cast<double>(samples.size()));
  return answer;
}

/// Nothing where a sample is no list of cards.
std::optional<std::vector<Vote>> count_cards(const std::vector<const runtime::Answer*>& samples) {
  std::map<std::pair<std::string, std::string>, Vote> votes;
  for (const auto* sample : samples) {
    const auto cards = datasets::parse_cards(sample->text);
    if (!cards) return std::nullopt;
    std::set<std::pair<std::string, std::string>> seen;
    for (std::size_t i = 0; i < cards->size(); ++i) {
      const auto& card = (*cards)[i];
      const std::pair key(card.entity, card.name);
      if (!seen.insert(key).second) continue;
      auto& vote = votes[key];
      if (vote.count == 0 || sample->log_probability > vote.log_probability) {
        vote.card = card;
        vote.log_probability = sample->log_probability;
      }
      ++vote.count;
      vote.order += static_cast<double>(i);
    }
  }
  std::vector<Vote> list;
  for (auto& [key, vote] : votes) list.push_back(std::move(vote));
  std::stable_sort(list.begin(), list.end(), [](const Vote& a, const Vote& b) {
    return a.count != b.count ? a.count > b.count : a.log_probability > b.log_probability;
  });
  return list;
}

}  // namespace

runtime::Answer consensus(std::span<const runtime::Answer> samples, bool are_cards, double least_share, std::size_t max_cards) {
  std::vector<const runtime::Answer*> complete;
  for (const auto& sample : samples) {
    if (sample.complete) complete.push_back(&sample);
  }
  if (complete.empty()) return samples.front();
  auto votes = are_cards ? count_cards(complete) : std::nullopt;
  if (!votes) return majority(complete);

  const auto num_samples = static_cast<double>(complete.size());
  std::vector<Vote> kept;
  double share_sum = 0.0;
  for (auto& vote : *votes) {
    if (kept.size() == max_cards || vote.count < least_share * num_samples) break;
    if (std::any_of(kept.begin(), kept.end(), [&](const Vote& k) { return k.card.name == vote.card.name; })) continue;
    share_sum += vote.count / num_samples;
    kept.push_back(std::move(vote));
  }
  std::stable_sort(kept.begin(), kept.end(), [](const Vote& a, const Vote& b) { return a.order / a.count < b.order / b.count; });
  std::vector<datasets::Card> cards;
  for (auto& vote : kept) cards.push_back(std::move(vote.card));

  runtime::Answer answer;
  answer.index = complete.front()->index;
  answer.complete = true;
  answer.text = datasets::cards_answer(cards);
  const auto num_empty = static_cast<double>(std::count_if(complete.begin(), complete.end(), [&](const auto* s) { return s->text == answer.text; }));
  answer.log_probability = cards.empty() ? log_share(num_empty, num_samples) : log_share(share_sum, static_cast<double>(cards.size()));
  return answer;
}

}  // namespace onggi::tasks
