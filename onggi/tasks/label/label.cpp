#include "onggi/tasks/label/label.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/datasets/encoding.h"
#include "onggi/tasks/label/asker.h"
#include "onggi/tasks/label/chat_prompt.h"
#include "onggi/tasks/label/examples.h"
#include "onggi/tasks/label/journal.h"
#include "onggi/tasks/label/label_progress.h"
#include "onggi/tasks/label/sample.h"
#include "onggi/tasks/ordered_output.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kMaxGuidelineBytes = 1 << 20;
/// Rows begun beside the oldest that is not done: what waits in memory for its turn in the output.
constexpr std::int64_t kMaxRowsAhead = 512;
constexpr const char* kProvenance = "teacher";

std::string guidelines_of(const LabelFiles& files) {
  if (files.guidelines.empty()) return {};
  return std::string(datasets::require_utf8(read_file(files.guidelines, kMaxGuidelineBytes), files.guidelines));
}

LabelForm form_of(const datasets::PromptTemplate& prompt, const LabelOptions& options, const Json& schema) {
  LabelForm form{.format = prompt.answer_format(), .column = options.column, .names = options.names};
  if (const auto required = schema.find("required");
      schema.is_object() && required != schema.end() && required->is_array()) {
    for (const Json& name : *required) {
      if (name.is_string()) form.required.push_back(name.get<std::string>());
    }
  }
  return form;
}

Prices prices_of(const LabelLimits& limits) {
  Prices prices{.input = parse_dollars(limits.input_price).value_or(0),
                .output = parse_dollars(limits.output_price).value_or(0)};
  prices.cached_input = limits.cached_price.empty() ? prices.input : *parse_dollars(limits.cached_price);
  return prices;
}

/// A row whose answers are on their way.
struct OpenRow {
  std::vector<LabelSample> samples;
  int num_open = 0;
  std::vector<std::string> keys;  ///< Of every answer that was used, repairs too.
};

class LabelJob {
 public:
  LabelJob(Teacher& teacher, const LabelFiles& files, const datasets::RowsOptions& row_options,
           const LabelOptions& options, const LabelLimits& limits, int max_tokens)
      : teacher_(teacher),
        files_(files),
        options_(options),
        limits_(limits),
        rows_(read_all_rows(files.input, row_options)),
        guidelines_(guidelines_of(files)),
        prompt_(datasets::PromptTemplate::load(files.prompt), guidelines_),
        form_(form_of(prompt_.prompt(), options,
                      files.schema.empty() ? Json() : parse_json(read_file(files.schema), files.schema))),
        max_tokens_(max_tokens) {
    check_rows();
    if (files.examples.empty()) return;
    auto labelled = read_all_rows(files.examples, row_options);
    examples_hash_ = datasets::content_hash(labelled);
    examples_.emplace(std::move(labelled), prompt_.prompt(),
                      ExampleOptions{.nearest = options.nearest, .group = options.group});
    if (!files.vectors.empty())
      examples_->use_vectors(read_npy(files.example_vectors), read_npy(files.vectors), rows_.size());
  }

  LabelSummary run(bool is_terminal, const std::function<void(std::string_view)>& write);

 private:
  void check_rows() const;
  Json manifest() const;
  Json provenance() const;
  void begin_row(std::int64_t index);
  void take(AskedAnswer&& answer);
  void finish_row(std::int64_t index);
  Json line_of(std::int64_t index, const OpenRow& open) const;
  LabelSummary summary() const;

  Teacher& teacher_;
  const LabelFiles files_;
  const LabelOptions options_;
  const LabelLimits limits_;
  const std::vector<datasets::Row> rows_;
  const std::string guidelines_;
  const ChatPrompt prompt_;
  const LabelForm form_;
  const int max_tokens_;
  std::string examples_hash_;
  std::optional<NearestExamples> examples_;
  std::optional<OrderedOutput> output_;
  std::optional<Journal> journal_;
  std::optional<Asker> asker_;
  std::map<std::int64_t, OpenRow> open_;
  Json provenance_;
  std::int64_t num_failed_ = 0, num_repairs_ = 0;
};

void LabelJob::check_rows() const {
  require(!rows_.empty(), "there is no row to label", ErrorCode::kInvalidArgument, files_.input.front());
  for (const auto& row : rows_) {
    require(
        !row.fields.contains(kProvenance),
        [&] { return std::string("the column \"") + kProvenance + "\" is where the labels' origin goes; rename it"; },
        ErrorCode::kInvalidArgument, datasets::place_of(row));
    (void)prompt_.prompt().render(row);
  }
}

