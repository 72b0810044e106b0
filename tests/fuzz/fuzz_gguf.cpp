// The GGUF reader: any bytes open or give one Error, and all that an opened file hands out lies inside the bytes.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "onggi/core/error.h"
#include "onggi/formats/gguf.h"
#include "onggi/quant/dtype.h"

namespace {

void check(bool ok) {
  if (!ok) std::abort();
}

template <class Read>
void read_array(Read read) {
  try {
    read();
  } catch (const onggi::Error& e) {
    check(e.code() == onggi::ErrorCode::kCorrupt);
  }
}

void walk(const onggi::formats::Checkpoint& checkpoint, std::span<const std::byte> bytes) {
  const auto is_inside = [&](const void* begin, std::size_t size) {
    const auto* at = static_cast<const std::byte*>(begin);
    return at >= bytes.data() && size <= bytes.size() && at + size <= bytes.data() + bytes.size();
  };
  for (const auto& tensor : checkpoint.tensors()) {
    check(is_inside(tensor.data.data(), tensor.data.size()));
    check(static_cast<std::int64_t>(tensor.data.size()) == onggi::quant::num_bytes(tensor.type, tensor.num_elements()));
    check(checkpoint.find(tensor.name) == &tensor);
  }
  for (const auto& entry : onggi::formats::gguf_entries(checkpoint)) {
    read_array([&] { checkpoint.float_array(entry.key); });
    read_array([&] { checkpoint.int_array(entry.key); });
    read_array([&] {
      for (const auto text : checkpoint.string_array(entry.key).value_or(std::vector<std::string_view>())) {
        check(is_inside(text.data(), text.size()));
      }
    });
  }
  onggi::dump_json(checkpoint.metadata());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    walk(*onggi::formats::parse_gguf(bytes, "fuzz"), bytes);
  } catch (const onggi::Error& e) {
    check(e.code() == onggi::ErrorCode::kCorrupt || e.code() == onggi::ErrorCode::kInvalidArgument);
    check(e.where() == "fuzz");
  }
  return 0;
}
