#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>

#include "onggi/cli/command.h"
#include "onggi/cli/serve_config.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/line_writer.h"
#include "onggi/core/options.h"
#include "onggi/server/batch/batches.h"
#include "onggi/server/service.h"

namespace onggi::cli {
namespace {

struct ServeOptions {
  std::string config;
  std::string base;
  std::string name;
  std::vector<std::string> adapters;
  std::string host = "127.0.0.1";
  int port = 8080;
  int threads = 0;
  int batch_rows = 32;
  int chunk_tokens = 256;
  std::int64_t cache_tokens = 32'768;
  std::int64_t max_waiting_tokens = 400'000;
  int max_connections = 4096;
  int default_max_tokens = 1024;
  int drain_seconds = 30;
  std::string keys;
  bool open_metrics = false;
  int adapter_memory_mb = 1024;
  std::string log;
  bool load_adapters = false;
  std::string state;
  std::int64_t state_bytes = std::int64_t{20} << 30;
  std::int64_t file_bytes = std::int64_t{1} << 30;
  std::int64_t batch_lines = 1'000'000;
  bool exact = false;
  std::string adapter_type = "f32";
  bool quiet = false;
  bool check = false;

  template <class V>
  void visit(V&& field) {
    field("config", config, "YAML file of these options, of adapters and of keys; flags come after it.");
    field("base", base, "Model: a GGUF file or a Hugging Face folder; empty = the demo's Gemma 3 270M.");
    field("name", name, "What requests call the base; the file's or folder's name if not given.");
    field("adapter", adapters, "name=FOLDER of a PEFT adapter (repeat the flag); requests choose it as their model.");
    field("host", host, "Address to listen on. 0.0.0.0 is everyone who can reach this machine: then give --keys.");
    field("port", port, "Port; 0 takes a free one and prints it.");
    field("threads", threads, "Threads that compute; 0 = all cores of this process.");
    field("batch_rows", batch_rows, "Answers computed side by side; changes speed, never an answer.");
    field("chunk_tokens", chunk_tokens,
          "Tokens of one prompt computed before others have their turn; changes no answer.");
    field("cache_tokens", cache_tokens, "Tokens of prompts' beginnings that are kept for the prompts to come.");
    field("max_waiting_tokens", max_waiting_tokens,
          "Prompt and answer tokens of all open requests; more are refused with 429.");
    field("max_connections", max_connections, "Connections held at once; more are refused with 503.");
    field("default_max_tokens", default_max_tokens, "Longest answer of a request that names no limit.");
    field("drain_seconds", drain_seconds, "At SIGTERM: how long requests that run may take to end.");
    field("keys", keys,
          "File of API keys: YAML (`onggi serve keys new`), or one a line, as it is or as sha256:HEX. None = no key is "
          "asked for.");
    field("open_metrics", open_metrics, "With keys: /metrics needs none all the same.");
    field("adapter_memory_mb", adapter_memory_mb,
          "Of the adapters in --config, which are read when they are asked for: those used last stay within this.");
    field("log", log, "File for the line a request, opened anew at SIGHUP; standard error if not given.");
    field("load_adapters", load_adapters,
          "Serve /v1/load_lora_adapter and /v1/unload_lora_adapter, which read folders of this machine.");
    field(
        "state", state,
        "Folder for files and batches (/v1/files, /v1/batches), which go on after a kill; made if it is not there, and "
        "one server's alone. None = the server keeps nothing and has no batches.");
    field("state_bytes", state_bytes, "Bytes of all files kept there; an upload past it is refused with 507.");
    field("file_bytes", file_bytes, "Bytes of one file that a client sends.");
    field("batch_lines", batch_lines, "Lines of one batch.");
    field("exact", exact, "Compute in f32 instead of int8 (slower; the reference's arithmetic).");
    field("adapter_type", adapter_type,
          "Adapters as f32, or int8: a quarter of the memory, and of the time where many are asked for at once.");
    field("quiet", quiet, "No line a request.");
    field("check", check, "Load everything, say what would be served and what is wrong, and end.");
  }
};

struct AdapterFlags {
  std::vector<std::string> names, folders;
};

AdapterFlags read_adapter_flags(const std::vector<std::string>& flags) {
  AdapterFlags adapters;
  for (const auto& flag : flags) {
    const auto sign = flag.find('=');
    require(sign != std::string::npos && sign > 0 && sign + 1 < flag.size(),
            [&] { return "--adapter is \"" + flag + "\", expected name=FOLDER"; });
    const std::string name = flag.substr(0, sign);
    require(std::ranges::find(adapters.names, name) == adapters.names.end(),
            [&] { return "two adapters are called \"" + name + "\""; });
    adapters.names.push_back(name);
    adapters.folders.push_back(flag.substr(sign + 1));
  }
  return adapters;
}

/// The keys of the flag's file, or of the configuration itself; null if there are none.
std::shared_ptr<server::KeyRing> read_keys(const ServeOptions& o, const ServeConfig& config) {
  if (o.keys.empty() && !config.has_keys) return nullptr;
  const bool is_inside = o.keys.empty();
  auto keys = std::make_shared<server::KeyRing>(
      server::KeyRing::Source{.path = is_inside ? o.config : o.keys, .may_hold_more = is_inside});
  if (const auto warning = keys->warning(); !warning.empty()) std::fprintf(stderr, "onggi: %s\n", warning.c_str());
  return keys;
}

/// What SIGHUP asks for: the log may have been moved, the keys changed.
void reopen(LineWriter* log, server::KeyRing* keys) {
  if (log != nullptr) log->reopen();
  if (keys == nullptr) return;
  try {
    keys->reload();
    std::printf("read the keys anew: %zu\n", keys->size());
  } catch (const Error& e) {
    std::printf("the keys stay as they were: %s\n", e.what());
  }
  std::fflush(stdout);
}

/// What ends the server, and SIGHUP.
sigset_t awaited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

int run_serve(std::span<const std::string_view> arguments) {
  if (!arguments.empty() && arguments[0] == "keys") return run_serve_keys(arguments.subspan(1));
  ServeOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {
      "onggi serve --adapter themes=runs/first/adapter",
      "onggi serve --base model.gguf --name my-model --port 9000 --cache-tokens 100000",
      "curl localhost:8080/v1/chat/completions -d '{\"model\": \"themes\", \"messages\": [{\"role\": \"user\", "
      "\"content\": \"...\"}]}'"};
  if (wants_help(arguments)) {
    print_help("serve [--base MODEL] [--adapter name=FOLDER ...] [options]",
               "Answers over HTTP as OpenAI's API does: chat and completions, streamed or not, each request with its "
               "own adapter\n"
               "and form of answer. The same request with the same seed has the same answer, whoever else is asking.",
               list.help_text(), kExamples);
    return 0;
  }
  require(list.parse_flags(arguments).empty(), "serve takes no positional argument");
  ServeConfig config;
  if (!o.config.empty()) {
    const std::string path = o.config;
    o = {};
    config = read_serve_config(path, list);
    list.parse_flags(arguments);
  }
  const auto adapters = read_adapter_flags(o.adapters);
  const auto keys = read_keys(o, config);
  if (o.check && !check_folders(config.adapters)) return 1;
  std::vector<std::string> folders = adapters.folders;
  for (const auto& adapter : config.adapters) {
    require_folder(adapter);
    folders.push_back(adapter.folder);
  }
  for (const auto& [name, value] : {std::pair{"--state-bytes", o.state_bytes}, std::pair{"--file-bytes", o.file_bytes},
                                    std::pair{"--batch-lines", o.batch_lines}})
    require(value >= 1, [&] { return name + std::string(" is ") + std::to_string(value) + ", expected at least 1"; });
  const sigset_t signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Before there are threads, so that none of them takes one.
  std::signal(SIGPIPE, SIG_IGN);
  Session s = open_session(o.base, o.threads, o.exact ? models::Compute::kF32 : models::Compute::kInt8,
                           models::base_type_from_name(adapters_base_type(folders)));
  const std::string name = o.name.empty() ? s.checkpoint->path().stem().string() : o.name;
  server::ServerMetrics metrics(name, s.decoder->config().max_positions);
  server::ModelRegistry models(*s.decoder, metrics,
                               {.base_name = name,
                                .base_hash = base_hash(*s.checkpoint),
                                .tokenizer_hash = s.tokenizer->content_hash(),
                                .adapter_type = nn::adapter_type_from_name(o.adapter_type),
                                .memory_bytes = std::int64_t{o.adapter_memory_mb} << 20});
  for (const auto& adapter : config.adapters) models.add(adapter.name, adapter.folder);
  for (std::size_t i = 0; i < adapters.names.size(); ++i) models.load(adapters.names[i], adapters.folders[i]);
  std::printf("serving %s and %zu adapters, context %d tokens\n", name.c_str(),
              static_cast<std::size_t>(models.counts().registered), s.decoder->config().max_positions);
  if (o.check) return check_served(models, config.adapters, o.host, o.port) ? 0 : 1;

  const auto log = o.quiet ? nullptr : std::make_unique<LineWriter>(LineWriter::Options{.path = o.log});
  server::EngineHost engine(
      *s.context, *s.decoder, *s.tokenizer,
      {.batch_rows = o.batch_rows, .chunk_tokens = o.chunk_tokens, .cache_tokens = o.cache_tokens}, metrics);
  server::Backend backend(engine, models, *s.decoder, s.tokenizer,
                          {.max_waiting_tokens = o.max_waiting_tokens,
                           .default_max_tokens = o.default_max_tokens,
                           .keys = keys,
                           .has_open_metrics = o.open_metrics,
                           .may_load_adapters = o.load_adapters,
                           .version = commit()},
                          metrics);
  server::Service service(backend, log.get());
  std::unique_ptr<server::Batches> batches;
  if (!o.state.empty()) {
    batches = std::make_unique<server::Batches>(
        backend,
        server::BatchesOptions{.folder = o.state,
                               .max_file_bytes = o.file_bytes,
                               .max_stored_bytes = o.state_bytes,
                               .runner = {.limits = {.max_lines = o.batch_lines}, .lines_at_once = 2 * o.batch_rows}},
        [&log](const std::string& line) {
          if (log) log->write(line);
        });
    backend.batches = batches.get();
  }
  http::Server http(service, {.host = o.host, .port = o.port, .max_connections = o.max_connections});
  std::printf("page at http://%s:%d/\n", o.host.c_str(), http.port());
  std::printf("listening on http://%s:%d/v1\n", o.host.c_str(), http.port());
  std::fflush(stdout);
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) reopen(log.get(), keys.get());
  std::printf("stopping: %d requests run\n", http.num_exchanges());
  std::fflush(stdout);
  service.drain();               // Still there: for what runs, and to say to others that they should go elsewhere.
  if (batches) batches->stop();  // What is not answered is asked again at the next start.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(o.drain_seconds);
  while (http.num_exchanges() > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  http.stop_accepting();
  engine.stop();  // While service and connections are there to be told.
  return 0;
}

}  // namespace onggi::cli
