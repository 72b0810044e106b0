#include "onggi/tasks/themes/themes.h"

#include <map>

#include "onggi/cluster/map_svg.h"
#include "onggi/cluster/ngram_vectors.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/store/folder_lock.h"
#include "onggi/tasks/text_rows.h"
#include "onggi/tasks/themes/monitor.h"
#include "onggi/tasks/verify/verify.h"

namespace onggi::tasks {
namespace {

// The files of a flow's folder.
constexpr const char* kReviews = "reviews.jsonl";
constexpr const char* kLeftOut = "left_out.jsonl";
constexpr const char* kAnswers = "answers.jsonl";
constexpr const char* kVerdicts = "verdicts.jsonl";
constexpr const char* kPeople = "to_people.jsonl";
constexpr const char* kOutliers = "outliers.jsonl";
constexpr const char* kCards = "cards.jsonl";
constexpr const char* kMap = "map.svg";
constexpr const char* kMonitor = "monitor.html";

/// At most this many expressions are drawn on the map.
constexpr std::int64_t kMostOnMap = 3000;

cluster::MapPicture map_of(const cluster::TextClusters& clusters, const cluster::MapPlaces& map,
                           std::span<const std::string> texts) {
  cluster::MapPicture picture{.title = "Expressions of the cards", .note = "", .points = {}, .themes = {}};
  std::map<std::int32_t, cluster::Place> place_of;  // of a text
  for (std::size_t i = 0; i < map.shown.size(); ++i) {
    const auto text = clusters.duplicates.kept[static_cast<std::size_t>(map.shown[i])];
    place_of[text] = map.places[i];
    const auto t = static_cast<std::size_t>(text);
    picture.points.push_back({.place = map.places[i],
                              .cluster = clusters.labels[t],
                              .is_outlier = clusters.is_outlier[t],
                              .text = texts[t]});
  }
  for (const auto& theme : clusters.themes) {
    const auto found = place_of.find(theme.medoid);
    if (found == place_of.end()) continue;
    picture.themes.push_back({.cluster = theme.cluster,
                              .name = texts[static_cast<std::size_t>(theme.medoid)],
                              .num_texts = theme.num_texts,
                              .place = found->second});
  }
  return picture;
}

Json hash_or_null(const std::string& path) { return path.empty() ? Json(nullptr) : Json(sha256_file(path)); }

std::vector<datasets::Row> rows_in(const StageBook& book, const char* file) {
  return datasets::read_rows(book.path_of(file));
}

class Flow {
 public:
  explicit Flow(const ThemeFlow& flow) : flow_(flow), lock_(flow.files.folder), book_(flow.files.folder) {}

  StageBook run() {
    clean();
    answer();
    verify();
    make_cards();
    show();
    return std::move(book_);
  }

 private:
  /// Does a stage unless it is done. `work` returns its figures.
  template <class Work>
  void stage(const char* name, const Json& key, const std::vector<std::string>& files, const Work& work) {
    if (book_.is_done(name, key)) {
      flow_.say(std::string(name) + ": done before");
      return;
    }
    flow_.say(std::string(name) + " ...");
    book_.begin(name, key, files);
    show();
    Json counts = work();
    book_.finish(name, files, std::move(counts));
    flow_.say(std::string(name) + ": " + dump_json(book_.records().back().counts));
  }

  void show() { write_file_atomic(book_.path_of(kMonitor), monitor_html(book_)); }

  void clean() {
    const auto rows = read_all_rows(flow_.rows, flow_.row_options);
    ReviewOptions options = flow_.reviews;
    const Json key = {{"rows", datasets::content_hash(rows)}, {"options", OptionList(options).to_json()}};
    stage("reviews", key, {kReviews, kLeftOut}, [&] {
      const auto clean = clean_reviews(rows, flow_.reviews, flow_.pool, flow_.report);
      require(!clean.rows.empty(), "no review is left to be asked about: see " + book_.path_of(kLeftOut).string());
      std::string left_out;
      for (const auto& out : clean.left_out) {
        Json line = {{"id", out.id}, {"reason", out.reason}};
        if (!out.kept.empty()) line["kept"] = out.kept;
        left_out += dump_json(line) + "\n";
      }
      write_file_atomic(book_.path_of(kLeftOut), left_out);
      write_file_atomic(book_.path_of(kReviews), datasets::to_jsonl(clean.rows));
      Json reasons = Json::object();
      for (const auto& [reason, count] : clean.reasons) reasons[reason] = count;
      return Json{{"in", rows.size()}, {"kept", clean.rows.size()}, {"left_out", std::move(reasons)}};
    });
  }

