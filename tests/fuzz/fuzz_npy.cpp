// The NumPy reader: any bytes are a matrix with as many values as its shape says, or one Error.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "onggi/core/error.h"
#include "onggi/formats/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto matrix = onggi::formats::parse_npy(std::as_bytes(std::span(data, size)), "fuzz");
    const auto count = matrix.values.size();
    if (matrix.rows < 0 || matrix.columns < 0) std::abort();
    if (count > 0 && static_cast<std::size_t>(matrix.rows * matrix.columns) != count) std::abort();
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt || e.where() != "fuzz") std::abort();
  }
  return 0;
}
