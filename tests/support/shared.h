#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace onggi::testing {

/// Folder with the team's reference data (fixtures/, data/): $ONGGI_SHARED, else ../shared beside the checkout. Tests
/// that need it skip, saying so, where it is absent; see ONGGI_NEED_SHARED.
inline std::filesystem::path shared_folder() {
  if (const char* folder = std::getenv("ONGGI_SHARED"); folder != nullptr) return folder;
  return std::filesystem::path(ONGGI_SOURCE_DIR).parent_path() / "shared";
}

}  // namespace onggi::testing

/// Skips the test where ../shared/<path> is absent.
#define ONGGI_NEED_SHARED(path)                                                                              \
  if (!std::filesystem::exists(::onggi::testing::shared_folder() / (path)))                                   \
  GTEST_SKIP() << "needs " << (::onggi::testing::shared_folder() / (path)).string() << ", which is not here"
