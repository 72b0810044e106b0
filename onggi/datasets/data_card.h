#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "onggi/datasets/rows.h"

namespace onggi::datasets {

struct DataCardOptions {
  std::vector<std::string> texts;   ///< Columns whose lengths are counted; empty takes every text column but the id.
  std::string label;                ///< Column of labels: text, list of texts, or list of objects; empty counts none.
  std::string label_key = "name";   ///< Member that is the label where `label` holds objects.
  std::vector<std::string> by;      ///< Columns to break rows down by.
  std::string id = "id";
};

/// Lengths in characters.
struct LengthSummary {
  std::int64_t min = 0, median = 0, p95 = 0, max = 0;
  double mean = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> histogram;  ///< (upper bound, rows), bounds double from 8.
};

struct GroupSummary {
  std::int64_t rows = 0, empty = 0, labels = 0;
};

/// What a data set holds, for people and for manifests.
struct DataCard {
  std::int64_t rows = 0;
  std::map<std::string, std::int64_t> fields;  ///< Column to rows that have it.
  std::map<std::string, LengthSummary> lengths;
  std::vector<std::pair<std::string, std::int64_t>> labels;  ///< Most frequent first.
  std::int64_t empty = 0;                                    ///< Rows whose label is empty.
  std::map<std::string, std::map<std::string, GroupSummary>> by;
  std::int64_t duplicates = 0;  ///< Rows whose texts came before.
  std::string content_hash;

  Json to_json() const;
  /// A screen of text.
  std::string to_text() const;
};

/// Throws kInvalidArgument on a missing column or a label of another kind.
DataCard make_data_card(std::span<const Row> rows, const DataCardOptions& options);

/// SHA-256 over the rows in order, each as compact JSON with sorted members and a line feed. The same rows have the
/// same hash from JSON Lines with any spacing and order of members; a changed value or order changes it.
std::string content_hash(std::span<const Row> rows);

}  // namespace onggi::datasets
