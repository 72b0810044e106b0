#include "onggi/tasks/generate/generate.h"

#include <algorithm>
#include <map>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/datasets/answers.h"
#include "onggi/datasets/data_card.h"
#include "onggi/runtime/fields.h"
#include "onggi/tasks/generate/consensus.h"
#include "onggi/tasks/ordered_output.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::tasks {
namespace {

/// Rows that share one head subset; their slots decide its columns.
constexpr std::int64_t kRowsPerJob = 2048;

struct JobRows {
  std::vector<datasets::Row> rows;      ///< To answer.
  std::vector<datasets::Row> labelled;  ///< What a rule extractor may learn from.
};

JobRows job_rows(const GenerateFiles& files, const datasets::RowsOptions& row_options) {
  JobRows job{.rows = read_all_rows(files.rows, row_options), .labelled = {}};
  if (!files.extractor_rows.empty()) job.labelled = read_all_rows(files.extractor_rows, row_options);
  if (files.split.empty()) return job;
  auto taken = take_part(split_and_check(job.rows, read_split_options(files.split)), files.part);
  job.rows = std::move(taken.rows);
  if (job.labelled.empty()) job.labelled = std::move(taken.before);
  return job;
}

/// Nothing where the options ask for no second reader.
std::optional<eval::RuleExtractor> second_reader(const GenerateOptions& options, std::span<const datasets::Row> labelled) {
  if (options.extractor_weight == 0.0) return std::nullopt;
  require(!labelled.empty(), "--extractor-weight needs labelled rows: --extractor-rows FILE, or --split with --part validation or test");
  return eval::RuleExtractor::fit(eval::theme_rows(labelled), {.num_folds = 0});
}

Json answer_line(const datasets::Row& row, const runtime::Answer& answer, bool with_fields) {
  Json line = {{"id", row.id}};
  if (!answer.complete) {
    line["text"] = nullptr;
    line["failure"] = answer.failure;
    return line;
  }
  line["text"] = answer.text;
  line["log_probability"] = answer.log_probability;
  if (!answer.tokens.empty()) line["tokens"] = answer.tokens.size();  // A consensus of cards is nobody's tokens.
  if (with_fields) {
    Json fields = Json::array();
    for (const auto& f : runtime::find_fields(answer.text)) {
      fields.push_back({{"field", f.pointer}, {"text", answer.text.substr(f.begin, f.end - f.begin)},
                        {"log_probability", answer.log_probability_of(f.begin, f.end)}});
    }
    line["fields"] = std::move(fields);
  }
  return line;
}

/// Gathers a row's samples, which end in any order.
class SampleCollector {
 public:
  explicit SampleCollector(int num_samples) : num_samples_(static_cast<std::size_t>(num_samples)) {}

  /// All samples of the answer's row, in their order, once the last is there.
  std::optional<std::vector<runtime::Answer>> add(runtime::Answer&& answer) {
    auto& samples = waiting_[answer.index];
    samples.push_back(std::move(answer));
    if (samples.size() < num_samples_) return std::nullopt;
    std::sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.sample < b.sample; });
    const std::int64_t index = samples.front().index;
    auto all = std::move(samples);
    waiting_.erase(index);
    return all;
  }

 private:
  std::size_t num_samples_;
  std::map<std::int64_t, std::vector<runtime::Answer>> waiting_;
};

/// What is written for a row: its one sample, or the consensus. Cards that no single sample held together may still break
/// the guide (one that wants a card, or two names never together): then the text that most samples agree on.
runtime::Answer settle(std::span<const runtime::Answer> samples, ConsensusOptions options, const decode::Guide* guide, const decode::Slots& slots) {
  if (samples.size() == 1) return samples.front();
  auto answer = consensus(samples, options);
  if (!answer.complete || guide == nullptr || guide->accepts(answer.text, slots)) return answer;
  options.are_cards = false;
  return consensus(samples, options);
}

Json samples_json(std::span<const runtime::Answer> samples) {
  Json list = Json::array();
  for (const auto& sample : samples) {
    if (sample.complete) {
      list.push_back({{"text", sample.text}, {"log_probability", sample.log_probability}});
    } else {
      list.push_back({{"text", nullptr}, {"failure", sample.failure}});
    }
  }
  return list;
}

