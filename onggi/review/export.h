#pragma once

#include <string>

#include "onggi/core/json.h"
#include "onggi/review/review_store.h"

namespace onggi::review {

struct ExportOptions {
  bool with_faulty = false;  ///< Rows whose answer breaks a rule too.
  bool with_gold = false;    ///< Gold rows too, with their right answers.
};

struct Export {
  std::string rows;      ///< JSON Lines: what `sft` takes.
  std::string rejected;  ///< JSON Lines: rows that people rejected, and why.
  Json manifest;
};

/// What people have settled: in the order of import, each row as it was imported with the answer that they agreed on in
/// the place of the one that they judged, and with who, when and by which guidelines in the column `review_of`. The
/// same log makes the same bytes. Throws kInvalidArgument where the store has no rows.
Export export_rows(ReviewStore& store, const ExportOptions& options);

}  // namespace onggi::review
