#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/core/random.h"
#include "onggi/decode/guide.h"
#include "onggi/text/tokenizer.h"
#include "tests/support/shared.h"

namespace onggi::decode::testing {

/// Every byte, the given texts and three control tokens that spell ordinary text. Encodes by the longest match.
class FakeTokenizer : public text::Tokenizer {
 public:
  static constexpr int kPad = 0;
  static constexpr int kEos = 1;
  static constexpr int kFirstByte = 3;

  explicit FakeTokenizer(const std::vector<std::string>& texts = {}) {
    tokens_ = {"<pad>", "<eos>", "a"};  // The last is a control token that spells a letter.
    for (int byte = 0; byte < 256; ++byte) tokens_.push_back(std::string(1, static_cast<char>(byte)));
    tokens_.insert(tokens_.end(), texts.begin(), texts.end());
    for (int id = kFirstByte; id < vocab_size(); ++id) by_text_[tokens_[static_cast<std::size_t>(id)]] = id;
  }

  int vocab_size() const override { return static_cast<int>(tokens_.size()); }
  void encode(std::string_view text, std::vector<int>& ids) const override {
    while (!text.empty()) {
      for (std::size_t n = std::min<std::size_t>(text.size(), 32); n > 0; --n) {
        const auto found = by_text_.find(std::string(text.substr(0, n)));
        if (found == by_text_.end()) continue;
        ids.push_back(found->second);
        text.remove_prefix(n);
        break;
      }
    }
  }
  void encode_with_control(std::string_view text, std::vector<int>& ids) const override { encode(text, ids); }
  std::string_view token_bytes(int id) const override {
    return id < 0 || id >= vocab_size() ? std::string_view() : std::string_view(tokens_[static_cast<std::size_t>(id)]);
  }
  bool is_control(int id) const override { return id < kFirstByte || id >= vocab_size(); }
  int bos_id() const override { return -1; }
  int eos_id() const override { return kEos; }
  int id_of(std::string_view token) const override {
    const auto found = by_text_.find(std::string(token));
    return found == by_text_.end() ? -1 : found->second;
  }
  std::span<const int> stop_ids() const override { return {&stop_, 1}; }
  bool adds_bos() const override { return false; }
  const std::string& chat_template() const override { return empty_; }
  std::string_view kind() const override { return "fake"; }
  const std::string& content_hash() const override { return empty_; }

 private:
  std::vector<std::string> tokens_;
  std::map<std::string, int> by_text_;
  int stop_ = kEos;
  std::string empty_;
};

/// JSON as Python's json.dumps writes it, but whole numbers without fraction, which is the form of guides.
inline std::string render(const Json& value) {
  if (value.is_number_float() && std::isfinite(value.get<double>()) && value.get<double>() == std::floor(value.get<double>())) {
    char digits[400];
    std::snprintf(digits, sizeof digits, "%.0f", value.get<double>() + 0.0);
    return digits;
  }
  if (!value.is_structured()) return dump_json(value);
  std::string text(value.is_array() ? "[" : "{");
  for (const auto& [key, member] : value.items()) {
    if (text.size() > 1) text += ", ";
    if (value.is_object()) text += dump_json(Json(key)) + ": ";
    text += render(member);
  }
  return text + (value.is_array() ? "]" : "}");
}

/// A stream of random choices, the same for the same seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  /// 0 to sides - 1.
  int roll(int sides) { return static_cast<int>(uniform_int(seed_, 0, next_++, static_cast<std::uint64_t>(sides))); }
  bool flip() { return roll(2) == 1; }

 private:
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

/// A walk that takes any allowed token with the same probability, and the end as soon as `limit` tokens are written.
/// Returns the text; `finished` says whether the end came within twice the limit.
inline std::string random_walk(const Guide& guide, const text::Tokenizer& tokenizer, const Slots& slots, Dice& dice, int limit,
                               bool& finished) {
  const auto state = guide.start(slots);
  std::string text;
  for (int i = 0; i < 2 * limit && !state->is_finished(); ++i) {
    const auto ids = state->allowed();
    const bool may_end = std::find(ids.begin(), ids.end(), tokenizer.eos_id()) != ids.end();
    const int id = may_end && i >= limit ? tokenizer.eos_id() : ids[static_cast<std::size_t>(dice.roll(static_cast<int>(ids.size())))];
    state->advance(id);
    if (id != tokenizer.eos_id()) text += tokenizer.token_bytes(id);
  }
  finished = state->is_finished();
  return text;
}

/// True where the text's tokens are allowed one after the other and then the end.
inline bool walks(const Guide& guide, const text::Tokenizer& tokenizer, const Slots& slots, std::string_view text) {
  std::vector<int> ids;
  tokenizer.encode(text, ids);
  ids.push_back(tokenizer.eos_id());
  const auto state = guide.start(slots);
  for (const int id : ids) {
    const auto allowed = state->allowed();
    if (!std::binary_search(allowed.begin(), allowed.end(), id)) return false;
    state->advance(id);
  }
  return state->is_finished();
}

/// Lines of maskbench: a JSON object each. Throws kNotFound where they can't be read.
inline std::vector<std::string> maskbench_lines() {
  const auto path = onggi::testing::shared_folder() / "data/maskbench/schemas.jsonl.gz";
  FILE* pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
  std::string all;
  char buffer[65536];
  for (std::size_t n = 0; pipe != nullptr && (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) all.append(buffer, n);
  if (pipe == nullptr || pclose(pipe) != 0) throw Error(ErrorCode::kNotFound, "can't read it", path.string());
  std::vector<std::string> lines;
  std::istringstream stream(all);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Files of a draft in JSON-Schema-Test-Suite, sorted.
inline std::vector<std::filesystem::path> suite_files(const std::string& draft) {
  std::vector<std::filesystem::path> files;
  const auto folder = onggi::testing::shared_folder() / "data/json-schema-test-suite/tests" / draft;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace onggi::decode::testing
