#include "onggi/tasks/generate/generate.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/datasets/answers.h"
#include "onggi/datasets/data_card.h"
#include "onggi/models/adapter_io.h"
#include "onggi/tasks/generate/consensus.h"
#include "onggi/tasks/generate/fields.h"
#include "onggi/tasks/generate/output.h"
#include "onggi/tasks/text_rows.h"
#include "onggi/train/progress.h"

namespace onggi::tasks {
namespace {

/// Rows that share one head subset; their slots decide its columns.
constexpr std::size_t kRowsPerJob = 2048;

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct JobRows {
  std::vector<datasets::Row> rows;      ///< To answer.
  std::vector<datasets::Row> labelled;  ///< What a rule extractor may learn from.
};

JobRows job_rows(const GenerateFiles& files, const datasets::RowsOptions& row_options) {
  JobRows job{.rows = read_all_rows(files.rows, row_options), .labelled = {}};
  if (!files.extractor_rows.empty()) job.labelled = read_all_rows(files.extractor_rows, row_options);
  if (files.split.empty()) return job;
  auto parts = split_and_check(job.rows, read_split_options(files.split));
  std::vector<datasets::Row> before;
  if (files.part == "train") {
    job.rows = std::move(parts.train);
  } else {
    before = std::move(parts.train);
    if (files.part == "test") before.insert(before.end(), parts.validation.begin(), parts.validation.end());
    job.rows = files.part == "test" ? std::move(parts.test) : std::move(parts.validation);
  }
  if (job.labelled.empty()) job.labelled = std::move(before);
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
    for (const auto& f : find_fields(answer.text)) {
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
  options.max_cards = 0;  // No more than a sample has, so no more than the guide allows.
  for (const auto& sample : samples) {
    const auto cards = datasets::parse_cards(sample.text);
    if (sample.complete && cards) options.max_cards = std::max(options.max_cards, cards->size());
  }
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

}  // namespace

void require_generate_files(const GenerateFiles& files) {
  require(!files.rows.empty(), "--rows is missing: a JSONL or CSV file");
  require(!files.prompt.empty(), "--template is missing: a prompt template (docs/formats/dataset.md)");
  require(!files.output.empty(), "--output is missing: the JSONL file to write");
  require(files.part == "train" || files.part == "validation" || files.part == "test",
          [&] { return "--part is \"" + files.part + "\", expected train, validation or test"; });
}

GenerateSummary generate_file(GenerateModel model, const GenerateFiles& files, const datasets::RowsOptions& row_options,
                              const GenerateOptions& options, bool is_terminal,
                              const std::function<void(std::string_view)>& write) {
  require_generate_files(files);
  decode::check_sampling(options.sampling);
  require(options.samples >= 1 && options.samples <= 256, [&] { return "--samples is " + std::to_string(options.samples) + ", expected 1 to 256"; });
  require(options.samples == 1 || options.sampling.temperature > 0.0F, "--samples of more than 1 needs --temperature above 0: greedy samples are all the same");
  require(options.samples == 1 || !options.fields, "--fields gives the probabilities of one answer; it does not go with --samples");
  require(options.least_share > 0.0 && options.least_share <= 1.0, "--least-share is out of range, expected above 0 and at most 1");
  require(options.extractor_weight >= 0.0 && options.extractor_weight <= 1.0, "--extractor-weight is out of range, expected 0 to 1");
  require(options.extractor_weight == 0.0 || options.samples > 1, "--extractor-weight joins a rule extractor with samples, so it needs --samples of more than 1");
  const auto prompt = datasets::PromptTemplate::load(files.prompt);
  const bool are_cards = prompt.answer_format() == "cards";
  require(options.extractor_weight == 0.0 || are_cards, "--extractor-weight needs a template whose answers are cards", ErrorCode::kInvalidArgument, files.prompt);
  const auto [rows, labelled] = job_rows(files, row_options);
  const auto extractor = second_reader(options, labelled);
  const TextSet texts = make_text_set(rows, prompt, false);

  GenerateOptions copy = options;
  copy.batch_rows = 0;  // changes no answer, so a resumed job may use another
  Json manifest = {{"base", model.base_hash}, {"tokenizer", model.tokenizer->content_hash()}, {"template", prompt.content_hash()},
                   {"rows", datasets::content_hash(rows)}, {"options", OptionList(copy).to_json()}};
  std::optional<nn::Adapter> adapter;
  manifest["extractor_rows"] = extractor ? Json(datasets::content_hash(labelled)) : Json(nullptr);
  manifest["adapter"] = nullptr;
  if (!files.adapter.empty()) {
    const auto adapter_files = nn::read_adapter(files.adapter);
    const std::vector<std::pair<std::string, std::string>> hashes = {{"base", model.base_hash}, {"tokenizer", model.tokenizer->content_hash()}};
    nn::check_adapter_origin(adapter_files, hashes, files.adapter);
    adapter = models::adapter_from_files(model.context, model.decoder, adapter_files, files.adapter);
    manifest["adapter"] = sha256_file(std::filesystem::path(files.adapter) / "adapter_model.safetensors");
  }
  std::shared_ptr<const decode::Guide> guide;
  manifest["guide"] = nullptr;
  if (!files.guide.empty()) {
    guide = decode::load_guide(files.guide, model.tokenizer);
    manifest["guide"] = sha256_file(files.guide);
  }
  runtime::Generator generator(model.context, model.decoder, *model.tokenizer, adapter ? &*adapter : nullptr, guide,
                               encode_prefix(*model.tokenizer, texts.prefix),
                               {.batch_rows = options.batch_rows, .max_new_tokens = options.max_new_tokens, .sampling = options.sampling,
                                .seed = static_cast<std::uint64_t>(options.seed)});
  OrderedOutput output(files.output, manifest);  // Last, so that what was refused leaves nothing behind.
  const auto total = static_cast<std::int64_t>(rows.size());
  require(output.num_done() <= total, "the output has more lines than there are rows", ErrorCode::kInvalidArgument, files.output);
  SampleCollector collector(options.samples);
  GenerateSummary summary;
  const double start = clock_seconds();
  double shown = start;
  const auto show = [&](bool last) {
    const double now = clock_seconds();
    if (!last && now - shown < (is_terminal ? 0.2 : 10.0)) return;
    shown = now;
    const auto done = summary.num_answered + summary.num_failed;
    const double rate = static_cast<double>(done) / std::max(1e-9, now - start);
    const auto left = static_cast<double>(total - output.num_done());
    char line[200];
    std::snprintf(line, sizeof line, "%s%lld/%lld rows  %.1f rows/s  %.0f tokens/s  %lld failed  %s left%s", is_terminal ? "\r" : "",
                  static_cast<long long>(output.num_done()), static_cast<long long>(total), rate,
                  static_cast<double>(generator.counts().prompt_tokens + generator.counts().generated_tokens) / std::max(1e-9, now - start),
                  static_cast<long long>(summary.num_failed), train::format_duration(rate > 0 ? left / rate : 0).c_str(), is_terminal && !last ? "" : "\n");
    if (write) write(line);
  };
  for (std::int64_t first = output.num_done(); first < total;) {
    const std::int64_t end = std::min<std::int64_t>(total, first + static_cast<std::int64_t>(kRowsPerJob));
    std::vector<runtime::Request> requests;
    for (std::int64_t i = first; i < end; ++i) {
      const TextRow& row = texts.rows[static_cast<std::size_t>(i)];
      requests.push_back({.index = i, .prompt = encode_prompt(*model.tokenizer, row.prompt), .slots = row.slots, .num_samples = options.samples});
    }
    generator.run(requests, [&](runtime::Answer&& part) {
      auto samples = collector.add(std::move(part));
      if (!samples) return;
      const auto index = static_cast<std::size_t>(samples->front().index);
      ConsensusOptions how{.are_cards = are_cards, .least_share = options.least_share, .opinion_weight = options.extractor_weight};
      std::optional<eval::RuleExtractor::Opinion> opinion;
      if (extractor) how.opinion = &opinion.emplace(extractor->opinion(eval::theme_row_without_cards(rows[index])));
      const auto answer = settle(*samples, how, guide.get(), texts.rows[index].slots);
      ++(answer.complete ? summary.num_answered : summary.num_failed);
      Json line = answer_line(rows[index], answer, options.fields);
      if (options.show_samples) line["samples"] = samples_json(*samples);
      output.add(answer.index, dump_line(line));
      show(false);
    });
    first = end;
  }
  output.sync();
  show(true);
  const double seconds = std::max(1e-9, clock_seconds() - start);
  summary.rows_per_s = static_cast<double>(summary.num_answered + summary.num_failed) / seconds;
  summary.tokens_per_s = static_cast<double>(generator.counts().prompt_tokens + generator.counts().generated_tokens) / seconds;
  return summary;
}

}  // namespace onggi::tasks
