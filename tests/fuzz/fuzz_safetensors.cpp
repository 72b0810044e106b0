// The safetensors reader: any bytes open or give one Error, and the tensors of an opened file tile its bytes.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "onggi/core/error.h"
#include "onggi/formats/safetensors.h"
#include "onggi/quant/dtype.h"

namespace {

void check(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const onggi::formats::SafetensorsFile file(bytes, "fuzz");
    std::size_t total = 0;
    for (const auto& tensor : file.tensors()) {
      check(static_cast<std::int64_t>(tensor.data.size()) ==
            onggi::quant::num_bytes(tensor.type, tensor.num_elements()));
      check(file.find(tensor.name) == &tensor);
      total += tensor.data.size();
    }
    if (!file.tensors().empty()) {
      const auto& last = file.tensors().back().data;
      check(last.data() + last.size() == bytes.data() + size && total <= size);
    }
  } catch (const onggi::Error& e) {
    check(e.code() == onggi::ErrorCode::kCorrupt || e.code() == onggi::ErrorCode::kInvalidArgument);
    check(e.where().starts_with("fuzz"));
  }
  return 0;
}
