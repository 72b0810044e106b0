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

using Samples = std::vector<const runtime::Answer*>;

/// A card as the most probable sample with its name and entity writes it.
struct Wording {
  datasets::Card card;
  double log_probability = 0.0;
};

struct NameVotes {
  int count = 0;       ///< Samples with a card of this name.
  double order = 0.0;  ///< Sum of its places in them.
  std::map<std::string, Wording> wordings;  ///< By entity.
};

struct Votes {
  std::map<std::string, NameVotes> names;
  std::map<std::string, int> entities;  ///< Samples with a card of this entity.
  std::size_t most_cards = 0;           ///< Of one sample.
};

double log_share(double sum, double count) { return sum > 0.0 ? std::log(sum / count) : 0.0; }

runtime::Answer majority(const Samples& samples) {
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
std::optional<Votes> count_cards(const Samples& samples) {
  Votes votes;
  for (const auto* sample : samples) {
    const auto cards = datasets::parse_cards(sample->text);
    if (!cards) return std::nullopt;
    votes.most_cards = std::max(votes.most_cards, cards->size());
    std::set<std::string_view> names, entities;
    for (std::size_t i = 0; i < cards->size(); ++i) {
      const auto& card = (*cards)[i];
      if (entities.insert(card.entity).second) ++votes.entities[card.entity];
      auto& name = votes.names[card.name];
      if (names.insert(card.name).second) {
        ++name.count;
        name.order += static_cast<double>(i);
      }
      const auto [wording, is_new] = name.wordings.try_emplace(card.entity, Wording{card, sample->log_probability});
      if (!is_new && sample->log_probability > wording->second.log_probability) wording->second = {card, sample->log_probability};
    }
  }
  return votes;
}

/// Joins the samples' shares with the second reader's opinion.
class Pool {
 public:
  Pool(const ConsensusOptions& options, const Votes& votes, std::size_t num_samples)
      : opinion_(options.opinion), weight_(opinion_ ? options.opinion_weight : 0.0), votes_(votes), num_samples_(static_cast<double>(num_samples)) {
    for (const auto& [entity, count] : votes.entities) entity_votes_ += count;
  }

  double name(const std::string& text) const { return belief(votes_.names.at(text).count / num_samples_, opinion_ ? &opinion_->names : nullptr, text); }
  /// Given that there is a card: samples without any say nothing of the entity.
  double entity(const std::string& text) const { return belief(votes_.entities.at(text) / entity_votes_, opinion_ ? &opinion_->entities : nullptr, text); }

 private:
  double belief(double share, const std::map<std::string, double, std::less<>>* opinions, const std::string& text) const {
    if (opinions == nullptr) return share;
    const auto opinion = opinions->find(text);
    return (1.0 - weight_) * share + weight_ * (opinion == opinions->end() ? 0.0 : opinion->second);
  }

  const eval::RuleExtractor::Opinion* opinion_;
  double weight_;
  const Votes& votes_;
  double num_samples_, entity_votes_ = 0.0;
};

struct Choice {
  Wording wording;
  double belief = 0.0;
  double place = 0.0;  ///< Mean place among the cards.
};

const Wording& best_wording(const NameVotes& name, const Pool& pool) {
  const Wording* best = nullptr;
  double best_belief = 0.0;
  for (const auto& [entity, wording] : name.wordings) {
    const double belief = pool.entity(entity);
    if (best == nullptr || belief > best_belief || (belief == best_belief && wording.log_probability > best->log_probability)) {
      best = &wording;
      best_belief = belief;
    }
  }
  return *best;
}

std::vector<Choice> choose_cards(const Votes& votes, const Pool& pool, const ConsensusOptions& options) {
  constexpr double kRounding = 1e-9;  // a share of 0.3 is reached by 3 of 10
  std::vector<Choice> choices;
  for (const auto& [text, name] : votes.names) {
    const double belief = pool.name(text);
    if (belief + kRounding >= options.least_share) choices.push_back({best_wording(name, pool), belief, name.order / name.count});
  }
  std::ranges::stable_sort(choices, [](const Choice& a, const Choice& b) {
    return a.belief != b.belief ? a.belief > b.belief : a.wording.log_probability > b.wording.log_probability;
  });
  choices.resize(std::min(choices.size(), votes.most_cards));
  std::ranges::stable_sort(choices, {}, &Choice::place);
  return choices;
}

}  // namespace

runtime::Answer consensus(std::span<const runtime::Answer> samples, const ConsensusOptions& options) {
  Samples complete;
  for (const auto& sample : samples) {
    if (sample.complete) complete.push_back(&sample);
  }
  if (complete.empty()) return samples.front();
  const auto votes = options.are_cards ? count_cards(complete) : std::nullopt;
  if (!votes) return majority(complete);

  std::vector<datasets::Card> cards;
  double beliefs = 0.0;
  for (auto& choice : choose_cards(*votes, Pool(options, *votes, complete.size()), options)) {
    beliefs += choice.belief;
    cards.push_back(std::move(choice.wording.card));
  }
  runtime::Answer answer;
  answer.index = complete.front()->index;
  answer.complete = true;
  answer.text = datasets::cards_answer(cards);
  const auto num_empty = static_cast<double>(std::ranges::count_if(complete, [&](const auto* s) { return s->text == answer.text; }));
  answer.log_probability = cards.empty() ? log_share(num_empty, static_cast<double>(complete.size())) : log_share(beliefs, static_cast<double>(cards.size()));
  return answer;
}

}  // namespace onggi::tasks