  void answer() {
    const Json key = {{"reviews", book_.hash_of(kReviews)}, {"answerer", flow_.answerer.key}};
    std::vector<std::string> files = {kAnswers};
    files.insert(files.end(), flow_.answerer.files.begin(), flow_.answerer.files.end());
    stage("answers", key, files, [&] {
      flow_.answerer.answer(book_.path_of(kReviews).string(), book_.path_of(kAnswers).string());
      std::int64_t failed = 0, empty = 0, cards = 0;
      const auto answers = eval::read_supported_answers(book_.path_of(kAnswers));
      for (const auto& row : answers.rows) {
        failed += row.cards ? 0 : 1;
        empty += row.cards && row.cards->empty() ? 1 : 0;
        cards += row.cards ? std::ssize(*row.cards) : 0;
      }
      return Json{{"in", answers.rows.size()}, {"failed", failed}, {"without_theme", empty}, {"cards", cards}};
    });
  }

  void verify() {
    const auto labelled =
        flow_.files.labelled.empty() ? std::vector<datasets::Row>{} : read_all_rows(flow_.files.labelled, {});
    const Json key = {{"reviews", book_.hash_of(kReviews)},
                      {"answers", book_.hash_of(kAnswers)},
                      {"verifier", hash_or_null(flow_.files.verifier)},
                      {"labelled", labelled.empty() ? Json(nullptr) : Json(datasets::content_hash(labelled))}};
    stage("verdicts", key, {kVerdicts, kPeople}, [&] {
      const auto reviews = rows_in(book_, kReviews);
      const auto answers = eval::read_supported_answers(book_.path_of(kAnswers));
      const auto counts =
          flow_.files.verifier.empty()
              ? write_rule_verdicts(reviews, answers, labelled, book_.path_of(kVerdicts), book_.path_of(kPeople))
              : write_verdicts(load_verifier(flow_.files.verifier, labelled), reviews, answers,
                               book_.path_of(kVerdicts), book_.path_of(kPeople));
      Json rejected = Json::object();
      for (const auto& [reason, count] : counts.reasons) rejected[reason] = count;
      return Json{{"cards", counts.accepted + counts.doubtful + counts.rejected},
                  {"accepted", counts.accepted},
                  {"for_people", counts.doubtful},
                  {"rejected", std::move(rejected)}};
    });
  }

  void make_cards() {
    auto cluster_options = flow_.clusters;
    auto card_options = flow_.cards;
    const Json key = {{"reviews", book_.hash_of(kReviews)},
                      {"verdicts", book_.hash_of(kVerdicts)},
                      {"decisions", hash_or_null(flow_.files.decisions)},
                      {"clusters", OptionList(cluster_options).to_json()},
                      {"cards", OptionList(card_options).to_json()}};
    stage("cards", key, {kOutliers, kCards, kMap}, [&] {
      const auto decided = flow_.files.decisions.empty() ? std::vector<datasets::Row>{}
                                                         : read_all_rows(std::vector{flow_.files.decisions}, {});
      const auto shown = shown_cards(rows_in(book_, kReviews), rows_in(book_, kVerdicts), decided);
      require(!shown.empty(), "no card is accepted, so there is nothing to show: see " +
                                  book_.path_of(kVerdicts).string() + " and " + book_.path_of(kPeople).string());
      return write_cards(shown);
    });
  }

  Json write_cards(std::span<const ShownCard> shown) {
    std::vector<std::string> expressions;
    for (const auto& card : shown) expressions.push_back(card.card.expression);
    const auto clusters = cluster::cluster_texts(expressions, cluster::ngram_vectors(expressions, {}, flow_.pool),
                                                 flow_.clusters, flow_.pool, flow_.report);
    const auto themes = theme_cards(shown, clusters, flow_.cards, flow_.pool);
    std::string outliers;
    std::int64_t num_outliers = 0, num_decided = 0;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      num_decided += shown[i].is_decided ? 1 : 0;
      if (!clusters.is_outlier[i] || shown[i].is_decided) continue;
      ++num_outliers;
      outliers += dump_json({{"id", shown[i].review},
                             {"entity", shown[i].card.entity},
                             {"expression", shown[i].card.expression},
                             {"name", shown[i].card.name}}) +
                  "\n";
    }
    const auto places = cluster::map_places(clusters, "tsne", kMostOnMap, flow_.pool, flow_.report);
    write_file_atomic(book_.path_of(kMap), cluster::map_svg(map_of(clusters, places, expressions)));
    write_file_atomic(book_.path_of(kOutliers), outliers);
    write_file_atomic(book_.path_of(kCards), theme_cards_jsonl(themes));
    std::int64_t reviews = 0;
    for (const auto& theme : themes) reviews += theme.num_reviews;
    return {{"in", shown.size()},
            {"by_people", num_decided},
            {"near_duplicates", clusters.duplicates.canonical.size() - clusters.duplicates.kept.size()},
            {"outliers", num_outliers},
            {"clusters", clusters.num_clusters},
            {"themes", themes.size()},
            {"reviews_behind_them", reviews}};
  }

  const ThemeFlow& flow_;
  const store::FolderLock lock_;
  StageBook book_;
};

}  // namespace

StageBook run_theme_flow(const ThemeFlow& flow) { return Flow(flow).run(); }

}  // namespace onggi::tasks
