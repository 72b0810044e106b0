#pragma once

#include <memory>
#include <string>

#include "onggi/review/review_store.h"

namespace onggi::review {

/// A store in the schema onggi_review of a PostgreSQL database; `uri` is postgresql://... The lock is an advisory one
/// of the session: when the connection is lost, the next call takes it again or throws kUnavailable.
std::unique_ptr<ReviewStore> open_postgres_store(const std::string& uri);
bool has_postgres_store(const std::string& uri);
bool is_postgres_uri(const std::string& where);

}  // namespace onggi::review
