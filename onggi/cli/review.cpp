#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "onggi/cli/command.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/options.h"
#include "onggi/review/desk.h"
#include "onggi/review/import.h"
#include "onggi/review/service.h"

namespace onggi::cli {
namespace {

struct ReviewOptions {
  std::string store;
  std::string guide;
  std::string schema;
  std::string guidelines;
  std::string people;
  std::string host = "127.0.0.1";
  int port = 8090;
  std::vector<std::string> allow_hosts;
  int gold_every = 20;
  double width = 0.05;
  int lease_seconds = 900;

  template <class V>
  void visit(V&& field) {
    field("store", store, "File that keeps rows and decisions; made if it is not there.");
    field("guide", guide, "Guide file that answers are held to (docs/formats/guides.md): failed rules are shown.");
    field("schema", schema, "The same from a bare JSON Schema.");
    field("guidelines", guidelines,
          "Markdown file that stands beside the items; its versions are kept. Read anew when it changes.");
    field("people", people,
          "YAML file of who may review (`onggi review person`); none: whoever can reach the page, under any name.");
    field("host", host,
          "Address to listen on. With another than this machine's own every one of --people needs a token.");
    field("port", port, "Port; 0 takes a free one and prints it.");
    field("allow_host", allow_hosts,
          "Name by which browsers reach the page (repeat the flag); this machine's own are known.");
    field("gold_every", gold_every, "One of so many items is a gold one, while there are any; 0: none.");
    field("width", width,
          "Progress says how many labels are left until the acceptance rate's 95 % interval is narrower than this.");
    field("lease_seconds", lease_seconds, "How long an item is one person's before others get it.");
  }
};

/// The guide of --guide or --schema; null if there is none.
Json read_guide(const ReviewOptions& o) {
  require(o.guide.empty() || o.schema.empty(), "--guide and --schema: expected one of them");
  if (!o.guide.empty()) return parse_json(read_file(o.guide, 4 << 20), o.guide);
  if (!o.schema.empty()) return {{"schema", parse_json(read_file(o.schema, 4 << 20), o.schema)}};
  return nullptr;
}

bool is_own_address(const std::string& host) { return host == "127.0.0.1" || host == "::1" || host == "localhost"; }

review::ServiceOptions service_options(const ReviewOptions& o) {
  review::ServiceOptions options{.guidelines = o.guidelines};
  if (!o.people.empty()) options.people = review::People(read_file(o.people, 4 << 20), o.people);
  require(is_own_address(o.host) || options.people.have_tokens(),
          [&] { return "--host " + o.host + " is reached by others: give --people in which everybody has a token"; });
  if (is_own_address(o.host)) options.hosts = {"127.0.0.1", "localhost", "[::1]"};
  if (!options.hosts.empty() || !o.allow_hosts.empty())
    options.hosts.insert(options.hosts.end(), o.allow_hosts.begin(), o.allow_hosts.end());
  return options;
}

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void serve(const ReviewOptions& o, const review::ImportOptions& rows) {
  const Json guide = read_guide(o);
  auto options = service_options(o);
  require(o.width > 0 && o.width <= 1, "--width: expected above 0 and at most 1");
  require(o.lease_seconds >= 10, "--lease-seconds: expected at least 10");
  require(o.gold_every >= 0, "--gold-every: expected 0 or more");
  const std::string guidelines = o.guidelines.empty() ? std::string() : read_file(o.guidelines, 1 << 20);
  const auto store = review::open_store(o.store);
  if (!rows.input.empty() || !rows.gold.empty()) {
    const auto counts = review::import_rows(*store, rows, guide);
    std::printf("rows: %lld new, %lld new gold, %lld known\n", static_cast<long long>(counts.added),
                static_cast<long long>(counts.gold), static_cast<long long>(counts.known));
  }
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Before there are threads, so that none of them takes one.
  std::signal(SIGPIPE, SIG_IGN);
  review::Desk desk(*store, guide,
                    {.lease_ms = std::int64_t{o.lease_seconds} * 1000,
                     .width = o.width,
                     .gold_every = o.gold_every,
                     .now_ms = unix_ms});
  if (!o.guidelines.empty()) desk.set_guidelines(guidelines);
  review::Service service(desk, std::move(options));
  http::Server http(service, {.host = o.host, .port = o.port, .max_connections = 512});
  const auto& c = desk.state().counts();
  std::printf("%lld items, %lld done, %lld disputed, %lld gold\n", static_cast<long long>(c.items),
              static_cast<long long>(c.done), static_cast<long long>(c.disputed), static_cast<long long>(c.gold));
  std::printf("review page at http://%s:%d/\n", o.host.c_str(), http.port());
  std::fflush(stdout);
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  http.stop_accepting();
  service.stop();
}

}  // namespace

int run_review(std::span<const std::string_view> arguments) {
  static constexpr std::array<std::pair<std::string_view, int (*)(std::span<const std::string_view>)>, 4> kParts = {
      {{"import", run_review_import},
       {"export", run_review_export},
       {"status", run_review_status},
       {"person", run_review_person}}};
  if (!arguments.empty()) {
    const auto part = std::ranges::find(kParts, arguments[0], [](const auto& row) { return row.first; });
    if (part != kParts.end()) return part->second(arguments.subspan(1));
  }
  ReviewOptions o;
  review::ImportOptions rows;
  OptionList list(o, rows);
  static constexpr std::string_view kExamples[] = {
      "onggi review --input labels.jsonl --guide guide.json --guidelines GUIDELINES.md --store review.db",
      "onggi review --store review.db --guide guide.json --people people.yaml --host 0.0.0.0 --allow-host "
      "review.example",
      "onggi review status --store review.db", "onggi review export --store review.db --output reviewed.jsonl"};
  if (wants_help(arguments)) {
    print_help(
        "review --store review.db [--input labels.jsonl ...] [options]",
        "A page on which people accept, edit or reject answers, by keyboard. Decisions are events that are only ever\n"
        "added. `onggi review import`, `export`, `status` and `person` work on stores and people; each has --help.",
        list.help_text(), kExamples);
    return 0;
  }
  const auto words = list.parse_flags(arguments);
  require(words.empty(),
          [&] { return "review takes no \"" + words[0] + "\": expected import, export, status, person or options"; });
  serve(o, rows);
  return 0;
}

}  // namespace onggi::cli
