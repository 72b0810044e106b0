#include <filesystem>

#include "onggi/core/error.h"
#include "onggi/review/review_store.h"
#include "onggi/review/sqlite_store.h"

namespace onggi::review {

std::unique_ptr<ReviewStore> open_store(const std::string& where) {
  require(!where.empty(), "--store is missing: the file that keeps items and decisions, as in --store review.db");
  return open_sqlite_store(where);
}

std::unique_ptr<ReviewStore> open_existing_store(const std::string& where) {
  require(
      where.empty() || std::filesystem::exists(where), [] { return std::string("there is no review store"); },
      ErrorCode::kNotFound, where);
  return open_store(where);
}

}  // namespace onggi::review
