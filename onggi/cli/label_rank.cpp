#include <cstdio>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/core/thread_pool.h"
#include "onggi/tasks/doubt/doubt_file.h"
#include "onggi/tasks/doubt/noise_study.h"
#include "onggi/tasks/text_rows.h"

namespace onggi::cli {
namespace {

struct Files {
  std::vector<std::string> input;
  std::string output;
  std::string group = "product";
  int threads = 0;

  template <class V>
  void visit(V&& field) {
    field("input", input, "Labelled rows: a JSONL or CSV file, or a folder of them (repeat the flag for more).");
    field("output", output, "JSONL file of the queue to write.");
    field("group", group, "Column whose rows are judged by models that saw none of them.");
    field("threads", threads, "Threads; 0 = all cores of this process. Changes no queue.");
  }
};

struct StudyFlags {
  std::vector<std::string> input, methods;
  std::string group = "product";
  std::string json;
  int seeds = 10;
  double begin = 0.3;
  bool unseen = false;
  int threads = 0;

  template <class V>
  void visit(V&& field) {
    field("rows", input, "Rows whose labels are right: a JSONL or CSV file, or a folder of them (repeatable).");
    field("group", group, "Column whose rows are judged by models that saw none of them.");
    field("method", methods,
          "plain, once or learned, as of `onggi label rank` (repeatable); none = plain and learned.");
    field("json", json, "Also write the table here.");
    field("seeds", seeds, "How often noise is planted at each share.");
    field("begin", begin, "The part of the queue that is looked at.");
    field("unseen", unseen, "Plant one kind of noise at a time, and learn from the others alone.");
    field("threads", threads, "Threads; 0 = all cores of this process.");
  }
};

}  // namespace

int run_label_rank(std::span<const std::string_view> arguments) {
  Files files;
  tasks::RankOptions options;
  datasets::RowsOptions row_options;
  OptionList list(files, options, row_options);
  static constexpr std::string_view kExamples[] = {"onggi label rank --input labels.jsonl --output queue.jsonl"};
  if (wants_help(arguments)) {
    print_help("label rank --input FILE --output FILE [options]",
               "Puts labels of themes in the order in which people should look at them: the most doubtful first, with "
               "the reasons.\n"
               "Confident learning, disagreement of a teacher's answers, neighbours, grounding and form. Nothing is "
               "left out or changed.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).size() == 1, "label rank takes no further word");
  require(!files.input.empty(), "--input is missing: labelled rows");
  require(!files.output.empty(), "--output is missing: the JSONL file of the queue to write");
  tasks::check_rank(options);
  const auto rows = tasks::read_all_rows(files.input, row_options);
  std::vector<std::size_t> kept;
  const auto doubted = tasks::doubt_rows(rows, files.group, kept);
  ThreadPool pool(files.threads);
  const auto ranked = tasks::rank_rows(doubted, options, pool);
  write_file_atomic(files.output, tasks::queue_lines(rows, kept, ranked));
  std::size_t num_flagged = 0;
  for (const auto& row : ranked) num_flagged += row.doubts.unlikely.empty() && row.doubts.missing.empty() ? 0 : 1;
  std::printf("%zu rows in the queue, %zu without a label left out; confident learning doubts %zu\n", ranked.size(),
              rows.size() - ranked.size(), num_flagged);
  return 0;
}

int run_noise_study(std::span<const std::string_view> arguments) {
  StudyFlags flags;
  tasks::RankOptions rank;
  datasets::RowsOptions row_options;
  OptionList list(flags, row_options);
  list.add("folds", rank.folds, "Parts of the groups; each is judged by classifiers that saw the others.");
  list.add("neighbours", rank.neighbours, "Nearest reviews whose aspects are compared.");
  list.add("rounds", rank.rounds, "How often noise is planted to learn from.");
  static constexpr std::string_view kExamples[] = {"onggi experiment noise --rows examples/review-themes/data"};
  if (wants_help(arguments)) {
    print_help(
        "experiment noise --rows FILE [options]",
        "Plants wrong labels (10, 20 and 30 % of the rows) and looks how much of them `onggi label rank` puts first.",
        list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).size() == 1, "experiment noise takes no further word");
  require(!flags.input.empty(), "--rows is missing: labelled rows");
  require(flags.seeds >= 1 && flags.seeds <= 1000,
          [&] { return "--seeds is " + std::to_string(flags.seeds) + ", expected 1 to 1000"; });
  require(flags.begin > 0 && flags.begin <= 1, "--begin is out of range, expected above 0 and at most 1");
  tasks::check_rank(rank);
  const auto rows = tasks::read_all_rows(flags.input, row_options);
  std::vector<std::size_t> kept;
  const auto doubted = tasks::doubt_rows(rows, flags.group, kept);
  ThreadPool pool(flags.threads);
  tasks::NoiseStudyOptions options{.num_seeds = flags.seeds, .begin = flags.begin, .leave_one_out = flags.unseen};
  if (flags.unseen) options.methods = {"learned"};
  if (!flags.methods.empty()) options.methods = flags.methods;
  for (const auto& method : options.methods) tasks::check_rank({.method = method});
  const auto study = tasks::study_noise(doubted, options, rank, pool, [](std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
  });
  if (!flags.json.empty()) write_file_atomic(flags.json, dump_json(study.to_json(), 2) + "\n");
  return 0;
}

}  // namespace onggi::cli
