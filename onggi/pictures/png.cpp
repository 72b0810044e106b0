// PNG (ISO/IEC 15948): the writing side only, with libdeflate's compressor.

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include <libdeflate.h>

#include "onggi/core/error.h"
#include "onggi/pictures/image.h"
#include "onggi/pictures/quantize.h"

namespace onggi::pictures {
namespace {

constexpr int kLevel = 4;  // Of 12.

void append_u32(std::string& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift & 255);
}

void append_chunk(std::string& out, std::string_view type, std::string_view content) {
  append_u32(out, static_cast<std::uint32_t>(content.size()));
  const std::size_t begin = out.size();
  out += type;
  out += content;
  append_u32(out, libdeflate_crc32(0, out.data() + begin, out.size() - begin));
}

std::string compress(const std::vector<std::uint8_t>& bytes) {
  struct Free {
    void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
  };
  const std::unique_ptr<libdeflate_compressor, Free> compressor(libdeflate_alloc_compressor(kLevel));
  require(compressor != nullptr, "no memory to compress a picture", ErrorCode::kExhausted);
  std::string out(libdeflate_zlib_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_zlib_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

/// Rows after the filter Sub (1) or Up (2), whichever leaves the smaller sum of differences: flat areas and straight
/// gradients become runs of zeros.
class RowFilter {
 public:
  explicit RowFilter(std::size_t row_bytes) : before_(row_bytes, 0), sub_(row_bytes), up_(row_bytes) {}

  void add(const std::vector<std::uint8_t>& row, std::size_t pixel_bytes, std::vector<std::uint8_t>& out) {
    const std::size_t size = row.size();
    for (std::size_t i = 0; i < pixel_bytes; ++i) sub_[i] = row[i];
    for (std::size_t i = pixel_bytes; i < size; ++i) sub_[i] = static_cast<std::uint8_t>(row[i] - row[i - pixel_bytes]);
    for (std::size_t i = 0; i < size; ++i) up_[i] = static_cast<std::uint8_t>(row[i] - before_[i]);
    const bool is_sub = cost(sub_) < cost(up_);
    out.push_back(is_sub ? 1 : 2);
    const auto& best = is_sub ? sub_ : up_;
    out.insert(out.end(), best.begin(), best.end());
    before_ = row;
  }

 private:
  static std::uint32_t cost(const std::vector<std::uint8_t>& row) {
    std::uint32_t sum = 0;
    for (const std::uint8_t value : row) sum += std::min<std::uint32_t>(value, 256u - value);
    return sum;
  }

  std::vector<std::uint8_t> before_, sub_, up_;
};

std::string header(const Image& image, char color_type) {
  std::string content;
  append_u32(content, static_cast<std::uint32_t>(image.width));
  append_u32(content, static_cast<std::uint32_t>(image.height));
  content += {8, color_type, 0, 0, 0};
  std::string out = "\x89PNG\r\n\x1a\n";
  append_chunk(out, "IHDR", content);
  return out;
}

std::vector<std::uint8_t> true_color_rows(const Image& image) {
  const auto width = static_cast<std::size_t>(image.width);
  std::vector<std::uint8_t> out, row(width * 3);
  out.reserve((row.size() + 1) * static_cast<std::size_t>(image.height));
  RowFilter filter(row.size());
  for (int y = 0; y < image.height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint32_t pixel = image.at(static_cast<int>(x), y);
      row[3 * x] = static_cast<std::uint8_t>(pixel >> 16);
      row[3 * x + 1] = static_cast<std::uint8_t>(pixel >> 8);
      row[3 * x + 2] = static_cast<std::uint8_t>(pixel);
    }
    filter.add(row, 3, out);
  }
  return out;
}

}  // namespace

std::string encode_png(const Image& image, bool palette) {
  std::string out = header(image, palette ? 3 : 2);
  if (palette) {
    const IndexedImage indexed = quantize(image);
    std::string colors;
    for (const std::uint32_t color : indexed.colors) {
      for (const int shift : {16, 8, 0}) colors += static_cast<char>(color >> shift & 255);
    }
    append_chunk(out, "PLTE", colors);
    std::vector<std::uint8_t> rows;
    for (int y = 0; y < image.height; ++y) {
      rows.push_back(0);
      const auto* row = indexed.indices.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width);
      rows.insert(rows.end(), row, row + image.width);
    }
    append_chunk(out, "IDAT", compress(rows));
  } else {
    append_chunk(out, "IDAT", compress(true_color_rows(image)));
  }
  append_chunk(out, "IEND", {});
  return out;
}

}  // namespace onggi::pictures
