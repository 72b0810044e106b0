#include "onggi/tasks/cluster/cluster_file.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "onggi/cluster/map_svg.h"
#include "onggi/cluster/ngram_vectors.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/eval/metrics/agreement.h"
#include "onggi/tasks/cluster/read_vectors.h"
#include "onggi/tasks/cluster/step_progress.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kListedThemes = 20;

Json number_or_null(double value) { return std::isnan(value) ? Json() : Json(value); }

std::string print(const char* format, auto... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

/// One clustering from its files to its files.
class ClusterJob {
 public:
  ClusterJob(const ClusterFiles& files, const datasets::RowsOptions& row_options,
             const cluster::ClusterOptions& options, ThreadPool& pool)
      : files_(files), options_(options), pool_(pool), rows_(read_all_rows(files.rows, row_options)) {
    for (const auto& row : rows_) {
      texts_.push_back(datasets::text_of(row, files.text));
      if (!files.truth.empty()) truth_.push_back(datasets::text_of(row, files.truth));
    }
    read_vectors();
  }

  ClusterSummary run(const cluster::Report& report) {
    std::vector<std::string> keys;
    for (const auto row : with_vector_.rows)
      keys.push_back(files_.key.empty() ? text(row) : datasets::text_of(row_at(row), files_.key));
    found_ = cluster::cluster_texts(keys, std::move(with_vector_.vectors), options_, pool_, report);
    std::optional<std::string> map;
    if (!files_.map.empty()) map = drawn(report);
    write_file_atomic(files_.output, lines());
    if (!files_.clusters.empty()) write_file_atomic(files_.clusters, dump_json(themes(), 2) + "\n");
    if (map) write_file_atomic(files_.map, *map);
    return {.text = summary()};
  }

 private:
  const datasets::Row& row_at(std::int32_t row) const { return rows_[static_cast<std::size_t>(row)]; }
  const std::string& text(std::int32_t row) const { return texts_[static_cast<std::size_t>(row)]; }
  /// The row of what was clustered as number `i`.
  std::int32_t row_of(std::int32_t i) const { return with_vector_.rows[static_cast<std::size_t>(i)]; }

  void read_vectors() {
    if (!files_.vectors.empty()) {
      with_vector_ = read_row_vectors(files_.vectors, rows_);
      return;
    }
    with_vector_.vectors = cluster::ngram_vectors(texts_, {}, pool_);
    for (std::size_t i = 0; i < rows_.size(); ++i) with_vector_.rows.push_back(static_cast<std::int32_t>(i));
  }

  std::string lines() const {
    std::string result;
    std::size_t next = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      Json line = {{"id", rows_[i].id}};
      if (next == with_vector_.rows.size() || with_vector_.rows[next] != static_cast<std::int32_t>(i)) {
        line["failure"] = "no vector";
        result += dump_json(line) + "\n";
        continue;
      }
      const auto label = found_.labels[next];
      const auto& scores = found_.scores[next];
      line["cluster"] = label < 0 ? Json() : Json(label);
      line["probability"] = scores.probability;
      line["robust_z"] = number_or_null(scores.robust_z);
      line["lof"] = number_or_null(scores.lof);
      line["glosh"] = number_or_null(scores.glosh);
      line["outlier"] = static_cast<bool>(found_.is_outlier[next]);
      const auto stands = found_.duplicates.canonical[next];
      if (stands != static_cast<std::int32_t>(next)) line["duplicate_of"] = row_at(row_of(stands)).id;
      result += dump_json(line) + "\n";
      ++next;
    }
    return result;
  }

  Json shown(std::int32_t i) const { return {{"id", row_at(row_of(i)).id}, {"text", text(row_of(i))}}; }

  Json themes() const {
    Json list = Json::array();
    for (const auto& theme : found_.themes) {
      Json best = Json::array();
      for (const auto member : theme.best) best.push_back(shown(member));
      list.push_back({{"cluster", theme.cluster},
                      {"name", text(row_of(theme.medoid))},
                      {"medoid", row_at(row_of(theme.medoid)).id},
                      {"most_frequent", shown(theme.most_frequent)},
                      {"texts", theme.num_texts},
                      {"distinct", theme.num_members},
                      {"spread", theme.spread},
                      {"expressions", std::move(best)}});
    }
    Json tried = Json::array();
    for (const auto& t : found_.tried) tried.push_back({{"clusters", t.num_clusters}, {"silhouette", t.silhouette}});
    const auto& d = found_.duplicates;
    cluster::ClusterOptions copy = options_;
    return {{"kind", "onggi clusters"},
            {"version", 1},
            {"rows", rows_.size()},
            {"rows_hash", datasets::content_hash(rows_)},
            {"with_vector", with_vector_.rows.size()},
            {"vectors", files_.vectors.empty() ? "character n-grams" : "file"},
            {"distinct", d.kept.size()},
            {"duplicates",
             {{"same", d.num_same}, {"near", d.num_near}, {"compared", d.num_pairs}, {"left_out", d.num_left_out}}},
            {"noise", std::ranges::count(found_.labels, -1)},
            {"outliers", std::ranges::count(found_.is_outlier, true)},
            {"cut", found_.cut},
            {"silhouette", found_.silhouette},
            {"options", OptionList(copy).to_json()},
            {"tried", std::move(tried)},
            {"clusters", std::move(list)}};
  }

  std::string drawn(const cluster::Report& report) {
    const auto places = cluster::map_places(found_, files_.layout, files_.map_points, pool_, report);
    cluster::MapPicture picture;
    picture.title =
        std::to_string(found_.themes.size()) + " themes of " + std::to_string(with_vector_.rows.size()) + " texts";
    picture.note = std::to_string(places.shown.size()) + " of " + std::to_string(found_.duplicates.kept.size()) +
                   " distinct texts, " +
                   (files_.layout == "pca" ? "two principal components"
                                           : "t-SNE: near ones belong together, distances between groups mean little");
    std::map<std::int32_t, cluster::Place> place_of;
    for (std::size_t i = 0; i < places.shown.size(); ++i) {
      const auto member = found_.duplicates.kept[static_cast<std::size_t>(places.shown[i])];
      const auto at = static_cast<std::size_t>(member);
      place_of[member] = places.places[i];
      picture.points.push_back({.place = places.places[i],
                                .cluster = found_.labels[at],
                                .is_outlier = found_.is_outlier[at],
                                .text = text(row_of(member))});
    }
    for (const auto& theme : found_.themes) {
      picture.themes.push_back({.cluster = theme.cluster,
                                .name = text(row_of(theme.medoid)),
                                .num_texts = theme.num_texts,
                                .place = place_of[theme.medoid]});
    }
    return cluster::map_svg(picture);
  }

  std::string agreement() const {
    std::map<std::string, std::int32_t> names;
    std::vector<std::int32_t> wanted, wanted_clustered, clustered;
    for (std::size_t i = 0; i < found_.labels.size(); ++i) {
      const auto [name, is_new] = names.emplace(truth_[static_cast<std::size_t>(with_vector_.rows[i])],
                                                static_cast<std::int32_t>(names.size()));
      wanted.push_back(name->second);
      if (found_.labels[i] < 0) continue;
      wanted_clustered.push_back(name->second);
      clustered.push_back(found_.labels[i]);
    }
    const auto all = eval::agreement(wanted, found_.labels), within = eval::agreement(wanted_clustered, clustered);
    return print("agreement with \"%s\": NMI %.3f, ARI %.3f; without noise NMI %.3f, ARI %.3f\n", files_.truth.c_str(),
                 all.nmi, all.ari, within.nmi, within.ari);
  }

  std::string summary() const {
    const auto& d = found_.duplicates;
    std::string result = print("%zu rows, %zu distinct texts (%lld the same as another, %lld nearly)\n", rows_.size(),
                               d.kept.size(), static_cast<long long>(d.num_same), static_cast<long long>(d.num_near));
    if (d.num_left_out > 0)
      result += print("%lld pairs of full buckets were not compared\n", static_cast<long long>(d.num_left_out));
    result += print("%d clusters, %lld texts in none, %lld outliers (%s above %g), mean silhouette %.3f\n",
                    found_.num_clusters, static_cast<long long>(std::ranges::count(found_.labels, -1)),
                    static_cast<long long>(std::ranges::count(found_.is_outlier, true)), options_.outliers.c_str(),
                    found_.cut, found_.silhouette);
    if (!truth_.empty()) result += agreement();
    auto largest = found_.themes;
    std::ranges::stable_sort(largest, [](const auto& a, const auto& b) { return a.num_texts > b.num_texts; });
    for (std::size_t i = 0; i < std::min(kListedThemes, largest.size()); ++i) {
      result += print("%6lld  ", static_cast<long long>(largest[i].num_texts)) + text(row_of(largest[i].medoid));
      for (std::size_t b = 1; b < std::min<std::size_t>(4, largest[i].best.size()); ++b)
        result += (b == 1 ? ": " : " / ") + text(row_of(largest[i].best[b]));
      result += "\n";
    }
    if (largest.size() > kListedThemes) result += print("        and %zu more\n", largest.size() - kListedThemes);
    return result;
  }

  const ClusterFiles& files_;
  const cluster::ClusterOptions& options_;
  ThreadPool& pool_;
  std::vector<datasets::Row> rows_;
  std::vector<std::string> texts_, truth_;
  RowVectors with_vector_;
  cluster::TextClusters found_;
};

}  // namespace

void require_cluster_files(const ClusterFiles& files) {
  require(!files.rows.empty(), "--rows is missing: a JSONL or CSV file");
  require(!files.text.empty(), "--text is missing: the column with the texts");
  require(!files.output.empty(), "--output is missing: the .jsonl file to write");
  require(files.layout == "tsne" || files.layout == "pca",
          [&] { return "--layout is \"" + files.layout + "\", expected tsne or pca"; });
  require(files.map_points >= 1 && files.map_points <= 20000,
          [&] { return "--map-points is " + std::to_string(files.map_points) + ", expected 1 to 20000"; });
}

ClusterSummary cluster_file(const ClusterFiles& files, const datasets::RowsOptions& row_options,
                            const cluster::ClusterOptions& options, ThreadPool& pool, bool is_terminal,
                            const std::function<void(std::string_view)>& write) {
  require_cluster_files(files);
  cluster::require_cluster_options(options);
  StepProgress progress(is_terminal, write);
  ClusterJob job(files, row_options, options, pool);
  auto summary =
      job.run([&](std::string_view step, std::int64_t done, std::int64_t total) { progress.show(step, done, total); });
  progress.finish();
  return summary;
}

}  // namespace onggi::tasks
