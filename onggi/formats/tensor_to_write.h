#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/formats/atomic_file.h"
#include "onggi/quant/dtype.h"

namespace onggi::formats {

/// A tensor on its way to a file. Its numbers come either as `data` or from `read_rows`, never both.
struct TensorToWrite {
  std::string name;
  quant::DType type = quant::DType::kF32;  ///< As it will be stored.
  std::vector<std::int64_t> shape;         ///< Outermost first; a row is the last dimension.
  std::span<const std::byte> data;         ///< Bytes of `type`, written as they are.
  /// Puts rows [first_row, first_row + num_rows) as f32 into out [num_rows, shape.back()]. Called in order, every row
  /// once, some at a time, and encoded to `type` on the way, so that no tensor is whole in memory.
  std::function<void(std::int64_t first_row, std::int64_t num_rows, float* out)> read_rows;
};

/// Bytes that the tensor takes. Throws kInvalidArgument, with the tensor's name, if a dimension is negative or the
/// product too large, rows are no multiple of the block, `data` has another size, or `read_rows` is given for a type
/// that can't be encoded.
std::uint64_t num_bytes(const TensorToWrite& tensor, std::string_view where);

/// Appends the tensor's bytes. Throws kInvalidArgument if `read_rows` gives a number that is NaN or infinite, or that
/// F16 can't hold: a damaged model must not replace a good file.
void write_tensor(AtomicFile& file, const TensorToWrite& tensor, std::string_view where);

}  // namespace onggi::formats
