#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "onggi/cli/command.h"
#include "onggi/cli/display.h"
#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/recommend/display_service.h"
#include "onggi/store/folder_lock.h"

namespace onggi::cli {
namespace {

struct DisplayServeOptions {
  std::string state;
  std::string cards;
  std::string host = "127.0.0.1";
  int port = 8090;
  int slots = 3;
  double window_seconds = 3600.0;
  double batch_seconds = 60.0;
  int max_connections = 4096;
  int drain_seconds = 10;
  bool check = false;

  template <class V>
  void visit(V&& field) {
    field("state", state,
          "Folder for policies, impressions and outcomes; made if it is not there, one server's alone.");
    field("cards", cards, "JSON Lines of themes: id, entity, aspect, expressions, products.");
    field("host", host, "Address to listen on. Whoever can reach it can ask and report: there are no keys.");
    field("port", port, "Port; 0 takes a free one and prints it.");
    field("slots", slots, "Cards of a request that names no number.");
    field("window_seconds", window_seconds,
          "How long after an impression a click counts; only then does the impression.");
    field("batch_seconds", batch_seconds, "Between updates of the policy.");
    field("max_connections", max_connections, "Connections held at once; more are refused with 503.");
    field("drain_seconds", drain_seconds, "At SIGTERM: how long requests that run may take to end.");
    field("check", check, "Read everything, say what is wrong, and end.");
  }
};

void check_options(const DisplayServeOptions& o) {
  require(!o.state.empty(), "--state is missing: the folder for policies, impressions and outcomes");
  require(!o.cards.empty(), "--cards is missing: the themes that may be shown, JSON Lines");
  require(o.slots >= 1 && o.slots <= 100,
          [&] { return "--slots is " + std::to_string(o.slots) + ", expected 1 to 100"; });
  for (const auto& [name, value] :
       {std::pair{"--window-seconds", o.window_seconds}, std::pair{"--batch-seconds", o.batch_seconds}})
    require(value >= 0.001 && value <= 1e8,
            [&] { return name + std::string(" is ") + Json(value).dump() + ", expected 0.001 to 1e8"; });
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

int run_display_serve(std::span<const std::string_view> arguments) {
  DisplayServeOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {
      "onggi display serve --state shop --cards cards.jsonl",
      "curl localhost:8090/v1/slates -d '{\"unit\": \"visitor-7\", \"entity\": \"coat\", \"slots\": 3}'",
      "curl localhost:8090/v1/outcomes -d '{\"impression_id\": \"...\", \"reward\": 1}'"};
  if (wants_help(arguments)) {
    print_help("display serve --state FOLDER --cards FILE [options]",
               "Answers over HTTP which cards to show, and learns from the outcomes that it is told. What has been "
               "answered is\n"
               "in the log: a kill loses nothing of it, and a request or outcome sent again counts once.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "display serve takes no positional argument");
  check_options(o);
  auto cards = recommend::read_cards(o.cards);
  const store::FolderLock lock(o.state);
  recommend::DisplayLog log(std::filesystem::path(o.state) / "display.sqlite");
  recommend::DisplayDesk desk(log, std::move(cards),
                              {.window_ms = static_cast<std::int64_t>(1000.0 * o.window_seconds),
                               .batch_ms = static_cast<std::int64_t>(1000.0 * o.batch_seconds),
                               .num_slots = o.slots},
                              now_ms());
  std::printf("%zu cards, policy version %lld (%s), %lld batches learnt\n", desk.num_cards(),
              static_cast<long long>(desk.live().version), desk.live().spec.kind.c_str(),
              static_cast<long long>(desk.live().batch));
  if (o.check) return 0;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Before there are threads, so that none of them takes one.
  std::signal(SIGPIPE, SIG_IGN);
  recommend::DisplayService service(desk, log);
  http::Server http(service, {.host = o.host, .port = o.port, .max_connections = o.max_connections});
  std::printf("listening on http://%s:%d/v1\n", o.host.c_str(), http.port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  service.drain();
  std::printf("stopping: %d requests run\n", http.num_exchanges());
  std::fflush(stdout);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(o.drain_seconds);
  while (http.num_exchanges() > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  http.stop_accepting();
  return 0;
}

}  // namespace onggi::cli
