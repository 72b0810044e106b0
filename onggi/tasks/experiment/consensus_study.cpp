#include "onggi/tasks/experiment/consensus_study.h"

#include <algorithm>
#include <cstdio>

#include "onggi/core/error.h"
#include "onggi/datasets/rows.h"
#include "onggi/tasks/generate/consensus.h"

namespace onggi::tasks {
namespace {

constexpr int kWeightSteps = 10, kShareSteps = 12;  // weights 0 to 0.9 by 0.1, shares 0.05 to 0.6 by 0.05

using Opinions = std::vector<eval::RuleExtractor::Opinion>;

Opinions opinions_of(std::span<const eval::ThemeRow> rows, const eval::RuleExtractor& extractor) {
  Opinions opinions;
  for (const auto& row : rows) opinions.push_back(extractor.opinion(row));
  return opinions;
}

ConsensusOptions setting(const Opinions& opinions, std::size_t row, double weight, double share) {
  return {.are_cards = true, .least_share = share, .opinion = &opinions[row], .opinion_weight = weight};
}

eval::ThemeCounts count_all(std::span<const eval::ThemeRow> gold, std::span<const std::vector<runtime::Answer>> samples,
                            const Opinions& opinions, double weight, double share) {
  eval::ThemeCounts counts;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const auto answer = consensus(samples[i], setting(opinions, i, weight, share));
    counts += eval::count_row(gold[i], eval::make_prediction(gold[i].id, answer.complete ? answer.text : ""), {});
  }
  return counts;
}

/// The mean over a cell and those beside it.
double smoothed_f1(const ConsensusStudy& study, std::size_t weight, std::size_t share) {
  double sum = 0;
  int count = 0;
  for (std::size_t w = weight - (weight > 0); w <= std::min(weight + 1, study.weights.size() - 1); ++w) {
    for (std::size_t s = share - (share > 0); s <= std::min(share + 1, study.shares.size() - 1); ++s) {
      sum += study.cell(w, s).f1();
      ++count;
    }
  }
  return sum / count;
}

runtime::Answer read_sample(const Json& json, const std::string& where) {
  require(json.is_object() && json.contains("text"), "a sample is no object with \"text\"", ErrorCode::kCorrupt, where);
  runtime::Answer answer;
  if (json["text"].is_null()) return answer;
  require(json["text"].is_string() && json.contains("log_probability") && json["log_probability"].is_number(),
          "a sample's \"text\" is no string, or its \"log_probability\" no number", ErrorCode::kCorrupt, where);
  answer.text = json["text"].get<std::string>();
  answer.log_probability = json["log_probability"].get<double>();
  answer.complete = true;
  return answer;
}

std::string format(const char* pattern, double value) {
  char text[32];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

}  // namespace

double ConsensusCell::f1() const { return eval::theme_figures()[0].value(counts); }

std::vector<std::vector<runtime::Answer>> read_samples(const std::filesystem::path& path, std::span<const eval::ThemeRow> gold) {
  const auto rows = datasets::read_rows(path);
  require(rows.size() == gold.size(), [&] { return "expected " + std::to_string(gold.size()) + " rows, as the labelled ones, found " + std::to_string(rows.size()); },
          ErrorCode::kInvalidArgument, path.string());
  std::vector<std::vector<runtime::Answer>> samples(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = datasets::place_of(rows[i]);
    require(rows[i].id == gold[i].id, [&] { return "expected the row \"" + gold[i].id + "\", found \"" + rows[i].id + "\""; }, ErrorCode::kInvalidArgument, where);
    const auto list = rows[i].fields.find("samples");
    require(list != rows[i].fields.end() && list->is_array() && !list->empty(), "the row has no list \"samples\": generate with --show-samples", ErrorCode::kInvalidArgument, where);
    for (const Json& sample : *list) samples[i].push_back(read_sample(sample, where));
  }
  return samples;
}

ConsensusStudy study_consensus(std::span<const eval::ThemeRow> gold, std::span<const std::vector<runtime::Answer>> samples,
                               const eval::RuleExtractor& extractor) {
  ConsensusStudy study;
  const Opinions opinions = opinions_of(gold, extractor);
  for (int w = 0; w < kWeightSteps; ++w) study.weights.push_back(w / 10.0);
  for (int s = 1; s <= kShareSteps; ++s) study.shares.push_back(s / 20.0);
  for (const double weight : study.weights) {
    for (const double share : study.shares) study.cells.push_back({weight, share, count_all(gold, samples, opinions, weight, share)});
  }
  double best = -1;
  for (std::size_t c = 0; c < study.cells.size(); ++c) {
    const double f1 = smoothed_f1(study, c / study.shares.size(), c % study.shares.size());
    if (f1 > best) best = f1, study.best = c;
  }
  return study;
}

std::string consensus_answers(std::span<const eval::ThemeRow> gold, std::span<const std::vector<runtime::Answer>> samples,
                              const eval::RuleExtractor& extractor, double extractor_weight, double least_share) {
  const Opinions opinions = opinions_of(gold, extractor);
  std::string lines;
  for (std::size_t i = 0; i < gold.size(); ++i) {
    const auto answer = consensus(samples[i], setting(opinions, i, extractor_weight, least_share));
    lines += Json({{"id", gold[i].id}, {"text", answer.complete ? Json(answer.text) : Json(nullptr)}}).dump() + "\n";
  }
  return lines;
}

Json ConsensusStudy::to_json() const {
  Json list = Json::array();
  for (const auto& cell : cells) {
    Json item = {{"extractor_weight", cell.extractor_weight}, {"least_share", cell.least_share}};
    for (const auto& figure : eval::theme_figures()) item[std::string(figure.id)] = figure.value(cell.counts);
    list.push_back(std::move(item));
  }
  return {{"cells", std::move(list)}, {"extractor_weight", cells[best].extractor_weight}, {"least_share", cells[best].least_share}};
}

std::string ConsensusStudy::to_text() const {
  std::string text = "F1 (entity, aspect)\nweight  share";
  for (const double share : shares) text += format("  %5.2f", share);
  text += "\n";
  for (std::size_t w = 0; w < weights.size(); ++w) {
    text += format("%6.1f       ", weights[w]);
    for (std::size_t s = 0; s < shares.size(); ++s) {
      text += (w * shares.size() + s == best ? " *" : "  ") + format("%.3f", cell(w, s).f1());
    }
    text += "\n";
  }
  return text + "best with its neighbours: --extractor-weight " + format("%.1f", cells[best].extractor_weight) + " --least-share " +
         format("%.2f", cells[best].least_share) + "\n";
}

}  // namespace onggi::tasks
