#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

#include "onggi/cluster/hdbscan.h"
#include "onggi/cluster/kmeans.h"
#include "onggi/cluster/neighbours.h"
#include "onggi/cluster/ngram_vectors.h"
#include "onggi/cluster/outliers.h"
#include "onggi/cluster/prepare.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/core/random.h"
#include "onggi/eval/metrics/agreement.h"
#include "onggi/eval/metrics/detection.h"
#include "onggi/tasks/cluster/planted.h"
#include "onggi/tasks/cluster/read_vectors.h"
#include "onggi/tasks/cluster/step_progress.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::tasks {
namespace {

constexpr std::uint64_t kDrawStream = 0x64726177, kResampleStream = 0x72657361;  // "draw", "resa"

/// Every way to score, with its usual cut; NaN where there is none.
struct Detector {
  std::string_view name;
  double cut;
};
constexpr std::array<Detector, 5> kDetectors = {
    {{"robust-z", 3.5}, {"lof", 1.5}, {"glosh", 0.9}, {"hdbscan noise", 0.999}, {"knn distance", NAN}}};
using DetectorScores = std::array<std::vector<double>, kDetectors.size()>;

double percentile(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
}

/// A figure over draws: the mean, and the middle 95 % of all resamples of all draws.
struct Figure {
  double sum = 0, count = 0;
  std::vector<double> resampled;
  void add(double value) { sum += value, count += 1; }
  double mean() const { return count > 0 ? sum / count : 0; }
  Json to_json() {
    Json json = {{"value", mean()}};
    if (!resampled.empty()) json["low"] = percentile(resampled, 0.025), json["high"] = percentile(resampled, 0.975);
    return json;
  }
};

struct DetectorFigures {
  Figure auroc, average_precision, precision, recall;
  std::map<std::string, Figure> auroc_by_kind;
};

struct ShareFigures {
  double share = 0;
  std::int64_t num_planted = 0, num_real = 0;
  std::array<DetectorFigures, kDetectors.size()> detectors;
  std::map<std::string, Figure> agreement;  ///< "kmeans nmi" ...
};

class Study {
 public:
  Study(const DetectorStudyOptions& options, const datasets::RowsOptions& row_options, ThreadPool& pool,
        StepProgress& progress)
      : options_(options), pool_(pool), progress_(progress) {
    const auto rows = read_all_rows(options.rows, row_options);
    RowVectors with = options.vectors.empty() ? ngrams(rows) : read_row_vectors(options.vectors, rows);
    vectors_ = std::move(with.vectors);
    std::map<std::string, std::int32_t> names;
    for (std::size_t i = 0; i < with.rows.size(); ++i) {
      const auto& row = rows[static_cast<std::size_t>(with.rows[i])];
      const Json& kind = datasets::column_of(row, options.planted);
      require(kind.is_null() || kind.is_string(), "\"" + options.planted + "\" must be a kind, or null",
              ErrorCode::kInvalidArgument, datasets::place_of(row));
      kinds_.push_back(kind.is_null() ? "" : kind.get<std::string>());
      (kinds_.back().empty() ? real_ : pools_[kinds_.back()]).push_back(static_cast<std::int32_t>(i));
      if (!options.truth.empty())
        truth_.push_back(names.emplace(datasets::text_of(row, options.truth), static_cast<std::int32_t>(names.size()))
                             .first->second);
    }
    require(!pools_.empty(), "no row is planted", ErrorCode::kInvalidArgument, options.rows.front());
    require(
        real_.size() >= 50, [&] { return std::to_string(real_.size()) + " real rows, expected 50 or more"; },
        ErrorCode::kInvalidArgument, options.rows.front());
  }

  ShareFigures run(double share, int first_step, int num_steps) {
    ShareFigures figures{.share = share, .num_real = static_cast<std::int64_t>(real_.size())};
    const auto wanted = static_cast<std::size_t>(std::lround(share * static_cast<double>(real_.size()) / (1 - share)));
    for (int d = 0; d < options_.draws; ++d) {
      const auto rows = draw(wanted, static_cast<std::uint64_t>(first_step + d));
      figures.num_planted = static_cast<std::int64_t>(rows.size() - real_.size());
      measure(rows, static_cast<std::uint64_t>(first_step + d), figures);
      progress_.show("draws", first_step + d + 1, num_steps);
    }
    return figures;
  }
  int num_clusters() const { return num_clusters_; }

