#include "onggi/tasks/doubt/signals.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/tasks/doubt/reader.h"
#include "onggi/tasks/label/nearest.h"

namespace onggi::tasks {
namespace {

using eval::Card;

std::size_t fold_of(const std::string& group, int num_folds) {
  return std::stoull(sha256_hex("doubt:" + group).substr(0, 8), nullptr, 16) % static_cast<std::size_t>(num_folds);
}

std::vector<PreparedRow> prepare_all(std::span<const DoubtRow> rows, const GramWeights& weights, ThreadPool& pool) {
  std::vector<PreparedRow> prepared(rows.size());
  pool.run(static_cast<std::int64_t>(rows.size()), [&](std::int64_t task, int) {
    const auto i = static_cast<std::size_t>(task);
    prepared[i] = prepare_row(rows[i].row, weights);
  });
  return prepared;
}

std::vector<Reading> read_all(std::span<const DoubtRow> rows, std::span<const PreparedRow> prepared,
                              std::span<const std::string> names, const DoubtOptions& options,
                              const std::vector<bool>& distrusted, ThreadPool& pool) {
  std::vector<Reading> readings(rows.size());
  std::vector<std::size_t> folds;
  for (const auto& row : rows) folds.push_back(fold_of(row.group, options.folds));
  pool.run(options.folds, [&](std::int64_t fold, int) {
    std::vector<const PreparedRow*> others;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (folds[i] == static_cast<std::size_t>(fold) || (!distrusted.empty() && distrusted[i])) continue;
      others.push_back(&prepared[i]);
    }
    const auto reader = DoubtReader::fit(others, names, options.seed);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (folds[i] == static_cast<std::size_t>(fold)) readings[i] = reader.read(prepared[i]);
    }
  });
  return readings;
}

/// Of each theme, row after row: the share, by likeness, of the most alike expressions of other groups with its aspect.
std::vector<std::vector<double>> find_phrases(std::span<const DoubtRow> rows, const DoubtOptions& options,
                                              ThreadPool& pool) {
  std::vector<std::string> texts;
  std::vector<std::pair<std::size_t, const Card*>> themes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& card : rows[i].row.gold) {
      texts.push_back(card.expression);
      themes.emplace_back(i, &card);
    }
  }
  const NearestTexts nearest(texts);
  std::vector<std::vector<double>> shares(rows.size());
  std::vector<std::size_t> first(rows.size());
  for (std::size_t t = 0; t < themes.size(); ++t) {
    if (shares[themes[t].first].empty()) first[themes[t].first] = t;
    shares[themes[t].first].push_back(0);
  }
  pool.run(static_cast<std::int64_t>(themes.size()), [&](std::int64_t task, int) {
    const auto t = static_cast<std::size_t>(task);
    const auto [row, card] = themes[t];
    const auto hits =
        nearest.find(texts[t], static_cast<std::size_t>(options.neighbours),
                     [&, row = row](std::size_t j) { return rows[themes[j].first].group != rows[row].group; });
    double same = 0, all = 1e-9;
    for (const auto& hit : hits) {
      const double weight = hit.similarity * hit.similarity;
      all += weight;
      if (themes[hit.index].second->name == card->name) same += weight;
    }
    shares[row][t - first[row]] = same / all;
  });
  return shares;
}

/// The aspects of the nearest reviews that are of other groups: the share of them that has each, and no theme at all.
struct Neighbours {
  std::map<std::string, double, std::less<>> aspects;
  double empty = 0, entropy = 0;
};

std::vector<Neighbours> find_neighbours(std::span<const DoubtRow> rows, const DoubtOptions& options, ThreadPool& pool) {
  std::vector<std::string> texts;
  for (const auto& row : rows) texts.push_back(row.row.category + "\n" + row.row.review);
  const NearestTexts nearest(texts);
  std::vector<Neighbours> all(rows.size());
  pool.run(static_cast<std::int64_t>(rows.size()), [&](std::int64_t task, int) {
    const auto i = static_cast<std::size_t>(task);
    const auto hits = nearest.find(texts[i], static_cast<std::size_t>(options.neighbours),
                                   [&](std::size_t j) { return rows[j].group != rows[i].group; });
    if (hits.empty()) return;
    double total = 0;
    for (const auto& hit : hits) {
      const auto& gold = rows[hit.index].row.gold;
      std::set<std::string_view> names;
      for (const auto& card : gold) names.insert(card.name);
      for (const auto name : names) all[i].aspects[std::string(name)] += 1.0 / static_cast<double>(hits.size());
      if (names.empty()) all[i].empty += 1.0 / static_cast<double>(hits.size());
      total += std::max(1.0, static_cast<double>(names.size()));
    }
    const auto add = [&](double share) {
      const double p = share * static_cast<double>(hits.size()) / total;
      if (p > 0) all[i].entropy -= p * std::log(p);
    };
    for (const auto& [name, share] : all[i].aspects) add(share);
    add(all[i].empty);
    all[i].entropy /= std::log(static_cast<double>(options.neighbours) * 3.0);
  });
  return all;
}

