// Guides: any expression, schema or card list compiles or gives one Error; what compiles is walked, and a finished walk is
// a text that the guide accepts, JSON where it says so.

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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using onggi::decode::testing::FakeTokenizer;
  static const auto tokenizer = std::make_shared<const FakeTokenizer>(std::vector<std::string>{"ab", "\", \"", ": ", "true", "\xEA\xB0\x80"});
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 2), size - 2);
  const onggi::decode::Slots slots = {{"product", "Moa 5kg \"hub\""}, {"review", "\xEC\xA2\x8B\xEC\x95\x84\xEC\x9A\x94 USB"}};
  try {
    onggi::Json spec = onggi::Json::object();
    const int kind = bytes[0] % 4;
    if (kind == 0) {
      spec["regex"] = std::string(text);
    } else {
      spec[kind == 3 ? "cards" : "schema"] = onggi::parse_json(text, "fuzz");
      if (kind == 2) spec["whitespace"] = "flexible";
    }
    const auto guide = onggi::decode::compile_guide(spec, tokenizer);
    guide->accepts(text, slots);
    onggi::decode::testing::Dice dice(bytes[1]);
    bool finished = false;
    const std::string walked = onggi::decode::testing::random_walk(*guide, *tokenizer, slots, dice, 60, finished);
    if (finished && !guide->accepts(walked, slots)) std::abort();
    if (finished && kind != 0) onggi::parse_json(walked, "walk", 1000);
  } catch (const onggi::Error& e) {
    if (e.code() == onggi::ErrorCode::kInternal || e.where() == "walk") std::abort();
  }
  return 0;
}
