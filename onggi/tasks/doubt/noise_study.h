#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/eval/metrics/bootstrap.h"
#include "onggi/tasks/doubt/rank.h"

namespace onggi::tasks {

/// How much planted noise the beginning of the queue finds.
struct NoiseStudy {
  struct Cell {
    std::string method;
    double share = 0;  ///< Of the rows that were spoilt.
    int num_seeds = 0;
    double begin = 0;            ///< The part of the queue that is looked at.
    eval::Interval found;        ///< Share of the planted noise in it; the interval by bootstrap over groups.
    double least = 0, most = 0;  ///< Over seeds.
    double average_precision = 0;
    std::array<double, kNoiseKinds.size()> by_kind{};
  };
  std::vector<Cell> cells;

  Json to_json() const;
  std::string to_text() const;
};

struct NoiseStudyOptions {
  std::vector<double> shares = {0.1, 0.2, 0.3};
  std::vector<std::string> methods = {"plain", "learned"};
  int num_seeds = 10;
  double begin = 0.3;
  bool leave_one_out = false;  ///< Each kind of noise is found by weights that were learnt from the others alone.
};

/// Plants noise with seeds 1, 2 ..., ranks, and looks how much of it stands first. `show` gets a line a cell.
NoiseStudy study_noise(std::span<const DoubtRow> rows, const NoiseStudyOptions& options, const RankOptions& rank,
                       ThreadPool& pool, const std::function<void(std::string_view)>& show);

}  // namespace onggi::tasks
