// Form bodies: any bytes, cut anywhere, give the same parts or one Error.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/http/multipart.h"

namespace {

/// Everything that a reader told, in one text.
std::string told(std::string_view body, std::size_t piece_bytes) {
  std::string text;
  try {
    onggi::http::MultipartReader reader(
        "b", {.began = [&](const auto& head) { text += "<" + head.name + "|" + head.filename + ">"; },
              .bytes = [&](std::string_view bytes) { text += bytes; },
              .ended = [&] { text += "</>"; }});
    for (std::size_t at = 0; at < body.size(); at += piece_bytes) reader.read(body.substr(at, piece_bytes));
    reader.finish();
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt && e.code() != onggi::ErrorCode::kExhausted) std::abort();
    return "refused";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string_view body = text.substr(1);
  const std::size_t piece = 1 + bytes[0];
  if (told(body, piece) != told(body, body.size() + 1)) std::abort();
  (void)onggi::http::boundary_of(body);
  return 0;
}
