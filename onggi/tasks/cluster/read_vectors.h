#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "onggi/cluster/vectors.h"
#include "onggi/datasets/rows.h"

namespace onggi::tasks {

/// The vectors of those rows that have one.
struct RowVectors {
  cluster::Vectors vectors;
  std::vector<std::int32_t> rows;  ///< For each vector its row; ascending.
};

/// Reads what `onggi embed` wrote for these rows: FILE.npy with FILE.npy.ids.jsonl beside it (may be absent), or
/// FILE.jsonl. A row of NaN, or with a "failure", has none. Throws naming the place where the file is not whole, the
/// ids are not those of the rows in their order, or the numbers of rows differ.
RowVectors read_row_vectors(const std::filesystem::path& path, std::span<const datasets::Row> rows);

}  // namespace onggi::tasks
