#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/datasets/data_card.h"
#include "onggi/datasets/validate.h"
#include "onggi/models/adapter_io.h"
#include "onggi/tasks/experiment/prompt_study.h"
#include "onggi/tasks/generate/generate.h"
#include "onggi/tasks/sft/sft.h"
#include "onggi/tasks/text_rows.h"
#include "onggi/train/run_folder.h"

namespace onggi::cli {
namespace {

namespace fs = std::filesystem;

struct StudyOptions {
  std::string base;
  std::string example = "examples/review-themes";
  std::vector<std::string> rows;
  std::string split;
  std::vector<std::string> templates;
  std::string guide;
  std::string output = "prompt-study";
  std::string part = "test";
  std::int64_t limit = 0;
  double price_per_hour = 0.10;
  int generation_rows = 16;
  int max_new_tokens = 256;
  int threads = 0;

  template <class V>
  void visit(V&& field) {
    field("base", base, "Model: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("example", example,
          "Folder with data/, prompts/, guide.json and split.json: used for what the flags below leave out.");
    field("rows", rows,
          "Labelled rows: a JSONL or CSV file, or a folder of them (repeatable); needs --split, and has no guide "
          "unless --guide names one.");
    field("split", split, "Split file: trains on its training part, chooses by validation, judges on --part.");
    field("template", templates,
          "Prompt template (repeatable); without it those of the example whose names begin with a digit.");
    field("guide", guide, "Guide file: for the answers, and with --guide-loss for the loss.");
    field("output", output,
          "Folder: a run folder a template, result.json, report.html; a study that was stopped goes on there.");
    field("part", part, "Rows to judge on: test or validation.");
    field("limit", limit, "Judge on the first rows of that part only; 0 = all.");
    field("price_per_hour", price_per_hour, "Price of the machine, for the cost of a million rows.");
    field("generation_rows", generation_rows, "Rows answered side by side; changes speed, never an answer.");
    field("max_new_tokens", max_new_tokens, "A row that has not ended by then is marked as failed.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
  }
};

struct StudyPrompt {
  fs::path file;
  datasets::PromptTemplate prompt;
  fs::path run;  ///< Its run folder.
};

/// Everything that the study is made from, read and checked.
struct Study {
  StudyOptions options;
  datasets::RowsOptions row_options;
  tasks::SftOptions sft;
  std::vector<StudyPrompt> prompts;
  std::vector<eval::ThemeRow> train;  ///< Training and validation rows.
  std::vector<datasets::Row> judged;  ///< As read from `rows_file`.
  fs::path rows_file;
  std::string rows_hash;
};

/// The same options as flags of another command.
void append_flags(std::vector<std::string>& flags, const Json& options) {
  for (const auto& [name, value] : options.items()) {
    std::string flag = name;
    std::ranges::replace(flag, '_', '-');
    if (value.is_boolean()) {
      flags.push_back((value.get<bool>() ? "--" : "--no-") + flag);
    } else if (value.is_array()) {
      for (const Json& item : value) flags.push_back("--" + flag + "=" + item.get<std::string>());
    } else if (!value.is_null() && value != Json("")) {
      flags.push_back("--" + flag + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
}

/// Fills in from the example what was not given.
void take_example(StudyOptions& o) {
  const fs::path example = o.example;
  const bool is_own = !o.rows.empty();
  require(!is_own || !o.split.empty(),
          "--rows needs --split: the file that deals rows to training, validation and test");
  require(is_own && !o.templates.empty() ? true : fs::is_directory(example),
          "the example is not here; run from the checkout's root, or give --example, or --rows, --split and --template",
          ErrorCode::kNotFound, o.example);
  if (!is_own) {
    o.rows = {(example / "data").string()};
    if (o.split.empty()) o.split = (example / "split.json").string();
    if (o.guide.empty() && fs::exists(example / "guide.json")) o.guide = (example / "guide.json").string();
  }
  if (!o.templates.empty()) return;
  for (const auto& entry : fs::directory_iterator(example / "prompts")) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".txt") && name[0] >= '0' && name[0] <= '9') o.templates.push_back(entry.path().string());
  }
  std::ranges::sort(o.templates);
  require(!o.templates.empty(), "the example has no template whose name begins with a digit", ErrorCode::kNotFound,
          (example / "prompts").string());
}

std::vector<StudyPrompt> load_prompts(const StudyOptions& o) {
  std::vector<StudyPrompt> prompts;
  std::set<std::string> names;
  for (const auto& file : o.templates) {
    const std::string name = fs::path(file).stem().string();
    require(
        names.insert(name).second,
        [&] { return "two templates have the name \"" + name + "\", which names their run folders"; },
        ErrorCode::kInvalidArgument, file);
    prompts.push_back({file, datasets::PromptTemplate::load(file), fs::path(o.output) / name});
    require(prompts.back().prompt.has_answer(), "the template has no answer part to train on",
            ErrorCode::kInvalidArgument, file);
  }
  return prompts;
}

/// Throws naming the first member of `now` that `before` has otherwise.
void require_same(const Json& before, const Json& now, const std::string& prefix, const std::string& where) {
  for (const auto& [key, value] : now.items()) {
    const Json found = before.is_object() && before.contains(key) ? before[key] : Json(nullptr);
    if (value.is_object() && found.is_object()) {
      require_same(found, value, prefix + key + ".", where);
      continue;
    }
    require(
        found == value,
        [&, &key = key, &value = value] {
          return "the study in this folder was begun with other settings: \"" + prefix + key + "\" was " +
                 found.dump() + ", now " + value.dump() + "; give another --output, or remove it";
        },
        ErrorCode::kInvalidArgument, where);
  }
}

/// Begins the study's folder, or refuses one that was begun with other settings.
void check_identity(const Study& study) {
  const auto hash_or_null = [](const std::string& path) {
    return path.empty() ? Json(nullptr) : Json(sha256_file(path));
  };
  tasks::SftOptions sft = study.sft;
  const auto all_rows = tasks::read_all_rows(study.options.rows, study.row_options);
  const Json identity = {{"format", "onggi prompt study 1"},
                         {"base", base_hash(*formats::open_checkpoint(study.options.base))},
                         {"rows", datasets::content_hash(all_rows)},
                         {"split", sha256_file(study.options.split)},
                         {"guide", hash_or_null(study.options.guide)},
                         {"max_new_tokens", study.options.max_new_tokens},
                         {"sft", OptionList(sft).to_json()}};
  const fs::path path = fs::path(study.options.output) / "study.json";
  if (!fs::exists(path)) {
    write_file_atomic(path, dump_json(identity, 2) + "\n");
    return;
  }
  require_same(parse_json(read_file(path), path.string()), identity, "", path.string());
}

Study read_study(StudyOptions options, const datasets::RowsOptions& row_options, const tasks::SftOptions& sft) {
  require(options.part == "test" || options.part == "validation",
          [&] { return "--part is \"" + options.part + "\", expected test or validation"; });
  require(options.limit >= 0, "--limit must be 0 or more");
  require(options.price_per_hour > 0, "--price-per-hour must be above 0");
  take_example(options);
  require(!sft.guide_loss || !options.guide.empty(), "--guide-loss needs a guide (--guide FILE)");
  options.base = resolve_base(options.base);
  Study study{.options = options, .row_options = row_options, .sft = sft, .prompts = load_prompts(options)};
  const auto rows = tasks::read_all_rows(options.rows, row_options);
  auto parts = tasks::split_and_check(rows, tasks::read_split_options(options.split));
  for (const auto* part : {&parts.train, &parts.validation}) {
    for (auto& row : eval::theme_rows(*part)) study.train.push_back(std::move(row));
  }
  auto& judged = options.part == "test" ? parts.test : parts.validation;
  require(
      !judged.empty(), [&] { return "the split has no " + options.part + " rows"; }, ErrorCode::kInvalidArgument,
      options.split);
  if (options.limit > 0 && options.limit < static_cast<std::int64_t>(judged.size()))
    judged.resize(static_cast<std::size_t>(options.limit));
  for (const auto& prompt : study.prompts) datasets::require_no_errors(datasets::validate_rows(judged, prompt.prompt));
  std::error_code error;
  fs::create_directories(options.output, error);
  require(
      !error, [&] { return "can't make the folder: " + error.message(); }, ErrorCode::kUnavailable, options.output);
  check_identity(study);
  study.rows_file = fs::path(options.output) / "rows.jsonl";
  write_file_atomic(study.rows_file, datasets::to_jsonl(judged));
  study.judged = datasets::read_rows(study.rows_file, {.id = row_options.id});
  study.rows_hash = datasets::content_hash(study.judged);
  return study;
}

void train_prompt(const Study& study, const StudyPrompt& prompt) {
  if (fs::exists(prompt.run / "result.json")) {
    for (const auto& [name, hash] : train::summarize_run(prompt.run).manifest.hashes) {
      require(name != "template" || hash == prompt.prompt.content_hash(),
              "the template has changed since it was trained; remove its run folder " + prompt.run.string() +
                  ", or give another --output",
              ErrorCode::kInvalidArgument, prompt.file.string());
    }
    std::printf("trained already: %s\n", prompt.run.c_str());
    return;
  }
  std::vector<std::string> flags = {"--base",     study.options.base,
                                    "--split",    study.options.split,
                                    "--template", prompt.file.string(),
                                    "--run",      prompt.run.string(),
                                    "--threads",  std::to_string(study.options.threads)};
  for (const auto& rows : study.options.rows) flags.insert(flags.end(), {"--rows", rows});
  if (!study.options.guide.empty()) flags.insert(flags.end(), {"--guide", study.options.guide});
  datasets::RowsOptions rows = study.row_options;
  tasks::SftOptions sft = study.sft;
  append_flags(flags, OptionList(rows).to_json());
  append_flags(flags, OptionList(sft).to_json());
  std::fflush(stdout);
  const std::vector<std::string_view> views(flags.begin(), flags.end());
  require(run_sft(views) == 0, "sft did not succeed", ErrorCode::kInternal, prompt.run.string());
}

/// What training left: an adapter on the study's base, or a model of its own.
struct Tuned {
  std::string base;
  std::string adapter;
};

Tuned tuned_model(const Study& study, const StudyPrompt& prompt) {
  if (study.sft.method != "full") return {study.options.base, (prompt.run / "adapter").string()};
  const fs::path file = prompt.run / "model.gguf";
  return {(fs::exists(file) ? file : prompt.run / "model").string(), ""};
}

Session open_tuned(const Study& study, const Tuned& tuned, models::Compute compute) {
  const auto type = tuned.adapter.empty() ? models::BaseType::kKeep : models::base_type_from_name(study.sft.base_type);
  return open_session(tuned.base, study.options.threads, compute, type);
}

void measure_prompt_loss(const Study& study, const StudyPrompt& prompt, tasks::PromptFigures& figures) {
  const Tuned tuned = tuned_model(study, prompt);
  Session s = open_tuned(study, tuned, models::Compute::kF32);
  std::optional<nn::Adapter> adapter;
  if (!tuned.adapter.empty())
    adapter = models::adapter_from_files(*s.context, *s.decoder, nn::read_adapter(tuned.adapter), tuned.adapter);
  std::shared_ptr<const decode::Guide> guide;
  if (study.sft.guide_loss)
    guide = decode::compile_guide(parse_json(read_file(study.options.guide), study.options.guide), s.tokenizer);
  const auto rows = tasks::make_text_set(study.judged, prompt.prompt, true);
  tasks::count_prompt_tokens(*s.tokenizer, rows, figures);
  tasks::measure_loss(*s.context, *s.decoder, adapter ? &*adapter : nullptr, *s.tokenizer, rows, guide.get(), figures);
}

fs::path answers_file(const Study& study, const StudyPrompt& prompt) {
  return prompt.run / ("answers-" + study.rows_hash.substr(0, 8) + ".jsonl");
}

void generate_answers(const Study& study, const StudyPrompt& prompt, tasks::PromptFigures& figures) {
  const Tuned tuned = tuned_model(study, prompt);
  Session s = open_tuned(study, tuned, models::Compute::kInt8);
  const fs::path output = answers_file(study, prompt);
  const tasks::GenerateFiles files{.base = tuned.base,
                                   .rows = {study.rows_file.string()},
                                   .prompt = prompt.file.string(),
                                   .adapters = tuned.adapter.empty() ? std::vector<std::string>{} : std::vector{tuned.adapter},
                                   .guide = study.options.guide,
                                   .output = output.string()};
  const tasks::GenerateOptions options{.max_new_tokens = study.options.max_new_tokens,
                                       .batch_rows = study.options.generation_rows};
  const std::string hash = base_hash(*s.checkpoint);
  const auto generate = [&] {
    return tasks::generate_file(
        {.context = *s.context, .decoder = *s.decoder, .tokenizer = s.tokenizer, .base_hash = hash}, files,
        {.id = study.row_options.id}, options, ::isatty(STDERR_FILENO) == 1,
        [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
  };
  auto summary = generate();
  // The speed of a few last rows says little: after a stop near the end the rows are answered once more.
  if (2 * (summary.num_answered + summary.num_failed) < static_cast<std::int64_t>(study.judged.size())) {
    fs::remove(output);
    fs::remove(output.string() + ".manifest.json");
    summary = generate();
  }
  figures.rows_per_s = summary.rows_per_s;
}

std::int64_t count_failed(const fs::path& answers) {
  std::int64_t failed = 0;
  for (const auto& row : datasets::read_rows(answers)) failed += row.fields.contains("failure") ? 1 : 0;
  return failed;
}

/// Trains, answers and measures one prompt; what is done already is read.
tasks::PromptFigures study_prompt(const Study& study, const StudyPrompt& prompt) {
  train_prompt(study, prompt);
  const fs::path path = prompt.run / ("figures-" + study.rows_hash.substr(0, 8) + ".json");
  if (fs::exists(path))
    return tasks::PromptFigures::from_json(parse_json(read_file(path), path.string()), path.string());
  tasks::PromptFigures figures{.name = prompt.run.filename().string(),
                               .template_characters = static_cast<std::int64_t>(prompt.prompt.num_static_characters())};
  const Json result = train::summarize_run(prompt.run).result;
  require(result.is_object() && result.contains("steps") && result.contains("tokens_per_s"),
          "result.json has no \"steps\" and \"tokens_per_s\"", ErrorCode::kCorrupt, prompt.run.string());
  figures.updates = result["steps"].get<std::int64_t>();
  figures.training_tokens_per_s = result["tokens_per_s"].get<double>();
  measure_prompt_loss(study, prompt, figures);
  generate_answers(study, prompt, figures);
  figures.num_failed = count_failed(answers_file(study, prompt));
  write_file_atomic(path, dump_json(figures.to_json(), 2) + "\n");
  return figures;
}

tasks::PromptStudy run_study(const Study& study) {
  tasks::PromptStudy result{.price_per_hour = study.options.price_per_hour};
  std::vector<eval::System> systems;
  for (std::size_t i = 0; i < study.prompts.size(); ++i) {
    const StudyPrompt& prompt = study.prompts[i];
    std::printf("\n[%zu/%zu] %s\n", i + 1, study.prompts.size(), prompt.file.c_str());
    std::fflush(stdout);
    result.prompts.push_back(study_prompt(study, prompt));
    result.curves.push_back(eval::read_curves(prompt.run / "metrics.jsonl"));
    systems.push_back({result.prompts.back().name, eval::read_predictions(answers_file(study, prompt))});
  }
  eval::EvaluateOptions options;
  options.names = eval::aspect_names(study.train);
  result.judged = eval::evaluate_themes(eval::theme_rows(study.judged), systems, options);
  char price[32];
  std::snprintf(price, sizeof price, "%.2f", study.options.price_per_hour);
  result.facts = {
      {"base", fs::path(study.options.base).filename().string()},
      {"rows judged", std::to_string(study.judged.size()) + " (" + study.options.part + ")"},
      {"updates", std::to_string(result.prompts.front().updates)},
      {"rows an update", std::to_string(study.sft.batch_rows)},
      {"method", study.sft.method},
      {"rank", std::to_string(study.sft.rank)},
      {"seed", std::to_string(study.sft.seed)},
      {"guide", study.options.guide.empty() ? "none"
                : study.sft.guide_loss      ? "answers and loss"
                                            : "answers"},
      {"threads", std::to_string(study.options.threads > 0 ? study.options.threads : num_available_cores())},
      {"price an hour", price}};
  return result;
}

}  // namespace

int run_prompt_study(std::span<const std::string_view> arguments) {
  StudyOptions options;
  datasets::RowsOptions row_options;
  tasks::SftOptions sft;
  sft.max_tokens = 2048;  // The long prompt's rows must not be left out.
  OptionList list(options, row_options, sft);
  static constexpr std::string_view kExamples[] = {
      "onggi experiment prompts --max-steps 200 --guide-loss --output prompt-study",
      "onggi experiment prompts --rows reviews.jsonl --split split.json --template long.txt --template short.txt \\\n"
      "                           --guide guide.json --price-per-hour 0.34",
      "onggi experiment prompts --max-steps 2 --limit 4 --part validation --output try"};
  if (wants_help(arguments)) {
    print_help("experiment prompts [options]",
               "The prompt-shortening study: trains every template with the same rows, seed and budget, answers and "
               "judges the\n"
               "same rows with each, and writes a table and plots of evaluation loss, F1, prompt tokens, speed and "
               "cost. Stopped\n"
               "at any point, the same command goes on. All options of `onggi sft` are taken.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).size() == 1, "experiment prompts takes no further word");
  const Study study = read_study(options, row_options, sft);
  const auto result = run_study(study);
  const fs::path folder = study.options.output;
  write_file_atomic(folder / "result.json", dump_json(tasks::study_json(result), 2) + "\n");
  write_file_atomic(folder / "report.html", tasks::study_html(result));
  std::printf("\n%s\nreport: %s\n", tasks::study_text(result).c_str(), (folder / "report.html").c_str());
  return 0;
}

}  // namespace onggi::cli