 private:
  RowVectors ngrams(const std::vector<datasets::Row>& rows) {
    std::vector<std::string> texts;
    RowVectors result;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      texts.push_back(datasets::text_of(rows[i], options_.text));
      result.rows.push_back(static_cast<std::int32_t>(i));
    }
    result.vectors = cluster::ngram_vectors(texts, {}, pool_);
    return result;
  }

  /// All real rows, and of each kind as many planted ones.
  std::vector<std::int32_t> draw(std::size_t wanted, std::uint64_t number) const {
    std::vector<std::int32_t> rows = real_;
    std::uint64_t next = number << 32U;
    std::size_t kind = 0;
    for (const auto& [name, all] : pools_) {
      const std::size_t count = wanted * (kind + 1) / pools_.size() - wanted * kind / pools_.size();
      ++kind;
      require(count >= 1 && count <= all.size(), [&] {
        return std::to_string(all.size()) + " planted of kind \"" + name + "\", and this share needs " +
               std::to_string(std::max<std::size_t>(1, count));
      });
      auto order = all;
      for (std::size_t i = 0; i < count; ++i) {
        const auto other =
            i + uniform_int(static_cast<std::uint64_t>(options_.seed), kDrawStream, next++, order.size() - i);
        std::swap(order[i], order[other]);
      }
      rows.insert(rows.end(), order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    }
    std::ranges::sort(rows);
    return rows;
  }

  DetectorScores scores(const cluster::Points& points, const std::vector<std::int32_t>& rows, ShareFigures& figures) {
    cluster::KMeansOptions k{.seed = static_cast<std::uint64_t>(options_.seed)};
    if (num_clusters_ == 0) {  // Once: the draws differ in few rows.
      const auto tried = cluster::try_cluster_counts(points, options_.max_k, 2000, k, pool_);
      num_clusters_ = std::ranges::max_element(tried, {}, &cluster::ClusterCount::silhouette)->num_clusters;
    }
    k.num_clusters = num_clusters_;
    const auto means = cluster::kmeans(points, k, pool_);
    const auto density = cluster::hdbscan(
        points, {.min_cluster_size = options_.min_cluster_size, .min_samples = options_.min_samples}, pool_);
    const auto neighbours = cluster::nearest_neighbours(points, options_.neighbours, pool_);
    DetectorScores result;
    result[0] =
        cluster::robust_z(cluster::centroid_distances(points, means.centroids, means.labels, pool_), means.labels);
    result[1] = cluster::local_outlier_factors(neighbours);
    result[2] = density.outlier_scores;
    for (const double p : density.probabilities) result[3].push_back(1 - p);
    for (std::int64_t i = 0; i < points.size(); ++i) result[4].push_back(neighbours.distances_of(i).back());
    if (!truth_.empty()) agree(rows, means.labels, density.labels, figures);
    return result;
  }

  void agree(const std::vector<std::int32_t>& rows, const std::vector<std::int32_t>& means,
             const std::vector<std::int32_t>& density, ShareFigures& figures) const {
    std::vector<std::int32_t> truth, by_means, by_density;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<std::size_t>(rows[i]);
      if (!kinds_[row].empty()) continue;
      truth.push_back(truth_[row]);
      by_means.push_back(means[i]);
      by_density.push_back(density[i]);
    }
    for (const auto& [name, labels] : {std::pair("kmeans", &by_means), std::pair("hdbscan", &by_density)}) {
      const auto found = eval::agreement(truth, *labels);
      figures.agreement[std::string(name) + " nmi"].add(found.nmi);
      figures.agreement[std::string(name) + " ari"].add(found.ari);
    }
  }

