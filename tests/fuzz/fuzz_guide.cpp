// Guides: any expression, schema, grammar or card list compiles or gives one Error; what compiles is walked for rows that share
// what they learn. What a walk allows is reachable; a finished walk is a text that the guide accepts, JSON where it says
// so.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/decode/guide.h"
#include "onggi/decode/test_support.h"
#include "onggi/text/tokenizer.h"

namespace {

void walk(const onggi::decode::Guide& guide, const onggi::text::Tokenizer& tokenizer, const onggi::decode::Slots& slots, std::uint8_t seed, bool is_json) {
  const auto extra = guide.reachable_from(slots);
  std::unique_ptr<onggi::decode::GuideState> state;
  try {
    state = guide.start(slots);
  } catch (const onggi::Error& e) {  // Nothing can be written for this row, or too much.
    if (e.code() == onggi::ErrorCode::kInternal) throw;
    if (e.code() == onggi::ErrorCode::kInvalidArgument && guide.accepts("", slots)) std::abort();
    return;
  }
  for (const int id : state->allowed()) {
    const auto all = guide.reachable();
    if (!std::binary_search(all.begin(), all.end(), id) && !std::binary_search(extra.begin(), extra.end(), id)) std::abort();
  }
  onggi::decode::testing::Dice dice(seed);
  bool finished = false;
  const std::string walked = onggi::decode::testing::random_walk(guide, tokenizer, slots, dice, 60, finished);
  if (finished && !guide.accepts(walked, slots)) std::abort();
  if (finished && is_json) onggi::parse_json(walked, "walk", 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using onggi::decode::testing::FakeTokenizer;
  static const auto tokenizer = std::make_shared<const FakeTokenizer>(std::vector<std::string>{"ab", "\", \"", ": ", "true", "\xEA\xB0\x80"});
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 2), size - 2);
  const onggi::decode::Slots rows[] = {
      {{"product", "Moa 5kg \"hub\""}, {"review", "\xEC\xA2\x8B\xEC\x95\x84\xEC\x9A\x94 USB"}},
      {{"product", ""}, {"review", "ab 5"}},
  };
  try {
    onggi::Json spec = onggi::Json::object();
    const int kind = bytes[0] < 128 ? bytes[0] % 4 : 4 + bytes[0] % 2;
    if (kind == 4) {
      spec["grammar"] = std::string(text);
    } else if (kind == 0) {
      spec["regex"] = std::string(text);
    } else {
      spec[kind == 3 ? "cards" : "schema"] = onggi::parse_json(text, "fuzz");
      if (kind == 2 || kind == 5) spec["whitespace"] = "flexible";
      if (kind == 5) spec["open"] = true;
    }
    const auto guide = onggi::decode::compile_guide(spec, tokenizer);
    guide->accepts(text, rows[0]);
    for (const auto& slots : rows) walk(*guide, *tokenizer, slots, bytes[1], kind != 0 && kind != 4);
  } catch (const onggi::Error& e) {
    if (e.code() == onggi::ErrorCode::kInternal || e.where() == "walk") std::abort();
  }
  return 0;
}