/// Answers may hold bytes that are no UTF-8 (free generation): they are shown as U+FFFD.
std::string dump_line(const Json& line) { return line.dump(-1, ' ', false, Json::error_handler_t::replace); }

void check(const GenerateFiles& files, const GenerateOptions& options, const datasets::PromptTemplate& prompt) {
  require_generate_files(files);
  decode::check_sampling(options.sampling);
  require(options.samples >= 1 && options.samples <= 256, [&] { return "--samples is " + std::to_string(options.samples) + ", expected 1 to 256"; });
  require(options.samples == 1 || options.sampling.temperature > 0.0F, "--samples of more than 1 needs --temperature above 0: greedy samples are all the same");
  const bool joins = options.samples > 1 || files.adapters.size() > 1;
  require(!joins || !options.fields, "--fields gives the probabilities of one answer; it does not go with --samples or several adapters");
  require(options.least_share > 0.0 && options.least_share <= 1.0, "--least-share is out of range, expected above 0 and at most 1");
  require(options.extractor_weight >= 0.0 && options.extractor_weight <= 1.0, "--extractor-weight is out of range, expected 0 to 1");
  if (options.extractor_weight == 0.0) return;
  require(joins, "--extractor-weight joins a rule extractor with samples, so it needs --samples of more than 1");
  require(prompt.answer_format() == "cards", "--extractor-weight needs a template whose answers are cards", ErrorCode::kInvalidArgument, files.prompt);
}

/// One output file from its rows to its last line.
class GenerateJob {
 public:
  GenerateJob(RowModel model, const GenerateFiles& files, const datasets::RowsOptions& row_options, const GenerateOptions& options)
      : model_(std::move(model)), files_(files), options_(options), prompt_(datasets::PromptTemplate::load(files.prompt)) {
    check(files_, options_, prompt_);
    rows_ = job_rows(files_, row_options);
    extractor_ = second_reader(options_, rows_.labelled);
    texts_ = make_text_set(rows_.rows, prompt_, false);
    load_adapters();
    if (!files_.guide.empty()) guide_ = decode::load_guide(files_.guide, model_.tokenizer);
  }

  GenerateSummary run(bool is_terminal, const std::function<void(std::string_view)>& write);

 private:
  void load_adapters();
  Json manifest() const;
  void make_generator();
  RowProgress::Counts counts() const;
  void answer_rows(std::int64_t first, std::int64_t end);
  void write_row(const std::vector<runtime::Answer>& samples);

  RowModel model_;
  const GenerateFiles& files_;
  const GenerateOptions& options_;
  datasets::PromptTemplate prompt_;
  JobRows rows_;
  std::optional<eval::RuleExtractor> extractor_;
  TextSet texts_;
  std::vector<nn::Adapter> adapters_;
  std::vector<std::string> adapter_hashes_;
  std::shared_ptr<const decode::Guide> guide_;
  std::optional<runtime::Generator> generator_;
  std::optional<OrderedOutput> output_;
  GenerateSummary summary_;
  std::optional<RowProgress> progress_;
};

void GenerateJob::load_adapters() {
  for (const auto& folder : files_.adapters) {
    auto loaded = load_row_adapter(model_, folder, nn::adapter_type_from_name(options_.adapter_type));
    adapters_.push_back(std::move(loaded.adapter));
    adapter_hashes_.push_back(std::move(loaded.hash));
  }
}

Json GenerateJob::manifest() const {
  GenerateOptions copy = options_;
  copy.batch_rows = 0;  // changes no answer, so a resumed job may use another
  Json adapter = adapter_hashes_;
  if (adapter_hashes_.size() < 2) adapter = adapter_hashes_.empty() ? Json(nullptr) : Json(adapter_hashes_[0]);
  return {{"base", model_.base_hash},
          {"tokenizer", model_.tokenizer->content_hash()},
          {"template", prompt_.content_hash()},
          {"rows", datasets::content_hash(rows_.rows)},
          {"options", OptionList(copy).to_json()},
          {"extractor_rows", extractor_ ? Json(datasets::content_hash(rows_.labelled)) : Json(nullptr)},
          {"adapter", std::move(adapter)},
          {"guide", guide_ ? Json(sha256_file(files_.guide)) : Json(nullptr)}};
}

