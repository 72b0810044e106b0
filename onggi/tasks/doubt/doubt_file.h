#pragma once

#include <span>
#include <string>
#include <vector>

#include "onggi/datasets/rows.h"
#include "onggi/tasks/doubt/rank.h"

namespace onggi::tasks {

/// Rows with a column "themes" as rows to doubt; what `onggi label` says of its answers ("teacher") is used where it is
/// there. Rows that a teacher failed on have no label and are left out; `kept` gets the numbers of the others. Throws
/// kInvalidArgument naming the row where a column is missing.
std::vector<DoubtRow> doubt_rows(std::span<const datasets::Row> rows, const std::string& group,
                                 std::vector<std::size_t>& kept);

/// The queue as JSON Lines (docs/formats/labels.md, "The queue").
std::string queue_lines(std::span<const datasets::Row> rows, std::span<const std::size_t> kept,
                        std::span<const Ranked> ranked);

}  // namespace onggi::tasks
