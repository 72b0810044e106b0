#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/datasets/rows.h"

namespace onggi::datasets {

/// How rows are dealt to train, validation and test. The defaults are the review themes' split of score_themes.py:
/// a product is in test where the first 8 hex digits of sha256(salt + product) mod 5 are 0.
struct SplitOptions {
  std::string kind = "group";                  ///< "group", "stratified" or "random".
  std::string group = "product";               ///< Column whose rows stay together (group).
  std::string salt = "rt:";                    ///< Before the group's name in the hash (group).
  std::int64_t modulus = 5;                    ///< One group in this many is test (group).
  std::string label = "category";              ///< Column whose shares are kept (stratified).
  double test_share = 0.2;                     ///< Of the rows (stratified, random).
  std::string validation_salt = "validation:";
  std::int64_t validation_modulus = 8;         ///< One training group in this many is validation; 0 takes none.
  double validation_share = 0.1;               ///< Of the rows (stratified, random); 0 takes none.
  std::int64_t seed = 0;                       ///< Stratified, random.

  template <class Visitor>
  void visit(Visitor&& field) {
    field("kind", kind, "group (by hash), stratified or random.");
    field("group", group, "Column whose rows stay on one side.");
    field("salt", salt, "Text before the group's name in the hash that picks test.");
    field("modulus", modulus, "One group in this many is test.");
    field("label", label, "Column whose shares stay equal (stratified).");
    field("test_share", test_share, "Share of test rows (stratified, random).");
    field("validation_salt", validation_salt, "Text before the group's name in the hash that picks validation.");
    field("validation_modulus", validation_modulus, "One training group in this many is validation; 0 takes none.");
    field("validation_share", validation_share, "Share of validation rows (stratified, random).");
    field("seed", seed, "Seed of the stratified and random kinds.");
  }
};

/// Indices into the rows, each ascending; together every row once.
struct Split {
  std::vector<std::size_t> train, validation, test;
};

/// Throws kInvalidArgument on a wrong option or a missing column. The group kind depends on the group's name alone, so
/// it stays when rows are added; the others depend on (seed, number of rows).
Split split_rows(std::span<const Row> rows, const SplitOptions& options);

std::vector<Row> select(std::span<const Row> rows, std::span<const std::size_t> indices);

/// One side of a split, with its name for messages.
struct SplitPart {
  std::string name;
  std::span<const Row> rows;
};

struct LeakOptions {
  std::string group;               ///< Column that must not be on two sides; empty does not check.
  std::vector<std::string> texts;  ///< Columns that make a row "the same"; empty takes every text column but the id.
  std::string id = "id";
};

/// Refuses rows that are on two sides: the same group, or the same text after NFC and white-space collapse. Throws
/// kInvalidArgument naming both places.
void check_no_leak(std::span<const SplitPart> parts, const LeakOptions& options);

/// Text by which rows are compared for duplicates (see LeakOptions).
std::string row_text_key(const Row& row, std::span<const std::string> texts, std::string_view id);

/// Rows whose text key came before in the same list.
std::int64_t count_duplicates(std::span<const Row> rows, std::span<const std::string> texts, std::string_view id = "id");

}  // namespace onggi::datasets
