// What `onggi review` does with a store besides showing its page.

#include <cstdio>
#include <filesystem>

#include <sys/stat.h>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/core/system_random.h"
#include "onggi/review/agreement.h"
#include "onggi/review/client_event.h"
#include "onggi/review/desk.h"
#include "onggi/review/export.h"
#include "onggi/review/import.h"
#include "onggi/review/people.h"

namespace onggi::cli {
namespace {

struct StoreOption {
  std::string store;

  template <class V>
  void visit(V&& field) {
    field("store", store, "File that keeps rows and decisions.");
  }
};

struct GuideOption {
  std::string guide;

  template <class V>
  void visit(V&& field) {
    field("guide", guide, "Guide file that answers are held to: what breaks it is not offered to be accepted at once.");
  }
};

struct OutputOptions {
  std::string output;
  std::string rejected;
  std::string manifest;
  bool with_faulty = false;
  bool with_gold = false;

  template <class V>
  void visit(V&& field) {
    field("output", output, "JSON Lines to write: training rows.");
    field("rejected", rejected, "JSON Lines to write: what people rejected, and why.");
    field("manifest", manifest, "JSON to write beside it; OUTPUT with .manifest.json at its end if not given.");
    field("with_faulty", with_faulty, "Rows too whose answer breaks a rule.");
    field("with_gold", with_gold, "Gold rows too, with their right answers.");
  }
};

struct WidthOption {
  double width = 0.05;

  template <class V>
  void visit(V&& field) {
    field("width", width, "Of the acceptance rate's interval, for the labels that are left.");
  }
};

struct PersonOptions {
  std::string file;
  bool adjudicator = false;
  bool no_token = false;

  template <class V>
  void visit(V&& field) {
    field("file", file, "YAML file of people that the entry is added to; it is made if it is not there.");
    field("adjudicator", adjudicator, "May have the last word where others disagree.");
    field("no_token", no_token, "Whoever says the name is let in: for a page that only this machine reaches.");
  }
};

std::string figure(const std::optional<double>& value) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", *value);
  return text;
}

void print_status(review::ReviewStore& store, double width) {
  const auto job = review::read_job(store);
  const auto state = review::load_state(store);
  const auto& c = state.counts();
  const auto judged = c.accepted + c.edited + c.rejected;
  const auto rate = review::wilson(c.accepted, judged);
  const auto number = [](std::int64_t n) { return static_cast<long long>(n); };
  std::printf("items     %lld, %lld done, %lld disputed, %lld gold\n", number(c.items), number(c.done),
              number(c.disputed), number(c.gold));
  std::printf("decisions %lld: accepted %lld, edited %lld, rejected %lld\n", number(c.decisions), number(c.accepted),
              number(c.edited), number(c.rejected));
  std::printf("accepted  %.1f %% (95 %%: %.1f to %.1f); %lld labels left until narrower than %g points\n",
              100 * rate.value, 100 * rate.low, 100 * rate.high,
              number(review::labels_left(c.accepted, judged, c.items - judged, width)), 100 * width);
  for (const auto& [person, num] : state.num_judged())
    std::printf("person    %-24s %lld\n", person.c_str(), number(num));
  for (const auto& field : review::agreement(state, job.kind)) {
    if (field.num_units == 0) continue;
    std::printf("agreement %-12s units %-6lld same %-6s alpha %-6s kappa %s\n", field.field.c_str(),
                number(field.num_units), figure(field.percent).c_str(), figure(field.alpha).c_str(),
                figure(field.kappa).c_str());
  }
}

}  // namespace