/// Of the group's themes: entity to number.
using Entities = std::map<std::string, std::map<std::string, int>>;

Entities count_entities(std::span<const DoubtRow> rows) {
  Entities entities;
  for (const auto& row : rows) {
    for (const auto& card : row.row.gold) ++entities[row.group][card.entity];
  }
  return entities;
}

/// Of a category: how many groups have each aspect.
using Habits = std::map<std::string, std::map<std::string, std::set<std::string>>>;

Habits count_habits(std::span<const DoubtRow> rows) {
  Habits habits;
  for (const auto& row : rows) {
    for (const auto& card : row.row.gold) habits[row.row.category][card.name].insert(row.group);
  }
  return habits;
}

class RowDoubts {
 public:
  RowDoubts(const DoubtRow& row, const PreparedRow& prepared, const Reading& reading,
            std::span<const std::string> names)
      : row_(row), prepared_(prepared), reading_(reading), names_(names) {}

  void note(Signal signal, double value, const std::string& about) {
    const auto s = static_cast<std::size_t>(signal);
    if (value <= doubts_.values[s]) return;
    doubts_.values[s] = std::clamp(value, 0.0, 1.0);
    doubts_.about[s] = about;
  }

  void read_themes(const std::map<std::string, int>& peers, const GramWeights& weights,
                   const std::vector<double>& phrases, const std::map<std::string, std::set<std::string>>& habits) {
    std::map<std::string, int> own;
    for (const auto& card : row_.row.gold) ++own[card.entity];
    for (std::size_t t = 0; t < row_.row.gold.size(); ++t) {
      const Card& card = row_.row.gold[t];
      const std::string about = datasets::card_text(card);
      read_aspect(t, about);
      read_entity(card, about, peers, own);
      const auto faults = eval::card_faults(card, row_.row.product, names_);
      note(Signal::kForm, std::min(1.0, static_cast<double>(faults.size()) / 2.0), about);
      note(Signal::kGrounding, 1.0 - weights.shared(card.expression, row_.row.review), about);
      note(Signal::kPhrases, 1.0 - phrases[t], about);
      double most = 1, own_count = 0;
      for (const auto& [name, groups] : habits) {
        const double count = static_cast<double>(groups.size()) - (groups.contains(row_.group) ? 1.0 : 0.0);
        most = std::max(most, count);
        if (name == card.name) own_count = count;
      }
      note(Signal::kHabit, 1.0 - own_count / most, about);
    }
    note(Signal::kReview, row_.row.gold.empty() ? reading_.review : 1.0 - reading_.review, {});
  }

  /// Belief in each name, from all clauses, and from those that no given theme was written from.
  void read_clauses(std::vector<double>& beliefs) {
    constexpr double kWrittenFrom = 0.25;
    std::set<std::size_t> used;
    for (std::size_t t = 0; t < prepared_.sources.size(); ++t) {
      if (prepared_.source_shares[t] >= kWrittenFrom) used.insert(prepared_.sources[t]);
    }
    beliefs.assign(names_.size(), 0.0);
    double unread = 0;
    for (std::size_t c = 0; c < reading_.clauses.size(); ++c) {
      double some = 0;
      for (std::size_t a = 0; a < names_.size(); ++a) {
        const auto of_clause = static_cast<double>(reading_.clauses[c][a]);
        const double p = std::sqrt(of_clause * reading_.review);
        beliefs[a] = std::max(beliefs[a], p);
        some += of_clause;
        if (!used.contains(c) && !has(names_[a])) note(Signal::kMissing, p, names_[a]);
      }
      if (!used.contains(c)) unread += some * reading_.review;
    }
    note(Signal::kUnread, 1.0 - std::exp(-unread), {});
    for (std::size_t a = 0; a < names_.size(); ++a) {
      if (has(names_[a])) note(Signal::kInvented, 1.0 - beliefs[a], names_[a]);
    }
  }

  void read_neighbours(const Neighbours& neighbours) {
    for (const auto& card : row_.row.gold) {
      const auto found = neighbours.aspects.find(card.name);
      note(Signal::kNeighbours, 1.0 - (found == neighbours.aspects.end() ? 0.0 : found->second), card.name);
    }
    if (row_.row.gold.empty()) note(Signal::kNeighbours, 1.0 - neighbours.empty, {});
    note(Signal::kEntropy, neighbours.entropy, {});
    note(Signal::kDisagreement, row_.disagreement.value_or(0), {});
    note(Signal::kUnsure, 1.0 - row_.confidence.value_or(1), {});
  }

  bool has(const std::string& name) const {
    return std::ranges::find(row_.row.gold, name, &Card::name) != row_.row.gold.end();
  }
  Doubts take() { return std::move(doubts_); }

