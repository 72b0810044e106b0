// Masks over real schemas: how many are judged right, and the time of each mask with its commit.
//   bench_masks TOKENIZER SCHEMAS.jsonl[.gz] [--order any|schema] [--failures N] [--only NAME]
// Each line is {name, schema, tests: [{valid, data}]} (maskbench). Every instance is written as Python's json.dumps
// writes it, tokenised, and fed token by token: a mask, the token's membership, the commit.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/decode/guide.h"
#include "onggi/decode/json_text.h"
#include "onggi/text/tokenizer.h"

namespace {

using onggi::Json;
/// CPU time of this thread, so that a busy machine does not count.
double now_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}
double us_since(double begin) { return now_us() - begin; }

std::string read_all(const std::string& path) {
  const bool is_packed = path.ends_with(".gz");
  FILE* file = is_packed ? popen(("gzip -dc '" + path + "'").c_str(), "r") : std::fopen(path.c_str(), "rb");
  if (file == nullptr) throw onggi::Error(onggi::ErrorCode::kNotFound, "can't read " + path);
  std::string all;
  char buffer[1 << 16];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) all.append(buffer, n);
  is_packed ? pclose(file) : std::fclose(file);
  return all;
}

struct Times {
  std::vector<double> us;
  void print(const char* name) {
    if (us.empty()) return;
    std::sort(us.begin(), us.end());
    const auto at = [&](double share) {
      return us[std::min(us.size() - 1, static_cast<std::size_t>(share * static_cast<double>(us.size())))];
    };
    const double mean = std::accumulate(us.begin(), us.end(), 0.0) / static_cast<double>(us.size());
    std::printf("%-14s n %zu  mean %.1f  p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f us\n", name, us.size(),
                mean, at(0.5), at(0.9), at(0.99), at(0.999), us.back());
  }
};

enum class Outcome { kAllowed, kTokenRefused, kEndRefused };

Outcome feed(const onggi::decode::Guide& guide, const onggi::text::Tokenizer& tokenizer, const std::string& text,
             Times& masks) {
  std::vector<int> ids;
  tokenizer.encode(text, ids);
  ids.push_back(tokenizer.eos_id());
  const auto state = guide.start({});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto begin = now_us();
    const bool is_allowed = state->mask().holds(ids[i]);
    if (is_allowed) state->advance(ids[i]);
    masks.us.push_back(us_since(begin));
    if (!is_allowed) return i + 1 == ids.size() ? Outcome::kEndRefused : Outcome::kTokenRefused;
  }
  return Outcome::kAllowed;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr,
                 "bench_masks TOKENIZER SCHEMAS.jsonl[.gz] [--order any|schema] [--failures N] [--only NAME]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
  int num_shown = 0;
  std::string only;
  std::string order = "any";
  for (int i = 3; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--failures") == 0) num_shown = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--only") == 0) only = argv[i + 1];
    if (std::strcmp(argv[i], "--order") == 0) order = argv[i + 1];
  }
  const std::shared_ptr<const onggi::text::Tokenizer> tokenizer =
      onggi::text::open_tokenizer(std::filesystem::path(argv[1]));
  const auto kept = onggi::decode::compile_guide({{"json_object", true}}, tokenizer);  // Keeps what all guides share.
  Times masks, again, compiles;
  std::map<std::string, int> outcomes;
  std::istringstream lines(read_all(argv[2]));
  for (std::string line; std::getline(lines, line);) {
    const Json row = onggi::decode::parse_json_exactly(line);
    const Json schema = Json::parse(line)["schema"];
    const std::string name = row["name"];
    if (!only.empty() && name != only) continue;
    const auto show = [&](const std::string& why) {
      if (num_shown-- > 0) std::printf("%s: %s\n", name.c_str(), why.c_str());
    };
    std::string outcome = "right";
    const auto whole = now_us();
    try {
      const auto begin = now_us();
      const auto guide = onggi::decode::compile_guide(
          {{"schema", schema}, {"whitespace", "flexible"}, {"open", true}, {"order", order}, {"format", "known"}},
          tokenizer);
      compiles.us.push_back(us_since(begin));
      for (const Json& test : row["tests"]) {
        const std::string text = onggi::decode::python_text(test["data"]);
        const bool is_valid = test["valid"];
        const Outcome fed = feed(*guide, *tokenizer, text, masks);
        feed(*guide, *tokenizer, text, again);
        const bool is_accepted = fed == Outcome::kAllowed;
        if (guide->accepts(text, {}) != is_accepted) outcome = "decoder and validator differ";
        if (is_accepted == is_valid || outcome == "accepts an invalid") continue;
        outcome = is_valid ? "rejects a valid" : "accepts an invalid";
        show(outcome + ": " + text.substr(0, 300));
      }
    } catch (const onggi::Error& e) {
      outcome = "compile error";
      show(outcome + ": " + e.what());
    }
    ++outcomes[outcome];
    if (us_since(whole) > 1e6) show("takes " + std::to_string(us_since(whole) * 1e-6) + " s");
  }
  for (const auto& [outcome, count] : outcomes) std::printf("%-30s %d\n", outcome.c_str(), count);
  std::printf("vocabulary of %d\n", tokenizer->vocab_size());
  compiles.print("compile");
  masks.print("mask + commit");
  again.print("seen before");
}
