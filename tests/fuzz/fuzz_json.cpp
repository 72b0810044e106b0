// The JSON reader: any bytes give a value or one Error, and a value survives being written and read again.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/core/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  onggi::Json value;
  try {
    value = onggi::parse_json(text, "fuzz");
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt) std::abort();
    return 0;
  }
  const std::string written = onggi::dump_json(value);
  if (onggi::dump_json(onggi::parse_json(written, "fuzz")) != written) std::abort();
  return 0;
}
