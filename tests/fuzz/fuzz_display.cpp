// What `display` reads from outside: cards, logs, requests. Any bytes give a value or one error of the expected kind.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/recommend/cards.h"
#include "onggi/recommend/display_error.h"
#include "onggi/recommend/display_request.h"
#include "onggi/recommend/logged.h"

namespace {

template <class Read>
void try_library(Read read) {
  try {
    read();
  } catch (const onggi::Error& e) {
    if (e.code() == onggi::ErrorCode::kInternal) std::abort();
  }
}

template <class Read>
void try_request(Read read) {
  try {
    read();
  } catch (const onggi::recommend::DisplayError& e) {
    if (e.status() != 400) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace onggi::recommend;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 5) {
    case 0: try_library([&] { read_cards_text(text, "fuzz"); }); break;
    case 1: try_library([&] { read_log_text(text, "fuzz.jsonl"); }); break;
    case 2: try_library([&] { read_log_text(text, "fuzz.csv"); }); break;
    case 3: try_request([&] { parse_slate_request(text); }); break;
    default: try_request([&] { parse_outcomes(text); }); break;
  }
  return 0;
}
