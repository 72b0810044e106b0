#include <cmath>
#include <cstdio>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/tasks/row_job.h"
#include "onggi/tasks/text_rows.h"
#include "onggi/tasks/verify/verify.h"

namespace onggi::cli {
namespace {

struct VerifyOptions {
  std::vector<std::string> rows;
  std::string split, part = "validation", answers;
  std::vector<std::string> labelled;
  std::string verifier, output, people, picture;
  double target = 0.8, assurance = 0.9, ridge = 1.0;
  int folds = 5;
  std::int64_t seed = 0;

  template <class V>
  void visit(V&& field) {
    field("rows", rows, "Rows that were answered: a JSONL or CSV file, or a folder of them (repeatable).");
    field("split", split, "Split file: --rows are one part of it, and its train part gives the second opinion.");
    field("part", part, "With --split: validation or test.");
    field("answers", answers, "Answers to these rows by `onggi generate`, best with --fields or --show-samples.");
    field("labelled", labelled,
          "Without --split: labelled rows for the second opinion (repeatable); none = no such opinion.");
    field("verifier", verifier, "apply, curve: the verifier's file.");
    field("output", output, "fit: verifier to write; apply: JSONL of verdicts; curve: JSON of points.");
    field("people", people,
          "apply: JSONL of the rows that a person has to see, the doubtful first; `onggi review` takes it.");
    field("picture", picture, "curve: SVG to write.");
    field("target", target, "fit: precision that accepted cards shall have.");
    field("assurance", assurance, "fit: chance that they have it, at least.");
    field("ridge", ridge, "fit: how much weights are held near 0.");
    field("folds", folds, "fit: parts of the products, each scored by a model that has not seen it.");
    field("seed", seed, "fit: seed of the folds; curve: of the bootstrap.");
  }
};

struct VerifyRows {
  std::vector<datasets::Row> rows, labelled;
};

VerifyRows read_verify_rows(const VerifyOptions& o, const datasets::RowsOptions& row_options) {
  VerifyRows all{.rows = tasks::read_all_rows(o.rows, row_options), .labelled = {}};
  if (o.split.empty()) {
    if (!o.labelled.empty()) all.labelled = tasks::read_all_rows(o.labelled, row_options);
    return all;
  }
  require(o.labelled.empty(), "--split and --labelled both say what the labelled rows are; give one");
  require(o.part == "validation" || o.part == "test", "--part is \"" + o.part + "\", expected validation or test");
  auto parts = tasks::split_and_check(all.rows, tasks::read_split_options(o.split));
  return {.rows = o.part == "test" ? std::move(parts.test) : std::move(parts.validation),
          .labelled = std::move(parts.train)};
}

void print_threshold(const eval::Verifier& verifier) {
  const auto& t = verifier.threshold();
  if (std::isinf(t.score)) {
    std::printf(
        "no threshold can be vouched for: the best has a precision of at least %.3f at %lld of %lld cards, the target "
        "is %.3f; every card "
        "goes to a person. More labelled rows, or a lower --target.\n",
        t.best_bound, static_cast<long long>(t.best_accepted), static_cast<long long>(t.count),
        verifier.target().target);
    return;
  }
  std::printf("threshold %.4f: %lld of %lld cards accepted, precision %.3f (%.3f to %.3f), target %.3f\n", t.score,
              static_cast<long long>(t.accepted), static_cast<long long>(t.count), t.precision.value, t.precision.low,
              t.precision.high, verifier.target().target);
}

int fit(const VerifyOptions& o, const VerifyRows& rows, const eval::SupportedAnswers& answers) {
  const auto loaded = tasks::fit_verifier(rows.rows, answers, rows.labelled,
                                          {.threshold = {.target = o.target, .assurance = o.assurance},
                                           .ridge = o.ridge,
                                           .num_folds = o.folds,
                                           .seed = static_cast<std::uint64_t>(o.seed)},
                                          o.output);
  const auto names = eval::evidence_names(loaded.verifier.form(), loaded.verifier.needs_rules());
  for (std::size_t k = 0; k < names.size(); ++k)
    std::printf("%-16s %+.3f\n", std::string(names[k]).c_str(), loaded.verifier.model().weights()[k]);
  print_threshold(loaded.verifier);
  return 0;
}

int apply(const VerifyOptions& o, const VerifyRows& rows, const eval::SupportedAnswers& answers) {
  const auto counts =
      tasks::write_verdicts(tasks::load_verifier(o.verifier, rows.labelled), rows.rows, answers, o.output, o.people);
  std::printf("%lld rows (%lld without an answer): %lld cards accepted, %lld for people, %lld rejected\n",
              static_cast<long long>(counts.rows), static_cast<long long>(counts.failed),
              static_cast<long long>(counts.accepted), static_cast<long long>(counts.doubtful),
              static_cast<long long>(counts.rejected));
  return 0;
}

Json interval_json(const eval::Interval& interval) { return {interval.low, interval.value, interval.high}; }

int curve(const VerifyOptions& o, const VerifyRows& rows, const eval::SupportedAnswers& answers) {
  const auto loaded = tasks::load_verifier(o.verifier, rows.labelled);
  const auto cards = eval::scored_cards(eval::theme_rows(rows.rows), answers, loaded.verifier, loaded.opinion());
  require(!cards.empty(), "no card keeps to the rules", ErrorCode::kInvalidArgument, o.answers);
  const auto points = eval::precision_curve(cards, 20, {.seed = static_cast<std::uint64_t>(o.seed)});
  std::int64_t accepted = 0, right = 0;
  for (const auto& card : cards) {
    if (card.score < loaded.verifier.threshold().score) continue;
    ++accepted;
    right += card.is_right ? 1 : 0;
  }
  const auto at_threshold = eval::exact_interval(right, accepted, 0.95);
  std::printf("coverage  precision (95 %% over products)\n");
  Json list = Json::array();
  for (const auto& p : points) {
    std::printf("%8.2f  %.3f (%.3f to %.3f)\n", p.coverage, p.precision.value, p.precision.low, p.precision.high);
    list.push_back({{"coverage", p.coverage},
                    {"score", p.score},
                    {"accepted", p.accepted},
                    {"right", p.right},
                    {"precision", interval_json(p.precision)}});
  }
  std::printf("at the threshold: %lld of %zu cards accepted, precision %.3f (%.3f to %.3f), target %.3f; AUROC %.3f\n",
              static_cast<long long>(accepted), cards.size(), at_threshold.value, at_threshold.low, at_threshold.high,
              loaded.verifier.target().target, eval::auroc_of(cards));
  if (!o.output.empty()) {
    const Json json = {{"points", std::move(list)},
                       {"cards", cards.size()},
                       {"accepted", accepted},
                       {"right", right},
                       {"precision", interval_json(at_threshold)},
                       {"target", loaded.verifier.target().target},
                       {"auroc", eval::auroc_of(cards)}};
    write_file_atomic(o.output, dump_json(json, 1) + "\n");
  }
  if (!o.picture.empty()) write_file_atomic(o.picture, tasks::curve_svg(points, loaded.verifier));
  return 0;
}

}  // namespace

int run_verify(std::span<const std::string_view> arguments) {
  VerifyOptions o;
  datasets::RowsOptions row_options;
  OptionList list(o, row_options);
  static constexpr std::string_view kExamples[] = {
      "onggi verify fit --rows data --split split.json --answers validation.jsonl --target 0.8 --output verifier.json",
      "onggi verify curve --verifier verifier.json --rows data --split split.json --part test --answers test.jsonl "
      "--picture curve.svg",
      "onggi verify apply --verifier verifier.json --labelled train.jsonl --rows new.jsonl --answers new_answers.jsonl "
      "\\\n"
      "             --output verdicts.jsonl --people to_people.jsonl"};
  if (wants_help(arguments) || arguments.empty()) {
    print_help(
        "verify fit|apply|curve --rows FILE --answers FILE [options]",
        "Decides which theme cards need no person: rules first, then a probability learnt from cards that people have\n"
        "given, with a threshold that is vouched for. The rest goes to people, or is rejected with its reasons.",
        list.help_text(), kExamples);
    return arguments.empty() ? 2 : 0;
  }
  const auto words = list.parse_flags(arguments);
  require(words.size() == 1 && (words[0] == "fit" || words[0] == "apply" || words[0] == "curve"),
          "verify needs one of the words fit, apply and curve");
  const bool is_fit = words[0] == "fit";
  require(!o.rows.empty(), "--rows is missing: the rows that were answered");
  require(!o.answers.empty(), "--answers is missing: what `onggi generate` wrote for these rows");
  require(is_fit || !o.verifier.empty(), "--verifier is missing: what `onggi verify fit` wrote");
  require(words[0] == "curve" || !o.output.empty(), "--output is missing: the file to write");
  const auto rows = read_verify_rows(o, row_options);
  const auto answers = eval::read_supported_answers(o.answers);
  if (is_fit) return fit(o, rows, answers);
  return words[0] == "apply" ? apply(o, rows, answers) : curve(o, rows, answers);
}

}  // namespace onggi::cli