  void measure(const std::vector<std::int32_t>& rows, std::uint64_t number, ShareFigures& figures) {
    const cluster::Points points(
        cluster::prepare(cluster::take_rows(vectors_, rows), {.remove_components = options_.remove_components}, pool_));
    const auto found = scores(points, rows, figures);
    std::vector<bool> sought;
    for (const auto row : rows) sought.push_back(!kinds_[static_cast<std::size_t>(row)].empty());
    pool_.run(static_cast<std::int64_t>(kDetectors.size()), [&](std::int64_t task, int) {
      const auto d = static_cast<std::size_t>(task);
      auto& out = figures.detectors[d];
      const auto whole = eval::detection(found[d], sought);
      out.auroc.add(whole.auroc);
      out.average_precision.add(whole.average_precision);
      if (!std::isnan(kDetectors[d].cut)) {
        const auto cut = eval::at_cut(found[d], sought, kDetectors[d].cut);
        out.precision.add(cut.precision);
        out.recall.add(cut.recall);
      }
      by_kind(rows, found[d], out);
      resample(found[d], sought, number, out);
    });
  }

  void by_kind(const std::vector<std::int32_t>& rows, const std::vector<double>& found, DetectorFigures& out) const {
    for (const auto& [kind, all] : pools_) {
      std::vector<double> scores;
      std::vector<bool> sought;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& own = kinds_[static_cast<std::size_t>(rows[i])];
        if (!own.empty() && own != kind) continue;
        scores.push_back(found[i]);
        sought.push_back(!own.empty());
      }
      out.auroc_by_kind[kind].add(eval::detection(scores, sought).auroc);
    }
  }

  /// Planted and real ones are drawn apart, so that each resample has the same share.
  void resample(const std::vector<double>& found, const std::vector<bool>& sought, std::uint64_t number,
                DetectorFigures& out) const {
    std::array<std::vector<double>, 2> pools;
    for (std::size_t i = 0; i < found.size(); ++i) pools[sought[i] ? 1 : 0].push_back(found[i]);
    std::uint64_t next = number << 40U;
    std::vector<double> scores(found.size());
    std::vector<bool> truth(found.size());
    for (int r = 0; r < options_.resamples; ++r) {
      std::size_t at = 0;
      for (const std::size_t kind : {0U, 1U}) {
        for (std::size_t i = 0; i < pools[kind].size(); ++i, ++at) {
          scores[at] = pools[kind][uniform_int(static_cast<std::uint64_t>(options_.seed), kResampleStream, next++,
                                               pools[kind].size())];
          truth[at] = kind == 1;
        }
      }
      const auto figures = eval::detection(scores, truth);
      out.auroc.resampled.push_back(figures.auroc);
      out.average_precision.resampled.push_back(figures.average_precision);
    }
  }

  const DetectorStudyOptions& options_;
  ThreadPool& pool_;
  StepProgress& progress_;
  cluster::Vectors vectors_;
  std::vector<std::string> kinds_;
  std::vector<std::int32_t> truth_, real_;
  std::map<std::string, std::vector<std::int32_t>> pools_;
  int num_clusters_ = 0;
};

std::vector<double> shares_of(const DetectorStudyOptions& options) {
  std::vector<double> shares;
  for (const auto& text : options.shares) {
    double share = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
    require(error == std::errc() && end == text.data() + text.size() && share > 0 && share < 0.5,
            [&] { return "--share is \"" + text + "\", expected a number above 0 and below 0.5"; });
    shares.push_back(share);
  }
  return shares;
}

Json to_json(ShareFigures& figures) {
  Json detectors = Json::object();
  for (std::size_t d = 0; d < kDetectors.size(); ++d) {
    auto& f = figures.detectors[d];
    Json row = {{"auroc", f.auroc.to_json()}, {"average_precision", f.average_precision.to_json()}};
    if (f.precision.count > 0)
      row["at_cut"] = {{"cut", kDetectors[d].cut}, {"precision", f.precision.mean()}, {"recall", f.recall.mean()}};
    for (auto& [kind, figure] : f.auroc_by_kind) row["auroc_by_kind"][kind] = figure.mean();
    detectors[std::string(kDetectors[d].name)] = std::move(row);
  }
  Json agreement = Json::object();
  for (auto& [name, figure] : figures.agreement) agreement[name] = figure.mean();
  return {{"share", figures.share},
          {"real", figures.num_real},
          {"planted", figures.num_planted},
          {"detectors", std::move(detectors)},
          {"agreement", std::move(agreement)}};
}

