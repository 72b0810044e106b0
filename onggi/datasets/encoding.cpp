#include "onggi/datasets/encoding.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::datasets {
namespace {

constexpr std::size_t kProbeBytes = 65536;  // enough text to tell encodings apart

std::uint8_t at(std::string_view bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }

/// Share of the high bytes from `start` on that form pairs of CP949 (lead 81..FE, trail 41..5A, 61..7A, 81..FE).
double cp949_share(std::string_view bytes, std::size_t start) {
  std::size_t pairs = 0, singles = 0;
  const std::size_t end = std::min(bytes.size(), start + kProbeBytes);
  for (std::size_t i = start; i < end; ++i) {
    const std::uint8_t lead = at(bytes, i);
    if (lead < 0x80) continue;
    const std::uint8_t trail = i + 1 < bytes.size() ? at(bytes, i + 1) : 0;
    const bool is_pair = lead >= 0x81 && lead <= 0xFE &&
                         ((trail >= 0x41 && trail <= 0x5A) || (trail >= 0x61 && trail <= 0x7A) ||
                          (trail >= 0x81 && trail <= 0xFE));
    pairs += is_pair;
    singles += !is_pair;
    i += is_pair;
  }
  return pairs == 0 ? 0.0 : static_cast<double>(pairs) / static_cast<double>(pairs + singles);
}

bool has_multibyte(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0x80) != 0; });
}

[[noreturn]] void refuse(std::string_view bytes, std::size_t offset, std::string_view file, const std::string& what) {
  const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  throw Error(ErrorCode::kCorrupt, what + "; expected UTF-8",
              std::string(file) + ":" + std::to_string(line) + ", byte " + std::to_string(offset));
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const text::Utf8Char c = text::next_utf8(bytes, i);
    if (!c.valid) return i;
    i += static_cast<std::size_t>(c.length);
  }
  return std::string_view::npos;
}

std::string_view require_utf8(std::string_view bytes, std::string_view file) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    refuse(bytes, 0, file, "text is UTF-16 (byte order mark); convert it: iconv -f UTF-16 -t UTF-8");
  }
  const std::string_view whole = bytes;
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const std::size_t mark_size = whole.size() - bytes.size();
  if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
    const std::string_view probe = bytes.substr(0, kProbeBytes);
    const auto num_nul = static_cast<std::size_t>(std::count(probe.begin(), probe.end(), '\0'));
    refuse(whole, nul + mark_size, file,
           num_nul * 5 > probe.size() ? "text looks like UTF-16 without a byte order mark" : "NUL byte in text");
  }
  const std::size_t bad = find_invalid_utf8(bytes);
  if (bad == std::string_view::npos) return bytes;
  std::string what = "byte that is not UTF-8";
  if (cp949_share(bytes, bad) > 0.9) {
    what = has_multibyte(bytes.substr(0, bad)) ? "mixed encodings: UTF-8 before, from here on it looks like CP949 (EUC-KR)"
                                               : "text looks like CP949 (EUC-KR); convert it: iconv -f CP949 -t UTF-8";
  }
  refuse(whole, bad + mark_size, file, what);
}

}  // namespace onggi::datasets
