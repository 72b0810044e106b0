#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace onggi::text::jinja {

/// Text that knows, byte by byte, where it comes from: mark 1 is content (it came in with the messages), mark 0 is the
/// template's own. Every operation of the engine cuts and joins both together, so that provenance survives trim,
/// replace, slices and concatenation.
struct MarkedText {
  std::string bytes;
  std::string marks;  ///< As long as `bytes`; each 0 or 1.

  MarkedText() = default;
  MarkedText(std::string_view text, bool is_content) : bytes(text), marks(text.size(), is_content ? 1 : 0) {}

  std::size_t size() const { return bytes.size(); }
  bool empty() const { return bytes.empty(); }
  void append(const MarkedText& other) {
    bytes += other.bytes;
    marks += other.marks;
  }
  /// Template text unless `is_content`.
  void append(std::string_view text, bool is_content = false) {
    bytes += text;
    marks.append(text.size(), is_content ? 1 : 0);
  }
  void append_slice(const MarkedText& other, std::size_t begin, std::size_t end) {
    bytes.append(other.bytes, begin, end - begin);
    marks.append(other.marks, begin, end - begin);
  }
  MarkedText slice(std::size_t begin, std::size_t end) const {
    MarkedText out;
    out.append_slice(*this, begin, end);
    return out;
  }
};

}  // namespace onggi::text::jinja
