#include <cstdio>
#include <filesystem>

#include <sys/stat.h>

#include "onggi/cli/command.h"
#include "onggi/cli/serve_config.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"
#include "onggi/core/options.h"
#include "onggi/server/key_ring.h"

namespace onggi::cli {
namespace {

struct KeyOptions {
  std::string file;
  std::vector<std::string> scopes = {"infer", "embed", "batch"};
  std::vector<std::string> models;
  std::int64_t requests_per_minute = 0;
  std::int64_t tokens_per_minute = 0;
  std::int64_t tokens_per_day = 0;

  template <class V>
  void visit(V&& field) {
    field("file", file, "YAML file of keys that the entry is added to; it is made if it is not there.");
    field("scope", scopes, "What the key opens: infer, embed, batch, admin, metrics (repeat the flag).");
    field("model", models, "A model that it may ask for (repeat the flag); none = all.");
    field("requests_per_minute", requests_per_minute, "0 = no limit.");
    field("tokens_per_minute", tokens_per_minute, "0 = no limit.");
    field("tokens_per_day", tokens_per_day, "From midnight to midnight, UTC; 0 = no limit.");
  }
};

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const auto& text : texts) list += (list.size() > 1 ? ", " : "") + Json(text).dump();
  return list + "]";
}

std::string entry_text(const std::string& name, const std::string& key, const KeyOptions& o) {
  std::string text = "  - name: \"" + name + "\"\n    sha256: \"" + sha256_hex(key) +
                     "\"\n    scopes: " + quoted_list(o.scopes) + "\n";
  if (!o.models.empty()) text += "    models: " + quoted_list(o.models) + "\n";
  const auto limit = [&](const char* what, std::int64_t number) {
    if (number != 0) text += "    " + std::string(what) + ": " + std::to_string(number) + "\n";
  };
  limit("requests_per_minute", o.requests_per_minute);
  limit("tokens_per_minute", o.tokens_per_minute);
  limit("tokens_per_day", o.tokens_per_day);
  return text;
}

}  // namespace

int run_serve_keys(std::span<const std::string_view> arguments) {
  KeyOptions o;
  OptionList list(o);
  static constexpr std::string_view kExamples[] = {
      "onggi serve keys new shop --file keys.yaml",
      "onggi serve keys new tests --scope infer --model themes --requests-per-minute 600 --tokens-per-day 2000000"};
  if (wants_help(arguments)) {
    print_help(
        "serve keys new NAME [--file keys.yaml] [options]",
        "Makes a key and prints it, this once: files hold its SHA-256 alone. Without --file the entry follows, to be\n"
        "put into a file by hand. A server that runs reads its file anew at SIGHUP.",
        list.help_text(), kExamples);
    return 0;
  }
  const auto words = list.parse_flags(arguments);
  require(words.size() == 2 && words[0] == "new", "expected: onggi serve keys new NAME");
  require(server::is_caller_name(words[1]),
          [&] { return "the key's name is \"" + words[1] + "\", expected 1 to 64 of A-Z, a-z, 0-9, '.', '_', '-'"; });
  const std::string key = server::make_key();
  const std::string entry = entry_text(words[1], key, o);
  const bool is_there = !o.file.empty() && std::filesystem::exists(o.file);
  std::string text = is_there ? read_file(o.file) : "keys:\n";
  if (!text.ends_with('\n')) text += '\n';
  text += entry;
  // What is written must be what a server reads: limits, scopes, names that are there already.
  server::parse_keys(text, o.file.empty() ? "the key" : o.file, true, false);
  if (!o.file.empty()) {
    require(server::is_yaml_path(o.file), "expected a name that ends in .yaml", ErrorCode::kInvalidArgument, o.file);
    umask(0077);
    write_file_atomic(o.file, text);
    std::printf("%s\n", key.c_str());
    return 0;
  }
  std::printf("%s\n%s", key.c_str(), entry.c_str());
  return 0;
}

}  // namespace onggi::cli
