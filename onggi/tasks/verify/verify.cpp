#include "onggi/tasks/verify/verify.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/datasets/data_card.h"

namespace onggi::tasks {
namespace {

std::optional<eval::RuleExtractor> second_opinion(std::span<const datasets::Row> labelled) {
  if (labelled.empty()) return std::nullopt;
  return eval::RuleExtractor::fit(eval::theme_rows(labelled), {.num_folds = 0});
}

void require_apart(std::span<const eval::ThemeRow> gold, std::span<const datasets::Row> labelled) {
  std::set<std::string> products;
  for (const auto& row : labelled) products.insert(datasets::text_of(row, "product"));
  for (const auto& row : gold) {
    require(!products.contains(row.product), [&] {
      return "product \"" + row.product + "\" (row " + row.id + ") is among the labelled rows too: split by product";
    });
  }
}

Json card_line(const datasets::Card& card, const eval::CardVerdict& verdict) {
  return {{"entity", card.entity},
          {"expression", card.expression},
          {"name", card.name},
          {"verdict", std::string(eval::verdict_name(verdict.verdict))},
          {"probability", verdict.probability},
          {"reasons", verdict.reasons}};
}

/// A row for people: with what the model says, and how near to the threshold its nearest card is.
struct RowForPeople {
  double distance;
  Json fields;
};

std::optional<RowForPeople> row_for_people(const datasets::Row& row, const eval::SupportedAnswer& answer,
                                           std::span<const eval::CardVerdict> verdicts, double threshold) {
  RowForPeople people{.distance = 2, .fields = row.fields};
  Json themes = Json::array();
  bool is_doubtful = false;
  for (std::size_t k = 0; k < verdicts.size(); ++k) {
    if (verdicts[k].verdict == eval::Verdict::kRejected) continue;
    const auto& card = (*answer.cards)[k];
    themes.push_back({{"entity", card.entity}, {"expression", card.expression}, {"name", card.name}});
    if (verdicts[k].verdict != eval::Verdict::kDoubtful) continue;
    is_doubtful = true;
    people.distance = std::min(people.distance, std::abs(std::min(threshold, 1.0) - verdicts[k].probability));
  }
  if (!is_doubtful) return std::nullopt;
  people.fields["id"] = row.id;
  people.fields["themes"] = std::move(themes);
  people.fields["priority"] = 1 - people.distance;
  return people;
}

using Judge = std::function<std::vector<eval::CardVerdict>(const eval::ThemeRow&, const eval::SupportedAnswer&)>;

VerdictCounts write_judged(const Judge& judge, double threshold, std::span<const datasets::Row> rows,
                           const eval::SupportedAnswers& answers, const std::filesystem::path& output,
                           const std::filesystem::path& people) {
  require(rows.size() == answers.rows.size(),
          "there are " + std::to_string(rows.size()) + " rows and " + std::to_string(answers.rows.size()) + " answers");
  VerdictCounts counts{.rows = std::ssize(rows)};
  std::string lines;
  std::vector<RowForPeople> queue;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& answer = answers.rows[i];
    require(rows[i].id == answer.id, [&] { return "row " + rows[i].id + " meets the answer to row " + answer.id; });
    const auto verdicts = judge(eval::theme_row_without_cards(rows[i]), answer);
    Json cards = Json::array();
    for (std::size_t k = 0; k < verdicts.size(); ++k) {
      cards.push_back(card_line((*answer.cards)[k], verdicts[k]));
      for (const auto& reason : verdicts[k].reasons) ++counts.reasons[reason];
      counts.accepted += verdicts[k].verdict == eval::Verdict::kAccepted ? 1 : 0;
      counts.doubtful += verdicts[k].verdict == eval::Verdict::kDoubtful ? 1 : 0;
      counts.rejected += verdicts[k].verdict == eval::Verdict::kRejected ? 1 : 0;
    }
    counts.failed += answer.cards ? 0 : 1;
    lines += dump_json({{"id", rows[i].id}, {"cards", std::move(cards)}}) + "\n";
    if (auto row = row_for_people(rows[i], answer, verdicts, threshold)) queue.push_back(std::move(*row));
  }
  write_file_atomic(output, lines);
  if (people.empty()) return counts;
  std::ranges::stable_sort(queue, {}, &RowForPeople::distance);
  std::string people_lines;
  for (const auto& row : queue) people_lines += dump_json(row.fields) + "\n";
  write_file_atomic(people, people_lines);
  return counts;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace

LoadedVerifier fit_verifier(std::span<const datasets::Row> gold, const eval::SupportedAnswers& answers,
                            std::span<const datasets::Row> labelled, const eval::VerifierOptions& options,
                            const std::filesystem::path& output) {
  const auto gold_rows = eval::theme_rows(gold);
  require_apart(gold_rows, labelled);
  const auto names = eval::aspect_names(labelled.empty() ? gold_rows : eval::theme_rows(labelled));
  auto rules = second_opinion(labelled);
  auto verifier = eval::Verifier::fit(gold_rows, answers, rules ? &*rules : nullptr, names, options);
  Json json = verifier.to_json();
  json["labelled"] = labelled.empty() ? Json(nullptr) : Json(datasets::content_hash(labelled));
  json["gold"] = datasets::content_hash(gold);
  write_file_atomic(output, dump_json(json, 1) + "\n");
  return {std::move(verifier), std::move(rules)};
}

LoadedVerifier load_verifier(const std::filesystem::path& path, std::span<const datasets::Row> labelled) {
  const Json json = parse_json(read_file(path, std::size_t{1} << 20), path.string());
  LoadedVerifier loaded{eval::Verifier::from_json(json, path.string()), std::nullopt};
  if (!loaded.verifier.needs_rules()) return loaded;
  require(!labelled.empty(), "it was fitted with labelled rows, which it needs here too: --labelled FILE, or --split",
          ErrorCode::kInvalidArgument, path.string());
  require(json.value("labelled", Json()) == datasets::content_hash(labelled),
          "the labelled rows are others than those that it was fitted with", ErrorCode::kInvalidArgument,
          path.string());
  loaded.rules = second_opinion(labelled);
  return loaded;
}

VerdictCounts write_verdicts(const LoadedVerifier& loaded, std::span<const datasets::Row> rows,
                             const eval::SupportedAnswers& answers, const std::filesystem::path& output,
                             const std::filesystem::path& people) {
  return write_judged(
      [&](const eval::ThemeRow& row, const eval::SupportedAnswer& answer) {
        return loaded.verifier.judge(row, answer, loaded.opinion());
      },
      loaded.verifier.threshold().score, rows, answers, output, people);
}

VerdictCounts write_rule_verdicts(std::span<const datasets::Row> rows, const eval::SupportedAnswers& answers,
                                  std::span<const datasets::Row> labelled, const std::filesystem::path& output,
                                  const std::filesystem::path& people) {
  const auto names = labelled.empty() ? std::vector<std::string>{} : eval::aspect_names(eval::theme_rows(labelled));
  return write_judged([&](const eval::ThemeRow& row,
                          const eval::SupportedAnswer& answer) { return eval::rule_verdicts(row, answer, names); },
                      1.0, rows, answers, output, people);
}

std::string curve_svg(std::span<const eval::CurvePoint> curve, const eval::Verifier& verifier) {
  constexpr double kLeft = 60, kTop = 30, kWidth = 520, kHeight = 300;
  const auto x = [&](double coverage) { return number(kLeft + kWidth * coverage); };
  const auto y = [&](double precision) { return number(kTop + kHeight * (1 - precision)); };
  std::string band, back, line;
  for (const auto& point : curve) {
    band += x(point.coverage) + "," + y(point.precision.high) + " ";
    back = x(point.coverage) + "," + y(point.precision.low) + " " + back;
    line += x(point.coverage) + "," + y(point.precision.value) + " ";
  }
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 400\" role=\"img\" font-family=\"sans-serif\" "
      "font-size=\"13\">\n"
      "<title>Precision of accepted cards by coverage</title>\n"
      "<style>text{fill:#333}.g{stroke:#ccc}.b{fill:#0072b2;opacity:.2}.l{fill:none;stroke:#0072b2;stroke-width:2}.t{"
      "stroke:#d55e00;stroke-dasharray:6 4}"
      "@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}.l{stroke:#56b4e9}.b{fill:#56b4e9}}</style>\n";
  for (int i = 0; i <= 5; ++i) {
    const double v = i / 5.0;
    svg += "<line class=\"g\" x1=\"" + x(0) + "\" x2=\"" + x(1) + "\" y1=\"" + y(v) + "\" y2=\"" + y(v) + "\"/>";
    svg += "<text x=\"" + number(kLeft - 8) + "\" y=\"" + number(kTop + kHeight * (1 - v) + 4) +
           "\" text-anchor=\"end\">" + number(v) + "</text>";
    svg += "<text x=\"" + x(v) + "\" y=\"" + number(kTop + kHeight + 20) + "\" text-anchor=\"middle\">" + number(v) +
           "</text>\n";
  }
  svg += "<polygon class=\"b\" points=\"" + band + back + "\"/><polyline class=\"l\" points=\"" + line + "\"/>\n";
  const double target = verifier.target().target;
  svg +=
      "<line class=\"t\" x1=\"" + x(0) + "\" x2=\"" + x(1) + "\" y1=\"" + y(target) + "\" y2=\"" + y(target) + "\"/>";
  svg += "<text x=\"" + x(1) + "\" y=\"" + number(kTop + kHeight * (1 - target) - 6) +
         "\" text-anchor=\"end\">target</text>\n";
  svg += "<text x=\"" + x(0.5) + "\" y=\"" + number(kTop + kHeight + 46) +
         "\" text-anchor=\"middle\">share of cards accepted without a person</text>";
  svg += "<text x=\"" + x(0) + "\" y=\"" + number(kTop - 12) +
         "\">precision of the accepted cards, 95 % band over products</text>\n</svg>\n";
  return svg;
}

}  // namespace onggi::tasks
