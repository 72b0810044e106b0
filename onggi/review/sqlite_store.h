#pragma once

#include <filesystem>
#include <memory>

#include "onggi/review/review_store.h"

namespace onggi::review {

/// A store in one SQLite file (docs/formats/review.md has its tables), with `FILE-lock` beside it while a server runs.
std::unique_ptr<ReviewStore> open_sqlite_store(const std::filesystem::path& path);

}  // namespace onggi::review
