#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace onggi {

/// SHA-256 as 64 lower-case hex digits, equal to `sha256sum`.
std::string sha256_hex(std::string_view content);
std::string sha256_hex(std::span<const std::byte> content);
std::string sha256_file(const std::filesystem::path& path);

}  // namespace onggi
