#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/review/review_store.h"

namespace onggi::review {

struct ImportOptions {
  std::vector<std::string> input;
  std::vector<std::string> gold;
  std::string columns;
  std::string answer;
  std::string kind;
  double overlap = 0.1;
  int overlap_people = 2;
  std::int64_t seed = 0;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("input", input, "Rows to review: a JSONL or CSV file (repeatable). Rows that the store has are passed over.");
    field("gold", gold, "Rows whose answers are right: shown among the others to see how people do (repeatable).");
    field("columns", columns, "Column map: ours=theirs, comma between, as in review=text,product=title.");
    field("answer", answer, "Column with the answer to judge; themes if not given and there.");
    field("kind", kind, "What answers are: themes, json or text; told by the first row if not given.");
    field("overlap", overlap, "Share of the rows that several people judge, 0 to 1; drawn by the row's id.");
    field("overlap_people", overlap_people, "How many people judge those.");
    field("seed", seed, "Seed of what is drawn; of the first import.");
  }
};

struct ImportCounts {
  std::int64_t added = 0, known = 0, gold = 0;
};

/// Adds rows to the store, all of them or none; the first import settles what answers are, in which column, and which
/// columns are shown. A row that is there already, unchanged, is passed over. `guide`: null or a guide, for what is
/// alike.
///
/// A gold row that is among the rows of the input replaces that row: the input's answer is shown, the gold row's is the
/// right one. Of another one its column `shown` is shown, or else an empty answer.
///
/// Throws kInvalidArgument or kCorrupt naming file and line: a row that has changed under its id, an answer that is not
/// of the store's kind, an id that comes twice.
ImportCounts import_rows(ReviewStore& store, const ImportOptions& options, const Json& guide);

}  // namespace onggi::review
