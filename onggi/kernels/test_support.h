#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "onggi/core/random.h"
#include "onggi/kernels/kernels.h"
#include "onggi/quant/dtype.h"

/// Inputs for the tests and the benchmark of this module.
namespace onggi::kernels::testing {

using quant::DType;

inline const std::vector<DType> kPackable = {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,
                                             DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};
inline const std::vector<DType> kDecodable = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ4_0,
                                              DType::kQ4_1, DType::kQ5_0, DType::kQ5_1, DType::kQ8_0,
                                              DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};

/// Uniform in [-1, 1); a function of (seed, index) alone.
inline std::vector<float> random_floats(std::uint64_t seed, std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 2 * uniform_float(seed, 0, i) - 1;
  return values;
}

/// Where the f16 scales of a block lie, from its start: one or two of them.
inline std::vector<int> scale_offsets(DType type) {
  switch (type) {
    case DType::kQ4_0:
    case DType::kQ5_0:
    case DType::kQ8_0: return {0};
    case DType::kQ4_1:
    case DType::kQ5_1:
    case DType::kQ4_K:
    case DType::kQ5_K: return {0, 2};
    case DType::kQ6_K: return {208};
    default: return {};
  }
}

/// `rows` x `columns` weights as blocks of random bytes, with f16 scales whose size is 2^-9 to 2^-6 and sign random.
inline std::vector<std::byte> random_blocks(std::uint64_t seed, DType type, std::int64_t rows, std::int64_t columns) {
  const auto& shape = quant::traits(type);
  const std::int64_t num_blocks = rows * columns / shape.block_elements;
  std::vector<std::byte> bytes;
  bytes.reserve(1);  // a pointer, even to no block
  bytes.resize(static_cast<std::size_t>(num_blocks * shape.block_bytes));
  if (bytes.empty()) return bytes;
  for (std::size_t i = 0; i < bytes.size(); i += 16) {
    const auto four = philox(seed, 1, i);
    std::memcpy(bytes.data() + i, four.data(), std::min<std::size_t>(16, bytes.size() - i));
  }
  const auto put_u16 = [&](std::size_t at, std::uint16_t bits) { std::memcpy(bytes.data() + at, &bits, 2); };
  const auto get_u16 = [&](std::size_t at) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, 2);
    return bits;
  };
  if (type == DType::kF32) {
    const std::vector<float> values = random_floats(seed, rows * columns);
    std::memcpy(bytes.data(), values.data(), bytes.size());
  } else if (type == DType::kF16) {
    for (std::size_t i = 0; i < bytes.size(); i += 2) put_u16(i, get_u16(i) & 0xBBFF);  // below 2
  } else if (type == DType::kBF16) {
    for (std::size_t i = 0; i < bytes.size(); i += 2) put_u16(i, (get_u16(i) & 0x83FF) | 0x3C00);
  }
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    for (const int offset : scale_offsets(type)) {
      const auto at = static_cast<std::size_t>(b * shape.block_bytes + offset);
      put_u16(at, static_cast<std::uint16_t>((get_u16(at) & 0x83FF) | ((6 + (get_u16(at) >> 10) % 4) << 10)));
    }
  }
  return bytes;
}

/// Blocks with every code byte (and K-quant scale byte) equal to `fill` and every f16 scale 1.
inline std::vector<std::byte> constant_blocks(DType type, std::int64_t rows, std::int64_t columns, std::uint8_t fill) {
  const auto& shape = quant::traits(type);
  const std::int64_t num_blocks = rows * columns / shape.block_elements;
  std::vector<std::byte> bytes(static_cast<std::size_t>(num_blocks * shape.block_bytes), std::byte{fill});
  const std::uint16_t one = 0x3C00;
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    for (const int offset : scale_offsets(type)) std::memcpy(bytes.data() + b * shape.block_bytes + offset, &one, 2);
  }
  return bytes;
}

/// W packed by a table, one panel after another.
struct PackedWeights {
  DType type = DType::kF32;
  std::int64_t rows = 0, columns = 0, panel_bytes = 0, num_panels = 0;
  std::vector<std::byte> storage;
  const std::byte* panel(std::int64_t p) const { return storage.data() + p * panel_bytes; }
};
inline PackedWeights pack(const Kernels& table, DType type, const std::vector<std::byte>& blocks, std::int64_t rows,
                          std::int64_t columns) {
  PackedWeights w;
  w.type = type;
  w.rows = rows;
  w.columns = columns;
  w.panel_bytes = table.packed_bytes(type, columns);
  w.num_panels = (rows + table.quantized_columns - 1) / table.quantized_columns;
  w.storage.resize(static_cast<std::size_t>(w.num_panels * w.panel_bytes));
  const std::int64_t row_bytes = quant::num_bytes(type, columns);
  for (std::int64_t p = 0; p < w.num_panels; ++p) {
    std::vector<const std::byte*> pointers;
    for (std::int64_t n = p * table.quantized_columns; n < std::min(rows, (p + 1) * table.quantized_columns); ++n) {
      pointers.push_back(blocks.data() + n * row_bytes);
    }
    table.pack_quantized(type, pointers.data(), static_cast<int>(pointers.size()), columns,
                         w.storage.data() + p * w.panel_bytes);
  }
  return w;
}

/// Activations in int8, owned.
struct Activations {
  std::int64_t rows = 0, depth = 0;
  std::vector<std::int8_t> q;
  std::vector<float> scale;
  std::vector<std::int16_t> sum16;
};
inline Activations quantize(const Kernels& table, const std::vector<float>& x, std::int64_t rows, std::int64_t depth) {
  Activations a;
  a.rows = rows;
  a.depth = depth;
  a.q.resize(static_cast<std::size_t>(rows * depth + 64));
  a.scale.resize(static_cast<std::size_t>(rows * depth / 32));
  a.sum16.resize(static_cast<std::size_t>(rows * depth / 16));
  table.quantize_rows(x.data(), rows, depth, depth, {a.q.data(), a.scale.data(), a.sum16.data()});
  return a;
}

/// C [rows of x, rows of w] = x w^T.
inline std::vector<float> product(const Kernels& table, const Activations& x, const PackedWeights& w) {
  std::vector<float> c(static_cast<std::size_t>(x.rows * w.rows));
  for (std::int64_t p = 0; p < w.num_panels; ++p) {
    const std::int64_t first = p * table.quantized_columns;
    table.quantized_product({.num_rows = x.rows,
                             .depth = x.depth,
                             .q = x.q.data(),
                             .scale = x.scale.data(),
                             .sum16 = x.sum16.data(),
                             .type = w.type,
                             .panel = w.panel(p),
                             .c = c.data() + first,
                             .c_row_stride = w.rows,
                             .num_columns = static_cast<int>(std::min<std::int64_t>(table.quantized_columns,
                                                                                    w.rows - first))});
  }
  return c;
}

}  // namespace onggi::kernels::testing