void GenerateJob::make_generator() {
  const runtime::GeneratorOptions how{.batch_rows = options_.batch_rows, .max_new_tokens = options_.max_new_tokens, .sampling = options_.sampling,
                                      .seed = static_cast<std::uint64_t>(options_.seed)};
  generator_.emplace(model_.context, model_.decoder, *model_.tokenizer, adapters_, guide_, encode_prefix(*model_.tokenizer, texts_.prefix), how);
}

RowProgress::Counts GenerateJob::counts() const {
  return {.num_done = output_->num_done(),
          .num_new = summary_.num_answered + summary_.num_failed,
          .num_failed = summary_.num_failed,
          .num_tokens = generator_->counts().prompt_tokens + generator_->counts().generated_tokens};
}

void GenerateJob::write_row(const std::vector<runtime::Answer>& samples) {
  const auto index = static_cast<std::size_t>(samples.front().index);
  ConsensusOptions how{.are_cards = prompt_.answer_format() == "cards", .least_share = options_.least_share, .opinion_weight = options_.extractor_weight};
  std::optional<eval::RuleExtractor::Opinion> opinion;
  if (extractor_) how.opinion = &opinion.emplace(extractor_->opinion(eval::theme_row_without_cards(rows_.rows[index])));
  const auto answer = settle(samples, how, guide_.get(), texts_.rows[index].slots);
  ++(answer.complete ? summary_.num_answered : summary_.num_failed);
  Json line = answer_line(rows_.rows[index], answer, options_.fields);
  if (options_.show_samples) line["samples"] = samples_json(samples);
  output_->add(answer.index, dump_line(line));
  progress_->show(counts());
}

void GenerateJob::answer_rows(std::int64_t first, std::int64_t end) {
  std::vector<runtime::Request> requests;
  for (std::int64_t i = first; i < end; ++i) {
    const TextRow& row = texts_.rows[static_cast<std::size_t>(i)];
    requests.push_back({.index = i, .prompt = encode_prompt(*model_.tokenizer, row.prompt), .slots = row.slots, .num_samples = options_.samples});
  }
  SampleCollector collector(options_.samples * static_cast<int>(std::max<std::size_t>(1, adapters_.size())));
  generator_->run(requests, [&](runtime::Answer&& part) {
    if (const auto samples = collector.add(std::move(part))) write_row(*samples);
  });
}

GenerateSummary GenerateJob::run(bool is_terminal, const std::function<void(std::string_view)>& write) {
  make_generator();
  // Last, so that what was refused leaves nothing behind.
  output_.emplace(OutputFiles{.lines = files_.output, .records = {}, .manifest = files_.output + ".manifest.json", .command = "onggi generate"}, manifest());
  const auto total = static_cast<std::int64_t>(rows_.rows.size());
  require(output_->num_done() <= total, "the output has more lines than there are rows", ErrorCode::kInvalidArgument, files_.output);
  progress_.emplace(total, is_terminal, write);
  for (std::int64_t first = output_->num_done(); first < total; first += kRowsPerJob) answer_rows(first, std::min(total, first + kRowsPerJob));
  output_->sync();
  progress_->finish(counts());
  summary_.rows_per_s = static_cast<double>(counts().num_new) / progress_->seconds();
  summary_.tokens_per_s = static_cast<double>(counts().num_tokens) / progress_->seconds();
  return summary_;
}

}  // namespace

void require_generate_files(const GenerateFiles& files) {
  require(!files.rows.empty(), "--rows is missing: a JSONL or CSV file");
  require(!files.prompt.empty(), "--template is missing: a prompt template (docs/formats/dataset.md)");
  require(!files.output.empty(), "--output is missing: the JSONL file to write");
  require_part_name(files.part);
}

GenerateSummary generate_file(RowModel model, const GenerateFiles& files, const datasets::RowsOptions& row_options,
                              const GenerateOptions& options, bool is_terminal,
                              const std::function<void(std::string_view)>& write) {
  return GenerateJob(std::move(model), files, row_options, options).run(is_terminal, write);
}

}  // namespace onggi::tasks
