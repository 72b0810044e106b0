#include "onggi/tasks/doubt/noise_study.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace onggi::tasks {
namespace {

/// Of some planted noise, how much was found.
struct Found {
  double found = 0, planted = 0;
  double share() const { return planted > 0 ? found / planted : 0; }
};

struct Tally {
  std::map<std::string, Found> groups;
  std::array<Found, kNoiseKinds.size()> kinds;
  std::vector<double> seeds;
  double precision_sum = 0;
};

double average_precision(const std::vector<Ranked>& queue, const std::vector<std::optional<NoiseKind>>& planted) {
  double hits = 0, sum = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (planted[queue[i].row]) sum += ++hits / static_cast<double>(i + 1);
  }
  return hits > 0 ? sum / hits : 0;
}

void count(std::span<const DoubtRow> rows, const std::vector<Ranked>& queue,
           const std::vector<std::optional<NoiseKind>>& planted, double begin, Tally& tally) {
  const auto end = static_cast<std::size_t>(std::llround(begin * static_cast<double>(queue.size())));
  Found all;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto kind = planted[queue[i].row];
    if (!kind) continue;
    for (Found* found :
         {&all, &tally.groups[rows[queue[i].row].group], &tally.kinds[static_cast<std::size_t>(*kind)]}) {
      found->planted += 1;
      found->found += i < end ? 1 : 0;
    }
  }
  tally.seeds.push_back(all.share());
  tally.precision_sum += average_precision(queue, planted);
}

NoiseStudy::Cell cell_of(const Tally& tally) {
  NoiseStudy::Cell cell;
  std::vector<Found> groups;
  for (const auto& [name, found] : tally.groups) groups.push_back(found);
  const auto share = [&](std::span<const std::uint32_t> drawn) {
    Found sum;
    for (const auto g : drawn) sum.found += groups[g].found, sum.planted += groups[g].planted;
    return std::vector<double>{sum.share()};
  };
  cell.found = eval::bootstrap(groups.size(), share, {}).front();
  cell.num_seeds = static_cast<int>(tally.seeds.size());
  cell.least = std::ranges::min(tally.seeds);
  cell.most = std::ranges::max(tally.seeds);
  cell.average_precision = tally.precision_sum / static_cast<double>(tally.seeds.size());
  for (std::size_t k = 0; k < cell.by_kind.size(); ++k) cell.by_kind[k] = tally.kinds[k].share();
  return cell;
}

std::string line_of(const NoiseStudy::Cell& cell) {
  char text[240];
  std::snprintf(text, sizeof text, "%-14s %5.0f%%  %5.1f%% [%4.1f, %4.1f]  %4.1f to %4.1f  %5.3f ", cell.method.c_str(),
                100 * cell.share, 100 * cell.found.value, 100 * cell.found.low, 100 * cell.found.high, 100 * cell.least,
                100 * cell.most, cell.average_precision);
  std::string line = text;
  for (std::size_t k = 0; k < cell.by_kind.size(); ++k) {
    std::snprintf(text, sizeof text, "  %4.1f", 100 * cell.by_kind[k]);
    line += text;
  }
  return line + "\n";
}

std::string head_of(double begin) {
  char text[160];
  std::snprintf(text, sizeof text,
                "planted noise in the first %.0f%% of the queue, in %%\nmethod         share  found [95%% by groups]  "
                "over seeds   AP    ",
                100 * begin);
  std::string head = text;
  for (const NoiseKind kind : kNoiseKinds) head += "  " + std::string(noise_name(kind));
  return head + "\n";
}

}  // namespace

Json NoiseStudy::to_json() const {
  Json list = Json::array();
  for (const auto& cell : cells) {
    Json kinds;
    for (const NoiseKind kind : kNoiseKinds)
      kinds[std::string(noise_name(kind))] = cell.by_kind[static_cast<std::size_t>(kind)];
    list.push_back({{"method", cell.method},
                    {"share", cell.share},
                    {"seeds", cell.num_seeds},
                    {"begin", cell.begin},
                    {"found", cell.found.value},
                    {"low", cell.found.low},
                    {"high", cell.found.high},
                    {"least", cell.least},
                    {"most", cell.most},
                    {"average_precision", cell.average_precision},
                    {"by_kind", std::move(kinds)}});
  }
  return {{"cells", std::move(list)}};
}

std::string NoiseStudy::to_text() const {
  std::string text = head_of(cells.empty() ? 0 : cells.front().begin);
  for (const auto& cell : cells) text += line_of(cell);
  return text;
}

NoiseStudy study_noise(std::span<const DoubtRow> rows, const NoiseStudyOptions& options, const RankOptions& rank,
                       ThreadPool& pool, const std::function<void(std::string_view)>& show) {
  NoiseStudy study;
  if (show) show(head_of(options.begin));
  for (const auto& method : options.methods) {
    for (const double share : options.shares) {
      Tally tally;
      for (int seed = 1; seed <= options.num_seeds; ++seed) {
        RankOptions how = rank;
        how.method = method;
        const auto judge = [&](std::span<const NoiseKind> planted_kinds, std::span<const NoiseKind> learnt_kinds,
                               double planted_share) {
          std::vector<DoubtRow> spoilt(rows.begin(), rows.end());
          const auto planted = plant_noise(spoilt, planted_share, planted_kinds, static_cast<std::uint64_t>(seed));
          count(spoilt, rank_rows(spoilt, how, pool, learnt_kinds), planted, options.begin, tally);
        };
        if (!options.leave_one_out) {
          judge(kNoiseKinds, kNoiseKinds, share);
          continue;
        }
        for (const NoiseKind kind : kNoiseKinds) {
          std::vector<NoiseKind> others;
          for (const NoiseKind other : kNoiseKinds) {
            if (other != kind) others.push_back(other);
          }
          judge(std::span(&kind, 1), others, share);
        }
      }
      auto cell = cell_of(tally);
      cell.method = method + (options.leave_one_out ? "-unseen" : "");
      cell.share = share;
      cell.begin = options.begin;
      study.cells.push_back(std::move(cell));
      if (show) show(line_of(study.cells.back()));
    }
  }
  return study;
}

}  // namespace onggi::tasks