Json LabelJob::manifest() const {
  LabelOptions options = options_;
  options.max_retries = 0;  // changes no answer, so a resumed job may use another
  const auto hash_of = [](const std::string& file) { return file.empty() ? Json(nullptr) : Json(sha256_file(file)); };
  return {{"teacher", teacher_.description()},
          {"request", parse_json(teacher_.body(Json::array(), 0), "request")},
          {"prompt", prompt_.prompt().content_hash()},
          {"guidelines", guidelines_.empty() ? Json(nullptr) : Json(sha256_hex(guidelines_))},
          {"examples", examples_ ? Json(examples_hash_) : Json(nullptr)},
          {"vectors", hash_of(files_.vectors)},
          {"example_vectors", hash_of(files_.example_vectors)},
          {"schema", hash_of(files_.schema)},
          {"rows", datasets::content_hash(rows_)},
          {"options", OptionList(options).to_json()}};
}

/// What every label says of its origin.
Json LabelJob::provenance() const {
  Json origin = teacher_.description();
  origin["prompt"] = prompt_.prompt().content_hash();
  if (!guidelines_.empty()) {
    origin["guidelines"] =
        options_.guideline_version.empty() ? sha256_hex(guidelines_).substr(0, 12) : options_.guideline_version;
  }
  return origin;
}

void LabelJob::begin_row(std::int64_t index) {
  const auto& row = rows_[static_cast<std::size_t>(index)];
  std::vector<const datasets::Row*> examples;
  if (examples_) examples = examples_->examples_for(row, static_cast<std::size_t>(index));
  const Json messages = prompt_.messages(row, examples);
  auto& open = open_[index];
  open.samples.resize(static_cast<std::size_t>(options_.answers));
  open.num_open = options_.answers;
  const auto slots = prompt_.prompt().slot_values(row);
  for (int sample = 0; sample < options_.answers; ++sample) {
    asker_->ask({.row = index, .row_id = row.id, .sample = sample, .messages = messages, .slots = slots});
  }
}

void LabelJob::take(AskedAnswer&& answer) {
  LabelSample sample;
  if (answer.failure.empty()) {
    sample = read_sample(answer.reply, form_);
  } else {
    sample.fault = answer.failure;
  }
  sample.key = answer.key;
  if (sample.is_repairable && answer.question.num_repairs < options_.repairs) {
    ++num_repairs_;
    open_.at(answer.question.row).keys.push_back(answer.key);
    AskedQuestion again = std::move(answer.question);
    again.messages = with_complaint(std::move(again.messages), sample.text, sample.fault);
    ++again.num_repairs;
    asker_->ask(std::move(again));
    return;
  }
  auto& open = open_.at(answer.question.row);
  if (answer.failure.empty()) open.keys.push_back(answer.key);
  open.samples[static_cast<std::size_t>(answer.question.sample)] = std::move(sample);
  if (--open.num_open == 0) finish_row(answer.question.row);
}

Json LabelJob::line_of(std::int64_t index, const OpenRow& open) const {
  const auto& row = rows_[static_cast<std::size_t>(index)];
  const RowLabel label = join_samples(open.samples, options_.least_share);
  Json line = {{"id", row.id}};
  for (const auto& [name, value] : row.fields.items()) line[name] = value;
  Json origin = provenance_;
  if (label.columns.is_null()) {
    origin["failure"] = label.fault;
    line[kProvenance] = std::move(origin);
    return line;
  }
  for (const auto& [name, value] : label.columns.items()) {
    if (name != "id" && name != kProvenance) line[name] = value;
  }
  Json columns = Json::array();
  for (const auto& [name, value] : label.columns.items()) columns.push_back(name);
  const auto num_good =
      std::ranges::count_if(open.samples, [](const auto& sample) { return !sample.columns.is_null(); });
  origin["columns"] = std::move(columns);
  origin["confidence"] = label.confidence;
  origin["disagreement"] = label.disagreement;
  origin["answers"] = num_good;
  origin["details"] = label.details;
  // Samples end in any order, so the keys get an order of their own.
  auto keys = open.keys;
  std::ranges::sort(keys);
  origin["keys"] = std::move(keys);
  line[kProvenance] = std::move(origin);
  return line;
}

void LabelJob::finish_row(std::int64_t index) {
  const auto open = std::move(open_.extract(index).mapped());
  const Json line = line_of(index, open);
  if (line[kProvenance].contains("failure")) ++num_failed_;
  output_->add(index, dump_json(line));
}

LabelSummary LabelJob::summary() const {
  const auto& counts = asker_->counts();
  const auto money = asker_->money();
  return {.num_labelled = output_->num_done() - num_failed_,
          .num_failed = num_failed_,
          .num_asked = counts.num_answered,
          .num_found = counts.num_found,
          .num_retries = counts.num_retries,
          .num_repairs = num_repairs_,
          .num_lost = money.num_lost,
          .spent = money.spent,
          .has_prices = !limits_.input_price.empty() || !limits_.output_price.empty()};
}

/// Lines of the output that hold a failure, of earlier calls.
std::int64_t count_failures(const std::string& path, std::int64_t num_lines) {
  if (num_lines == 0) return 0;
  const std::string content = read_file(path);
  std::int64_t count = 0;
  std::size_t at = 0;
  for (std::int64_t i = 0; i < num_lines; ++i) {
    const auto end = content.find('\n', at);
    const Json line = parse_json(std::string_view(content).substr(at, end - at), path + ":" + std::to_string(i + 1));
    const auto origin = line.find(kProvenance);
    count += origin != line.end() && origin->contains("failure") ? 1 : 0;
    at = end + 1;
  }
  return count;
}

