#include "onggi/formats/tensor_to_write.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/formats/quote.h"
#include "onggi/quant/blocks.h"

namespace onggi::formats {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 48;
/// Numbers asked of `read_rows` at a time (4 MiB), or one row if that is longer.
constexpr std::int64_t kChunkElements = std::int64_t{1} << 20;
/// The first magnitude that rounds to infinity in F16.
constexpr float kF16Overflow = 65520.0F;

[[noreturn]] void fail(const TensorToWrite& tensor, const std::string& what, std::string_view where) {
  throw Error(ErrorCode::kInvalidArgument, "can't write tensor " + quote(tensor.name) + ": " + what,
              std::string(where));
}

std::int64_t row_length(const TensorToWrite& tensor) { return tensor.shape.empty() ? 1 : tensor.shape.back(); }

std::int64_t num_elements(const TensorToWrite& tensor, std::string_view where) {
  std::int64_t elements = 1;
  for (const std::int64_t size : tensor.shape) {
    if (size < 0 || (size > 0 && elements > kMaxElements / size)) {
      fail(tensor, "dimension " + std::to_string(size), where);
    }
    elements *= size;
  }
  return elements;
}

void check_values(const TensorToWrite& tensor, std::span<const float> values, std::int64_t first,
                  std::string_view where) {
  const float limit = tensor.type == quant::DType::kF16 ? kF16Overflow : INFINITY;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::abs(values[i]) < limit) continue;
    fail(tensor,
         "element " + std::to_string(first + static_cast<std::int64_t>(i)) + " is " + std::to_string(values[i]) +
             ", which " + std::string(quant::traits(tensor.type).name) + " can't or should not hold",
         where);
  }
}

}  // namespace

std::uint64_t num_bytes(const TensorToWrite& tensor, std::string_view where) {
  const std::int64_t elements = num_elements(tensor, where);
  const auto& traits = quant::traits(tensor.type);
  if (row_length(tensor) % traits.block_elements != 0) {
    fail(tensor,
         "rows of " + std::to_string(row_length(tensor)) + " are no multiple of the block of " +
             std::string(traits.name) + ", " + std::to_string(traits.block_elements),
         where);
  }
  const auto bytes = static_cast<std::uint64_t>(quant::num_bytes(tensor.type, elements));
  if (tensor.read_rows) {
    if (!tensor.data.empty()) fail(tensor, "it has both data and read_rows", where);
    if (!quant::can_encode(tensor.type)) fail(tensor, std::string(traits.name) + " can't be encoded here", where);
  } else if (tensor.data.size() != bytes) {
    fail(tensor,
         "it has " + std::to_string(tensor.data.size()) + " bytes of data, its shape and type need " +
             std::to_string(bytes),
         where);
  }
  return bytes;
}

void write_tensor(AtomicFile& file, const TensorToWrite& tensor, std::string_view where) {
  if (!tensor.read_rows) {
    file.write(tensor.data);
    return;
  }
  const std::int64_t elements = num_elements(tensor, where);
  if (elements == 0) return;
  const std::int64_t length = row_length(tensor);
  const std::int64_t num_rows = elements / length;
  const std::int64_t chunk_rows = std::clamp(kChunkElements / length, std::int64_t{1}, num_rows);
  std::vector<float> values(static_cast<std::size_t>(chunk_rows * length));
  std::vector<std::byte> bytes(static_cast<std::size_t>(quant::num_bytes(tensor.type, chunk_rows * length)));
  for (std::int64_t row = 0; row < num_rows; row += chunk_rows) {
    const std::int64_t rows = std::min(chunk_rows, num_rows - row);
    tensor.read_rows(row, rows, values.data());
    check_values(tensor, std::span(values).first(static_cast<std::size_t>(rows * length)), row * length, where);
    quant::encode(tensor.type, values.data(), rows * length, bytes.data());
    file.write(std::span(bytes).first(static_cast<std::size_t>(quant::num_bytes(tensor.type, rows * length))));
  }
}

}  // namespace onggi::formats
