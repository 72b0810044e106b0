#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/decode/guide.h"
#include "onggi/tasks/label/label.h"
#include "onggi/tasks/label/local_teacher.h"
#include "onggi/tasks/label/remote_teacher.h"

namespace onggi::cli {
namespace {

struct TeacherFlags {
  std::string model;
  std::string key_env = "ONGGI_TEACHER_KEY";
  std::string certificates;
  std::string body;
  bool log_probabilities = true;
  int timeout_s = 120;
  double temperature = 0.0;
  int max_tokens = 1024;
  std::int64_t seed = 0;
  std::string adapter, guide;
  std::string adapter_type = "f32";
  int batch_rows = 16;
  int threads = 0;

  template <class V>
  void visit(V&& field) {
    field("model", model, "An address: the model's name there.");
    field("key_env", key_env,
          "An address: the environment variable that holds the key. It is sent over https:// only, or within this "
          "machine.");
    field("certificates", certificates, "An address: PEM file of certificates to trust in place of the system's.");
    field(
        "body", body,
        "An address: JSON object of members that replace the request's own; null takes one out, as {\"seed\": null}.");
    field("log_probabilities", log_probabilities, "An address: ask for the tokens' log-probabilities.");
    field("timeout_s", timeout_s, "An address: seconds that an answer may take.");
    field("temperature", temperature, "Divides the logits; 0 is greedy.");
    field("max_tokens", max_tokens, "Tokens that an answer may have.");
    field("seed", seed, "Seed of the first answer of a row; the others count on from it.");
    field("adapter", adapter, "A checkpoint: PEFT folder; empty = the base alone.");
    field("adapter_type", adapter_type, "A checkpoint: the adapter as f32 or int8.");
    field("guide", guide, "A checkpoint: guide file, the language that answers must belong to.");
    field("batch_rows", batch_rows, "A checkpoint: answers computed side by side; changes speed, never an answer.");
    field("threads", threads, "A checkpoint: threads; 0 = all cores of this process.");
  }
};

bool is_address(const std::string& teacher) { return teacher.find("://") != std::string::npos; }

Json schema_of(const std::string& path) {
  if (path.empty()) return nullptr;
  Json schema = parse_json(read_file(path, std::size_t{1} << 20), path);
  require(schema.is_object(), "expected a JSON Schema, which is an object", ErrorCode::kInvalidArgument, path);
  return schema;
}

void check_flags(const tasks::LabelFiles& files, const TeacherFlags& flags) {
  require(flags.max_tokens >= 1 && flags.max_tokens <= 1 << 20,
          [&] { return "--max-tokens is " + std::to_string(flags.max_tokens) + ", expected 1 to 1048576"; });
  require(flags.temperature >= 0.0 && flags.temperature <= 10.0, "--temperature is out of range, expected 0 to 10");
  require(flags.timeout_s >= 1 && flags.timeout_s <= 86'400,
          [&] { return "--timeout-s is " + std::to_string(flags.timeout_s) + ", expected 1 to 86400"; });
  require(flags.batch_rows >= 1, "--batch-rows is below 1");
  if (is_address(files.teacher)) {
    require(!flags.model.empty(), "--model is missing: the model's name at the teacher's address");
    require(flags.adapter.empty() && flags.guide.empty(),
            "--adapter and --guide are for a teacher that is a checkpoint; use --schema");
  } else {
    require(flags.model.empty() && flags.body.empty(), "--model and --body are for a teacher that is an address");
    require(files.schema.empty() || flags.guide.empty(),
            "--schema and --guide both say what an answer may be; give one");
  }
}

std::unique_ptr<tasks::Teacher> remote_teacher(const tasks::LabelFiles& files, const TeacherFlags& flags,
                                               int parallel) {
  const char* key = flags.key_env.empty() ? nullptr : std::getenv(flags.key_env.c_str());
  tasks::RemoteTeacherOptions options{
      .url = files.teacher, .model = flags.model, .key = key == nullptr ? "" : key, .certificates = flags.certificates};
  const bool is_clean = std::ranges::all_of(options.key, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  require(is_clean,
          "the key in " + flags.key_env + " holds a space, a line break or another character that no key has");
  options.temperature = flags.temperature;
  options.max_tokens = flags.max_tokens;
  options.seed = flags.seed;
  options.log_probabilities = flags.log_probabilities;
  options.schema = schema_of(files.schema);
  if (!flags.body.empty()) {
    options.more = parse_json(flags.body, "--body");
    require(options.more.is_object(), "--body is no JSON object");
  }
  options.most_in_flight = parallel;
  options.timeout_s = flags.timeout_s;
  return tasks::make_remote_teacher(options);
}

/// A checkpoint as a teacher, with all that it needs to live.
struct LocalTeacher {
  Session session;
  std::unique_ptr<tasks::Teacher> teacher;
};

LocalTeacher local_teacher(const tasks::LabelFiles& files, const TeacherFlags& flags) {
  std::vector<std::string> adapters;
  if (!flags.adapter.empty()) adapters.push_back(flags.adapter);
  LocalTeacher local{.session = open_session(files.teacher, flags.threads, models::Compute::kInt8,
                                             models::base_type_from_name(adapters_base_type(adapters))),
                     .teacher = nullptr};
  Session& s = local.session;
  const tasks::RowModel model{
      .context = *s.context, .decoder = *s.decoder, .tokenizer = s.tokenizer, .base_hash = base_hash(*s.checkpoint)};
  tasks::LocalTeacherOptions options;
  options.sampling.temperature = static_cast<float>(flags.temperature);
  options.max_tokens = flags.max_tokens;
  options.seed = flags.seed;
  options.batch_rows = flags.batch_rows;
  if (!flags.adapter.empty()) {
    options.adapter = std::make_shared<tasks::RowAdapter>(
        tasks::load_row_adapter(model, flags.adapter, nn::adapter_type_from_name(flags.adapter_type)));
  }
  if (!flags.guide.empty()) {
    options.guide = decode::load_guide(flags.guide, s.tokenizer);
    options.guide_hash = sha256_file(flags.guide);
  } else if (!files.schema.empty()) {
    options.guide = decode::compile_guide({{"schema", schema_of(files.schema)}}, s.tokenizer);
    options.guide_hash = sha256_file(files.schema);
  }
  local.teacher = tasks::make_local_teacher(model, std::move(options));
  return local;
}

void print_summary(const tasks::LabelSummary& summary) {
  const auto number = [](std::int64_t value) { return static_cast<long long>(value); };
  std::printf(
      "%lld rows labelled, %lld failed; %lld answers received, %lld from the journal; %lld retries, %lld repairs\n",
      number(summary.num_labelled), number(summary.num_failed), number(summary.num_asked), number(summary.num_found),
      number(summary.num_retries), number(summary.num_repairs));
  if (summary.has_prices)
    std::printf("%s spent on all that the journal holds\n", tasks::dollars_text(summary.spent).c_str());
  if (summary.num_lost > 0) {
    std::printf("%lld calls were cut off before their answer was here and may have been paid without\n",
                number(summary.num_lost));
  }
}

}  // namespace

int run_label(std::span<const std::string_view> arguments) {
  if (!arguments.empty() && arguments.front() == "rank") return run_label_rank(arguments);
  tasks::LabelFiles files;
  datasets::RowsOptions row_options;
  tasks::LabelOptions options;
  tasks::LabelLimits limits;
  TeacherFlags flags;
  OptionList list(files, flags, options, limits, row_options);
  static constexpr std::string_view kExamples[] = {
      "onggi label --teacher https://api.openai.com/v1 --model gpt-4.1 --key-env OPENAI_API_KEY --prompt prompt.txt "
      "\\\n"
      "              --guidelines GUIDELINES.md --examples labelled.jsonl --group product --input reviews.jsonl \\\n"
      "              --answers 5 --temperature 0.7 --input-price 2 --output-price 8 --max-cost 20 --output "
      "labels.jsonl",
      "onggi label --teacher http://127.0.0.1:8080 --model themes --prompt prompt.txt --input reviews.jsonl --output "
      "labels.jsonl",
      "onggi label --teacher gemma-3-27b.gguf --guide guide.json --prompt prompt.txt --input reviews.jsonl --output "
      "labels.jsonl"};
  if (wants_help(arguments)) {
    print_help("label --teacher URL|PATH --prompt FILE --input FILE --output FILE [options]",
               "Has a large model label rows: several answers a row, joined, with how sure they are and where they "
               "come from.\n"
               "Every answer is kept in a journal before it is used and never paid twice. Stopped at any point, the "
               "same command\n"
               "goes on. `onggi label rank` puts the doubtful ones first.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "label takes no positional argument; rows are --input FILE");
  tasks::check_label(files, options, limits, flags.temperature);
  check_flags(files, flags);
  const auto label = [&](tasks::Teacher& teacher) {
    print_summary(tasks::label_file(teacher, files, row_options, options, limits, flags.max_tokens,
                                    ::isatty(STDERR_FILENO) == 1,
                                    [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }));
  };
  if (is_address(files.teacher)) {
    label(*remote_teacher(files, flags, limits.parallel));
  } else {
    label(*local_teacher(files, flags).teacher);
  }
  return 0;
}

}  // namespace onggi::cli