 private:
  void read_aspect(std::size_t t, const std::string& about) {
    const auto& aspects = reading_.themes[t];
    const auto given = static_cast<std::size_t>(std::ranges::find(names_, row_.row.gold[t].name) - names_.begin());
    double best_other = 0;
    for (std::size_t a = 0; a < aspects.size(); ++a) {
      if (a != given) best_other = std::max(best_other, static_cast<double>(aspects[a]));
    }
    const auto p = static_cast<double>(aspects[given]);
    note(Signal::kAspect, 1.0 - p, about);
    note(Signal::kMargin, 0.5 + (best_other - p) / 2.0, about);
    if (prepared_.source_shares[t] > 0) {
      const auto& of_clause = reading_.clauses[prepared_.sources[t]];
      double sum = 0, joint = 0, best = 0;
      for (std::size_t a = 0; a < aspects.size(); ++a) {
        const double both = std::sqrt(static_cast<double>(aspects[a]) * static_cast<double>(of_clause[a]));
        sum += both;
        (a == given ? joint : best) = a == given ? both : std::max(best, both);
      }
      if (sum > 0) note(Signal::kSource, 0.5 + (best - joint) / sum / 2.0, about);
    } else {
      note(Signal::kSource, 0.5 + (best_other - p) / 2.0, about);
    }
  }

  void read_entity(const Card& card, const std::string& about, const std::map<std::string, int>& peers,
                   const std::map<std::string, int>& own) {
    const auto entity = reading_.entities.find(card.entity);
    note(Signal::kEntity, 1.0 - (entity == reading_.entities.end() ? 0.0 : entity->second), about);
    int num_peers = 0, num_same = 0;
    for (const auto& [name, count] : peers) {
      const auto mine = own.find(name);
      const int others = count - (mine == own.end() ? 0 : mine->second);
      num_peers += others;
      if (name == card.entity) num_same += others;
    }
    if (num_peers > 0) note(Signal::kPeers, 1.0 - static_cast<double>(num_same) / num_peers, about);
  }

  const DoubtRow& row_;
  const PreparedRow& prepared_;
  const Reading& reading_;
  std::span<const std::string> names_;
  Doubts doubts_;
};

/// Confident learning on each aspect alone, as a label that a row has or not.
void judge_confidently(std::span<const DoubtRow> rows, std::span<const std::string> names,
                       const std::vector<std::vector<double>>& beliefs, std::vector<Doubts>& doubts) {
  for (std::size_t a = 0; a < names.size(); ++a) {
    double sums[2] = {0, 0};
    int counts[2] = {0, 0};
    std::vector<bool> has(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      has[i] = std::ranges::find(rows[i].row.gold, names[a], &Card::name) != rows[i].row.gold.end();
      sums[has[i]] += has[i] ? beliefs[i][a] : 1.0 - beliefs[i][a];
      ++counts[has[i]];
    }
    if (counts[0] == 0 || counts[1] == 0) continue;
    const double with = sums[1] / counts[1], without = sums[0] / counts[0];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (has[i] && 1.0 - beliefs[i][a] >= without) doubts[i].unlikely.push_back(names[a]);
      if (!has[i] && beliefs[i][a] >= with) doubts[i].missing.push_back(names[a]);
    }
  }
}

}  // namespace

std::string_view signal_name(Signal signal) {
  static constexpr std::array<std::string_view, kNumSignals> kNames = {
      "aspect",   "margin",  "source", "habit",  "entity",     "peers",   "form",         "grounding", "phrases",
      "invented", "missing", "review", "unread", "neighbours", "entropy", "disagreement", "unsure"};
  return kNames[static_cast<std::size_t>(signal)];
}

std::vector<Doubts> find_doubts(std::span<const DoubtRow> rows, const DoubtOptions& options, ThreadPool& pool,
                                const std::vector<bool>& distrusted) {
  std::vector<eval::ThemeRow> theme_rows;
  std::set<std::string_view> groups;
  for (const auto& row : rows) theme_rows.push_back(row.row), groups.insert(row.group);
  const auto names = eval::aspect_names(theme_rows);
  require(!names.empty(), "no row has a theme, so there is nothing to learn what a theme is from");
  require(groups.size() >= static_cast<std::size_t>(options.folds), [&] {
    return "there are " + std::to_string(groups.size()) + " groups, fewer than the " + std::to_string(options.folds) +
           " folds";
  });
  std::vector<std::string> reviews;
  for (const auto& row : rows) reviews.push_back(row.row.review);
  const GramWeights weights(reviews);
  const auto prepared = prepare_all(rows, weights, pool);
  const auto readings = read_all(rows, prepared, names, options, distrusted, pool);
  const auto neighbours = find_neighbours(rows, options, pool);
  const auto phrases = find_phrases(rows, options, pool);
  const auto entities = count_entities(rows);
  auto habits = count_habits(rows);
  std::vector<std::vector<double>> beliefs(rows.size());
  std::vector<Doubts> doubts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RowDoubts row(rows[i], prepared[i], readings[i], names);
    const auto peers = entities.find(rows[i].group);
    row.read_themes(peers == entities.end() ? std::map<std::string, int>() : peers->second, weights, phrases[i],
                    habits[rows[i].row.category]);
    row.read_clauses(beliefs[i]);
    row.read_neighbours(neighbours[i]);
    doubts.push_back(row.take());
  }
  judge_confidently(rows, names, beliefs, doubts);
  return doubts;
}

}  // namespace onggi::tasks