std::string to_text(const Json& table) {
  std::string text;
  char line[256];
  for (const auto& share : table["shares"]) {
    std::snprintf(line, sizeof line, "%g %% planted: %d of %d\n  %-14s %-22s %-22s %-18s AUROC by kind\n",
                  100 * share["share"].get<double>(), share["planted"].get<int>(),
                  share["planted"].get<int>() + share["real"].get<int>(), "detector", "AUROC", "average precision",
                  "at cut: P, R");
    text += line;
    for (const auto& [name, row] : share["detectors"].items()) {
      const auto interval = [&](const char* key) {
        char cell[64];
        const auto& f = row[key];
        std::snprintf(cell, sizeof cell, "%.3f (%.3f-%.3f)", f["value"].get<double>(), f.value("low", 0.0),
                      f.value("high", 0.0));
        return std::string(cell);
      };
      std::string cut = "-";
      if (row.contains("at_cut")) {
        std::snprintf(line, sizeof line, "%.2f, %.2f", row["at_cut"]["precision"].get<double>(),
                      row["at_cut"]["recall"].get<double>());
        cut = line;
      }
      std::snprintf(line, sizeof line, "  %-14s %-22s %-22s %-18s ", name.c_str(), interval("auroc").c_str(),
                    interval("average_precision").c_str(), cut.c_str());
      text += line;
      for (const auto& [kind, value] : row["auroc_by_kind"].items()) {
        std::snprintf(line, sizeof line, "%s %.3f  ", kind.c_str(), value.get<double>());
        text += line;
      }
      text += "\n";
    }
    for (const auto& [name, value] : share["agreement"].items()) {
      std::snprintf(line, sizeof line, "  %s %.3f", name.c_str(), value.get<double>());
      text += line;
    }
    if (!share["agreement"].empty()) text += "\n";
  }
  return text;
}

}  // namespace

DetectorStudy study_detectors(const DetectorStudyOptions& options, const datasets::RowsOptions& row_options,
                              ThreadPool& pool, bool is_terminal, const std::function<void(std::string_view)>& write) {
  require(!options.rows.empty(), "--rows is missing: a file of onggi cluster plant");
  require(options.draws >= 1 && options.resamples >= 1, "--draws and --resamples must be 1 or more");
  require(options.neighbours >= 1 && options.min_samples >= 1 && options.min_cluster_size >= 2 && options.max_k >= 2,
          "--neighbours and --min-samples must be 1 or more, --min-cluster-size and --max-k 2 or more");
  require(options.seed >= 0 && options.remove_components >= 0, "--seed and --remove-components must be 0 or more");
  const auto shares = shares_of(options);
  require(!shares.empty(), "--share is missing");
  StepProgress progress(is_terminal, write);
  Study study(options, row_options, pool, progress);
  DetectorStudy result;
  Json list = Json::array();
  const int steps = options.draws * static_cast<int>(shares.size());
  for (std::size_t s = 0; s < shares.size(); ++s) {
    auto figures = study.run(shares[s], options.draws * static_cast<int>(s), steps);
    list.push_back(to_json(figures));
  }
  progress.finish();
  DetectorStudyOptions copy = options;
  copy.output.clear();
  result.table = {{"kind", "onggi detector study"},
                  {"version", 1},
                  {"vectors", options.vectors.empty() ? "character n-grams" : "file"},
                  {"kmeans_clusters", study.num_clusters()},
                  {"options", OptionList(copy).to_json()},
                  {"shares", std::move(list)}};
  result.text = to_text(result.table);
  if (!options.output.empty()) write_file_atomic(options.output, dump_json(result.table, 2) + "\n");
  return result;
}

}  // namespace onggi::tasks
