// What a page sends to the review server: any bytes give events or one Error.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/review/client_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    for (const auto& event : onggi::review::parse_client_events(onggi::parse_json(text, "fuzz"))) {
      if (!onggi::review::is_event_id(event.id) || event.reason < 0 || event.reason > 9) std::abort();
    }
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt && e.code() != onggi::ErrorCode::kInvalidArgument) std::abort();
  }
  return 0;
}
