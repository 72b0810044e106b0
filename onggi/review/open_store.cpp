#include <filesystem>

#include "onggi/core/error.h"
#include "onggi/review/postgres_store.h"
#include "onggi/review/review_store.h"
#include "onggi/review/sqlite_store.h"

namespace onggi::review {

void require_next(std::span<const Event> events, std::int64_t last, const std::string& where) {
  for (const Event& event : events) {
    require(event.seq == ++last, "another process has added to the log; try again", ErrorCode::kUnavailable, where);
  }
}

std::unique_ptr<ReviewStore> open_store(const std::string& where) {
  require(!where.empty(), "--store is missing: the file that keeps items and decisions, as in --store review.db");
  if (is_postgres_uri(where)) return open_postgres_store(where);
  return open_sqlite_store(where);
}

std::unique_ptr<ReviewStore> open_existing_store(const std::string& where) {
  const bool is_there =
      where.empty() || (is_postgres_uri(where) ? has_postgres_store(where) : std::filesystem::exists(where));
  require(
      is_there, [] { return std::string("there is no review store"); }, ErrorCode::kNotFound,
      is_postgres_uri(where) ? "PostgreSQL" : where);
  return open_store(where);
}

}  // namespace onggi::review
