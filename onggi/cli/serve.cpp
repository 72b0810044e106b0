#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/server/service.h"

namespace onggi::cli {
namespace {

struct ServeOptions {
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
  bool load_adapters = false;
  bool exact = false;
  bool quiet = false;
  bool check = false;

  template <class V>
  void visit(V&& field) {
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
          "File of API keys, one a line: as they are, or sha256:HEX; lines from # are remarks. None = no key is asked "
          "for.");
    field("load_adapters", load_adapters,
          "Serve /v1/load_lora_adapter and /v1/unload_lora_adapter, which read folders of this machine.");
    field("exact", exact, "Compute in f32 instead of int8 (slower; the reference's arithmetic).");
    field("quiet", quiet, "No line a request.");
    field("check", check, "Load everything, say what would be served, and end.");
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

/// Hashes of the keys in a file.
std::vector<std::string> read_keys(const std::string& path) {
  std::vector<std::string> hashes;
  if (path.empty()) return hashes;
  const std::string text = read_file(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    line.erase(
        std::find_if(line.rbegin(), line.rend(), [](char c) { return c != ' ' && c != '\r' && c != '\t'; }).base(),
        line.end());
    if (line.empty() || line[0] == '#') continue;
    constexpr std::string_view kHashed = "sha256:";
    hashes.push_back(line.starts_with(kHashed) ? line.substr(kHashed.size()) : sha256_hex(line));
    const bool is_hash =
        hashes.back().size() == 64 && hashes.back().find_first_not_of("0123456789abcdef") == std::string::npos;
    require(is_hash, "sha256: is not followed by 64 digits of 0-9a-f", ErrorCode::kInvalidArgument, path);
  }
  require(!hashes.empty(), "the file has no key", ErrorCode::kInvalidArgument, path);
  return hashes;
}

/// What ends the server.
sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

int run_serve(std::span<const std::string_view> arguments) {
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
  const auto adapters = read_adapter_flags(o.adapters);
  const auto keys = read_keys(o.keys);
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Before there are threads, so that none of them takes one.
  std::signal(SIGPIPE, SIG_IGN);
  Session s = open_session(o.base, o.threads, o.exact ? models::Compute::kF32 : models::Compute::kInt8,
                           models::base_type_from_name(adapters_base_type(adapters.folders)));
  const std::string name = o.name.empty() ? s.checkpoint->path().stem().string() : o.name;
  server::ServerMetrics metrics(name, s.decoder->config().max_positions);
  server::ModelRegistry models(*s.decoder, name, base_hash(*s.checkpoint), s.tokenizer->content_hash(), metrics);
  for (std::size_t i = 0; i < adapters.names.size(); ++i) models.load(adapters.names[i], adapters.folders[i]);
  std::printf("serving %s and %zu adapters, context %d tokens\n", name.c_str(), adapters.names.size(),
              s.decoder->config().max_positions);
  if (o.check) return 0;

  server::EngineHost engine(
      *s.context, *s.decoder, *s.tokenizer,
      {.batch_rows = o.batch_rows, .chunk_tokens = o.chunk_tokens, .cache_tokens = o.cache_tokens}, metrics);
  server::Backend backend(engine, models, *s.decoder, s.tokenizer,
                          {.max_waiting_tokens = o.max_waiting_tokens,
                           .default_max_tokens = o.default_max_tokens,
                           .key_hashes = keys,
                           .may_load_adapters = o.load_adapters,
                           .version = commit()}, metrics);
  server::Service service(backend, [quiet = o.quiet](const std::string& line) {
    if (!quiet) std::fprintf(stderr, "%s\n", line.c_str());
  });
  http::Server http(service, {.host = o.host, .port = o.port, .max_connections = o.max_connections});
  std::printf("listening on http://%s:%d/v1\n", o.host.c_str(), http.port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  std::printf("stopping: %d requests run\n", http.num_exchanges());
  std::fflush(stdout);
  service.drain();
  http.stop_accepting();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(o.drain_seconds);
  while (http.num_exchanges() > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  engine.stop();  // While service and connections are there to be told.
  return 0;
}

}  // namespace onggi::cli