LabelSummary LabelJob::run(bool is_terminal, const std::function<void(std::string_view)>& write) {
  const auto total = static_cast<std::int64_t>(rows_.size());
  provenance_ = provenance();
  output_.emplace(OutputFiles{.lines = files_.output,
                              .records = {},
                              .manifest = files_.output + ".manifest.json",
                              .command = "onggi label"},
                  manifest());
  require(output_->num_done() <= total, "the output has more lines than there are rows", ErrorCode::kInvalidArgument,
          files_.output);
  num_failed_ = count_failures(files_.output, output_->num_done());
  journal_.emplace(files_.journal.empty() ? files_.output + ".journal" : files_.journal);
  asker_.emplace(teacher_, *journal_,
                 AskerOptions{.pace = {.most_in_flight = std::min(limits_.parallel, teacher_.most_in_flight()),
                                       .first_in_flight = teacher_.first_in_flight(),
                                       .requests_per_minute = limits_.requests_per_minute,
                                       .tokens_per_minute = limits_.tokens_per_minute},
                              .prices = prices_of(limits_),
                              .max_cost = limits_.max_cost.empty() ? std::nullopt : parse_dollars(limits_.max_cost),
                              .max_tokens = max_tokens_,
                              .max_retries = options_.max_retries});
  LabelProgress progress(total, output_->num_done(), is_terminal, write);
  std::int64_t next = output_->num_done();
  while (output_->num_done() < total) {
    // As many rows as keep the teacher busy, and no more: what is begun is held in memory.
    while (next < total && next - output_->num_done() < kMaxRowsAhead && asker_->wants_more()) begin_row(next++);
    for (auto& answer : asker_->step()) take(std::move(answer));
    progress.show(summary(), asker_->num_in_flight(), false);
  }
  output_->sync();
  progress.show(summary(), 0, true);
  return summary();
}

void require_price(const std::string& text, const char* flag) {
  require(text.empty() || parse_dollars(text), [&] {
    return std::string(flag) + " is \"" + text +
           "\", expected dollars as 0.15, with at most six digits after the point";
  });
}

}  // namespace

void check_label(const LabelFiles& files, const LabelOptions& options, const LabelLimits& limits, double temperature) {
  require(!files.teacher.empty(), "--teacher is missing: an address (https://host/v1) or a checkpoint");
  require(!files.prompt.empty(), "--prompt is missing: a prompt template (docs/formats/dataset.md)");
  require(!files.input.empty(), "--input is missing: a JSONL or CSV file of rows");
  require(!files.output.empty(), "--output is missing: the JSONL file of labels to write");
  require(files.vectors.empty() == files.example_vectors.empty(), "--vectors and --example-vectors go together");
  require(files.vectors.empty() || !files.examples.empty(), "--vectors needs --examples");
  require(options.answers >= 1 && options.answers <= 64,
          [&] { return "--answers is " + std::to_string(options.answers) + ", expected 1 to 64"; });
  require(options.answers == 1 || temperature > 0.0,
          "--answers of more than 1 needs --temperature above 0: else they are all the same");
  require(options.nearest >= 1 && options.nearest <= 64,
          [&] { return "--nearest is " + std::to_string(options.nearest) + ", expected 1 to 64"; });
  require(options.least_share > 0.0 && options.least_share <= 1.0,
          "--least-share is out of range, expected above 0 and at most 1");
  require(options.repairs >= 0 && options.repairs <= 10,
          [&] { return "--repairs is " + std::to_string(options.repairs) + ", expected 0 to 10"; });
  require(options.max_retries >= 0 && options.max_retries <= 100,
          [&] { return "--max-retries is " + std::to_string(options.max_retries) + ", expected 0 to 100"; });
  require(!options.column.empty(), "--label-column is empty");
  require(limits.parallel >= 1 && limits.parallel <= 1024,
          [&] { return "--parallel is " + std::to_string(limits.parallel) + ", expected 1 to 1024"; });
  require(limits.requests_per_minute >= 0 && limits.tokens_per_minute >= 0, "a limit a minute is below 0");
  require_price(limits.input_price, "--input-price");
  require_price(limits.cached_price, "--cached-price");
  require_price(limits.output_price, "--output-price");
  require_price(limits.max_cost, "--max-cost");
  require(limits.max_cost.empty() || (!limits.input_price.empty() && !limits.output_price.empty()),
          "--max-cost needs --input-price and --output-price: what a million tokens cost");
}

LabelSummary label_file(Teacher& teacher, const LabelFiles& files, const datasets::RowsOptions& row_options,
                        const LabelOptions& options, const LabelLimits& limits, int max_tokens, bool is_terminal,
                        const std::function<void(std::string_view)>& write) {
  return LabelJob(teacher, files, row_options, options, limits, max_tokens).run(is_terminal, write);
}

}  // namespace onggi::tasks
