#include <cstdio>
#include <filesystem>
#include <optional>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/formats/checkpoint.h"
#include "onggi/tasks/generate/generate.h"
#include "onggi/tasks/row_job.h"
#include "onggi/tasks/themes/themes.h"

namespace onggi::cli {
namespace {

struct AnswerFlags {
  std::string base, prompt, guide;
  std::vector<std::string> adapters;
  std::string adapter_type = "f32";
  int max_new_tokens = 256, batch_rows = 16, threads = 0;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model that answers: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("adapter", adapters, "PEFT folder that was tuned for the job.");
    field("adapter_type", adapter_type, "The adapter as f32 or int8.");
    field("template", prompt, "Prompt template that the adapter was tuned with.");
    field("guide", guide, "Guide file: the language that answers must belong to.");
    field("max_new_tokens", max_new_tokens, "A review whose answer has not ended by then is marked as failed.");
    field("batch_rows", batch_rows, "Reviews answered side by side; changes speed, never an answer.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
  }
};

void say(std::string_view line) { std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data()); }

void write_error(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

/// Answers with a model of ours. It is read only when it is needed.
tasks::Answerer model_answers(const AnswerFlags& flags) {
  Json adapters = Json::array();
  for (const auto& folder : flags.adapters)
    adapters.push_back(sha256_file((std::filesystem::path(folder) / "adapter_model.safetensors").string()));
  tasks::Answerer answerer;
  answerer.key = {{"base", base_hash(*formats::open_checkpoint(resolve_base(flags.base)))},
                  {"adapters", std::move(adapters)},
                  {"adapter_type", flags.adapter_type},
                  {"template", sha256_file(flags.prompt)},
                  {"guide", sha256_file(flags.guide)},
                  {"max_new_tokens", flags.max_new_tokens}};
  answerer.files = {"answers.jsonl.manifest.json"};
  answerer.answer = [flags](const std::string& reviews, const std::string& answers) {
    Session s = open_session(flags.base, flags.threads, models::Compute::kInt8,
                             models::base_type_from_name(adapters_base_type(flags.adapters)));
    tasks::GenerateFiles files;
    files.rows = {reviews};
    files.prompt = flags.prompt;
    files.adapters = flags.adapters;
    files.guide = flags.guide;
    files.output = answers;
    tasks::GenerateOptions options;
    options.sampling.temperature = 0;
    options.fields = true;
    options.max_new_tokens = flags.max_new_tokens;
    options.batch_rows = flags.batch_rows;
    options.adapter_type = flags.adapter_type;
    tasks::generate_file(
        {.context = *s.context, .decoder = *s.decoder, .tokenizer = s.tokenizer, .base_hash = base_hash(*s.checkpoint)},
        files, {}, options, ::isatty(STDERR_FILENO) == 1, write_error);
  };
  return answerer;
}

void check(const std::vector<std::string>& words, const AnswerFlags& flags) {
  require(!words.empty() && words[0] == "run", "themes needs the word run: onggi themes run reviews.jsonl");
  require(words.size() > 1, "the reviews are missing: onggi themes run reviews.jsonl");
  require(!flags.prompt.empty(), "--template is missing: the prompt template that the adapter was tuned with");
  require(!flags.guide.empty(), "--guide is missing: the guide of the answers, as examples/review-themes/guide.json");
  require(flags.adapters.size() <= 1, "themes run takes one --adapter");
}

}  // namespace

int run_themes(std::span<const std::string_view> arguments) {
  tasks::ThemeFlowFiles files;
  AnswerFlags flags;
  tasks::ReviewOptions reviews;
  tasks::ThemeCardOptions cards;
  datasets::RowsOptions row_options;
  cluster::ClusterOptions clusters;
  OptionList list(files, flags, reviews, cards, row_options);
  list.add("outliers", clusters.outliers,
           "What marks an expression that does not belong: lof, robust-z, glosh or none.");
  list.add("cut", clusters.cut, "Score above which it does not; 0 = the detector's own.");
  static constexpr std::string_view kExamples[] = {
      "onggi themes run reviews.jsonl --adapter runs/first/adapter --template prompt.txt --guide guide.json --folder "
      "shop",
      "onggi themes run reviews.csv --columns review=text,product=title --adapter runs/first/adapter --template "
      "prompt.txt \\\n"
      "             --guide guide.json --verifier verifier.json --labelled train.jsonl --decisions reviewed.jsonl "
      "--folder shop"};
  if (wants_help(arguments) || arguments.empty()) {
    print_help(
        "themes run FILE... [options]",
        "From raw reviews to theme cards: leaves out what is empty or repeated, has the model answer, verifies the\n"
        "cards, takes out what does not belong, and chooses what is shown. Open monitor.html in the folder meanwhile.\n"
        "Stopped at any point, the same command goes on; a stage is done again only where something before it changed.",
        list.help_text(), kExamples);
    return arguments.empty() ? 2 : 0;
  }
  auto words = list.parse_flags(arguments);
  check(words, flags);
  words.erase(words.begin());
  clusters.seed = reviews.seed;
  ThreadPool pool(flags.threads);
  const auto book = tasks::run_theme_flow({.files = files,
                                           .reviews = reviews,
                                           .clusters = clusters,
                                           .cards = cards,
                                           .rows = words,
                                           .row_options = row_options,
                                           .answerer = model_answers(flags),
                                           .pool = pool,
                                           .say = say,
                                           .report = {}});
  double seconds = 0;
  for (const auto& record : book.records()) {
    std::printf("%-10s %8.1f s  %s\n", record.name.c_str(), record.seconds, dump_json(record.counts).c_str());
    seconds += record.seconds;
  }
  std::printf("%.1f s in all. Cards: %s, page: %s\n", seconds, book.path_of("cards.jsonl").c_str(),
              std::filesystem::absolute(book.path_of("monitor.html")).c_str());
  return 0;
}

}  // namespace onggi::cli