int run_review_import(std::span<const std::string_view> arguments) {
  StoreOption where;
  GuideOption held;
  review::ImportOptions o;
  OptionList list(where, o, held);
  static constexpr std::string_view kExamples[] = {
      "onggi review import --store review.db --input more.jsonl --guide guide.json"};
  if (wants_help(arguments)) {
    print_help(
        "review import --store review.db --input labels.jsonl [options]",
        "Adds rows to a store; a server that runs on it takes them in by itself. Rows that it has are passed over.",
        list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "review import takes no positional argument");
  require(!o.input.empty() || !o.gold.empty(), "--input is missing");
  const Json guide = held.guide.empty() ? Json() : parse_json(read_file(held.guide, 4 << 20), held.guide);
  const auto store = review::open_store(where.store);
  const auto counts = review::import_rows(*store, o, guide);
  std::printf("rows: %lld new, %lld new gold, %lld known\n", static_cast<long long>(counts.added),
              static_cast<long long>(counts.gold), static_cast<long long>(counts.known));
  return 0;
}

int run_review_export(std::span<const std::string_view> arguments) {
  StoreOption where;
  OutputOptions o;
  OptionList list(where, o);
  static constexpr std::string_view kExamples[] = {
      "onggi review export --store review.db --output reviewed.jsonl --rejected rejected.jsonl",
      "onggi sft --rows reviewed.jsonl --template prompt.txt --guide guide.json --run runs/reviewed"};
  if (wants_help(arguments)) {
    print_help("review export --store review.db --output reviewed.jsonl [options]",
               "Writes what people have settled as rows that sft takes, each with who, when and by which guidelines.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "review export takes no positional argument");
  require(!o.output.empty(), "--output is missing");
  const auto store = review::open_existing_store(where.store);
  const auto result = review::export_rows(*store, {.with_faulty = o.with_faulty, .with_gold = o.with_gold});
  write_file_atomic(o.output, result.rows);
  if (!o.rejected.empty()) write_file_atomic(o.rejected, result.rejected);
  write_file_atomic(o.manifest.empty() ? o.output + ".manifest.json" : o.manifest,
                    dump_json(result.manifest, 2) + "\n");
  std::printf("rows: %lld, rejected %lld\n", static_cast<long long>(result.manifest["rows"].get<std::int64_t>()),
              static_cast<long long>(result.manifest["rejected_rows"].get<std::int64_t>()));
  return 0;
}

int run_review_status(std::span<const std::string_view> arguments) {
  StoreOption where;
  WidthOption o;
  OptionList list(where, o);
  static constexpr std::string_view kExamples[] = {"onggi review status --store review.db"};
  if (wants_help(arguments)) {
    print_help("review status --store review.db",
               "How far a review is and how far people agree; a server may run meanwhile.", list.help_text(),
               kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "review status takes no positional argument");
  require(o.width > 0 && o.width <= 1, "--width: expected above 0 and at most 1");
  print_status(*review::open_existing_store(where.store), o.width);
  return 0;
}

int run_review_person(std::span<const std::string_view> arguments) {
  PersonOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {"onggi review person hana --file people.yaml",
                                                   "onggi review person minsu --file people.yaml --adjudicator"};
  if (wants_help(arguments)) {
    print_help(
        "review person NAME [--file people.yaml] [options]",
        "Makes a token for somebody and prints it, this once: files hold its SHA-256 alone. Without --file the entry\n"
        "follows, to be put into a file by hand.",
        list.help_text(), kExamples);
    return 0;
  }
  const auto words = list.parse_flags(arguments);
  require(words.size() == 1, "expected: onggi review person NAME");
  require(review::is_person_name(words[0]), "the name: expected 1 to 64 bytes without control characters");
  const std::string token = o.no_token ? std::string() : "onggi-" + system_random_hex(32);
  const std::string entry = review::person_entry(words[0], token, o.adjudicator);
  const bool is_there = !o.file.empty() && std::filesystem::exists(o.file);
  std::string text = is_there ? read_file(o.file, 4 << 20) : "people:\n";
  if (!text.ends_with('\n')) text += '\n';
  text += entry;
  review::People(text, o.file.empty() ? "the entry" : o.file);  // What is written must be what a server reads.
  if (!token.empty()) std::printf("%s\n", token.c_str());
  if (o.file.empty()) {
    std::printf("%s", entry.c_str());
    return 0;
  }
  umask(0077);
  write_file_atomic(o.file, text);
  return 0;
}

}  // namespace onggi::cli
