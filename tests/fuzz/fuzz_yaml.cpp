// The YAML reader: any bytes give a value or one Error with its place.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/core/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    onggi::parse_yaml(text, "fuzz").to_json();
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt || !e.where().starts_with("fuzz:")) std::abort();
  }
  return 0;
}
