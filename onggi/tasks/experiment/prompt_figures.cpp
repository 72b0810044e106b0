#include "onggi/tasks/experiment/prompt_figures.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <memory>
#include <numeric>

#include "onggi/core/error.h"
#include "onggi/train/sft_step.h"

namespace onggi::tasks {
namespace {

/// Calls field(name, member) for every figure: the one list for reading and writing.
template <class Figures, class V>
void visit_figures(Figures& f, V&& field) {
  field("name", f.name);
  field("template_characters", f.template_characters);
  field("prefix_tokens", f.prefix_tokens);
  field("prompt_tokens", f.prompt_tokens);
  field("eval_loss", f.eval_loss);
  field("scored_tokens", f.scored_tokens);
  field("updates", f.updates);
  field("training_tokens_per_s", f.training_tokens_per_s);
  field("rows_per_s", f.rows_per_s);
  field("num_failed", f.num_failed);
}

}  // namespace

Json PromptFigures::to_json() const {
  Json json = Json::object();
  visit_figures(*this, [&](const char* name, const auto& value) { json[name] = value; });
  return json;
}

PromptFigures PromptFigures::from_json(const Json& json, std::string_view where) {
  require(json.is_object(), "expected a JSON object", ErrorCode::kCorrupt, where);
  PromptFigures figures;
  visit_figures(figures, [&]<class T>(const char* name, T& value) {
    const auto it = json.find(name);
    const bool is_right = it != json.end() && (std::same_as<T, std::string> ? it->is_string() : it->is_number());
    require(
        is_right, [&] { return std::string("member \"") + name + "\" is missing or of another type"; },
        ErrorCode::kCorrupt, where);
    value = it->template get<T>();
  });
  return figures;
}

void count_prompt_tokens(const text::Tokenizer& tokenizer, const TextSet& rows, PromptFigures& figures) {
  require(!rows.rows.empty(), "there is no row to count the prompt's tokens of");
  figures.prefix_tokens = static_cast<std::int64_t>(encode_prefix(tokenizer, rows.prefix).size());
  std::int64_t sum = 0;
  for (const TextRow& row : rows.rows)
    sum += figures.prefix_tokens + static_cast<std::int64_t>(encode_prompt(tokenizer, row.prompt).size());
  figures.prompt_tokens = static_cast<double>(sum) / static_cast<double>(rows.rows.size());
}

void measure_loss(nn::Context& context, models::Decoder& decoder, nn::Adapter* adapter,
                  const text::Tokenizer& tokenizer, const TextSet& rows, const decode::Guide* guide,
                  PromptFigures& figures) {
  constexpr std::size_t kRowsPerPass = 16;
  std::vector<int> columns;
  std::unique_ptr<models::HeadSubset> subset;
  if (guide != nullptr) {
    const std::array<const TextSet*, 1> sets = {&rows};
    columns = guide_columns(*guide, sets);
    subset = std::make_unique<models::HeadSubset>(context, decoder, columns);
  }
  EncodeReport report;
  const auto examples = encode_examples(tokenizer, rows, decoder.config().max_positions, guide, columns, report);
  figures.scored_tokens = examples.num_scored();
  require(figures.scored_tokens > 0,
          "no row is left to measure the loss on: " + std::to_string(report.num_too_long) +
              " are longer than the model's context, the guide can't produce the answers of " +
              std::to_string(report.num_unreachable));
  train::SupervisedStep step(context, decoder, adapter, subset.get());
  double sum = 0.0;
  for (std::size_t first = 0; first < examples.examples.size(); first += kRowsPerPass) {
    std::vector<std::size_t> batch(std::min(kRowsPerPass, examples.examples.size() - first));
    std::iota(batch.begin(), batch.end(), first);
    sum += step.evaluate(examples, batch);
  }
  figures.eval_loss = sum / static_cast<double>(figures.scored_tokens);
}

double cost_per_million_rows(double rows_per_s, double price_per_hour) {
  require(rows_per_s > 0, "no rows a second were measured", ErrorCode::kInternal);
  return 1e6 / rows_per_s / 3600.0 * price_per_hour;
}

}  // namespace onggi::tasks
