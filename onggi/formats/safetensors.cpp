#include "onggi/formats/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/formats/quote.h"

namespace onggi::formats {
namespace {

using quant::DType;

/// The reference refuses headers above this too.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::uint64_t kMaxDimension = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 48;
constexpr std::size_t kMaxDimensions = 8;

constexpr std::array<std::pair<std::string_view, DType>, 8> kTypes = {{{"F32", DType::kF32},
                                                                       {"F16", DType::kF16},
                                                                       {"BF16", DType::kBF16},
                                                                       {"I64", DType::kI64},
                                                                       {"I32", DType::kI32},
                                                                       {"I8", DType::kI8},
                                                                       {"U8", DType::kU8},
                                                                       {"BOOL", DType::kU8}}};
/// In the format, but nothing here computes with them.
constexpr std::array<std::string_view, 8> kOtherTypes = {"F64", "I16",     "U16",     "U32",
                                                         "U64", "F8_E4M3", "F8_E5M2", "C64"};

/// The header and where the bytes are that it describes.
class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& where) : where_(where) {
    std::uint64_t header_bytes = 0;
    if (bytes.size() < 8) {
      fail("the file has " + std::to_string(bytes.size()) + " bytes, expected 8 or more for the header");
    }
    std::memcpy(&header_bytes, bytes.data(), 8);
    if (header_bytes > kMaxHeaderBytes) {
      fail("the header claims " + std::to_string(header_bytes) + " bytes, expected at most " +
           std::to_string(kMaxHeaderBytes) + " (is it a safetensors file?)");
    }
    if (header_bytes > bytes.size() - 8) {
      fail("the header claims " + std::to_string(header_bytes) + " bytes, the file has " +
           std::to_string(bytes.size()) + " (is the download complete?)");
    }
    text_ = {reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(header_bytes)};
    body_ = bytes.subspan(8 + static_cast<std::size_t>(header_bytes));
  }

  Json header() const {
    Json header = parse_json(text_, where_ + ", header", 8);
    if (!header.is_object()) fail("the header is no JSON object");
    return header;
  }

  std::map<std::string, std::string> read_metadata(const Json& entry) const {
    if (!entry.is_object()) fail("__metadata__ is no object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) fail("__metadata__ " + quote(key) + " is no string");
      metadata[key] = value.get<std::string>();
    }
    return metadata;
  }

  TensorView read_tensor(const std::string& name, const Json& entry) const {
    const auto bad = [&](const std::string& what) { fail("tensor " + quote(name) + " " + what); };
    if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets")) {
      bad("lacks dtype, shape or data_offsets");
    }
    TensorView t;
    t.name = name;
    t.file = where_;
    t.type = read_type(name, entry["dtype"]);
    const Json& shape = entry["shape"];
    if (!shape.is_array() || shape.size() > kMaxDimensions) bad("has a shape that is no list of at most 8 sizes");
    std::uint64_t elements = 1;
    for (const Json& size : shape) {
      const std::uint64_t n = size.is_number_unsigned() ? size.get<std::uint64_t>() : kMaxDimension + 1;
      if (n > kMaxDimension || (n > 0 && elements > kMaxElements / n)) bad("has a dimension of " + size.dump());
      elements *= n;
      t.shape.push_back(static_cast<std::int64_t>(n));
    }
    const Json& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      bad("has data_offsets that are no two numbers");
    }
    const auto begin = offsets[0].get<std::uint64_t>();
    const auto end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > body_.size()) {
      bad("lies at bytes " + std::to_string(begin) + " to " + std::to_string(end) + ", the file holds " +
          std::to_string(body_.size()) + " (is the download complete?)");
    }
    const auto expected = static_cast<std::uint64_t>(quant::num_bytes(t.type, static_cast<std::int64_t>(elements)));
    if (end - begin != expected) {
      bad("takes " + std::to_string(end - begin) + " bytes, its shape " + shape.dump() + " and dtype need " +
          std::to_string(expected));
    }
    t.data = body_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(expected));
    return t;
  }

  /// Puts tensors in the order of their bytes. Throws unless they tile the file.
  void check_tiling(std::vector<TensorView>& tensors) const {
    const auto begin = [&](const TensorView& t) { return static_cast<std::size_t>(t.data.data() - body_.data()); };
    std::stable_sort(tensors.begin(), tensors.end(), [&](const TensorView& a, const TensorView& b) {
      return std::pair(begin(a), a.data.size()) < std::pair(begin(b), b.data.size());
    });
    std::size_t end = 0;
    for (const TensorView& t : tensors) {
      if (begin(t) != end) {
        fail("tensor " + quote(t.name) + " begins at byte " + std::to_string(begin(t)) + ", expected " +
             std::to_string(end) + ": tensors must follow each other without a hole or overlap");
      }
      end += t.data.size();
    }
    if (end != body_.size()) fail(std::to_string(body_.size() - end) + " bytes after the last tensor belong to none");
  }

 private:
  [[noreturn]] void fail(const std::string& message, ErrorCode code = ErrorCode::kCorrupt) const {
    throw Error(code, "safetensors: " + message, where_);
  }

  DType read_type(const std::string& name, const Json& value) const {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    for (const auto& [known, type] : kTypes) {
      if (text == known) return type;
    }
    const bool is_other = std::find(kOtherTypes.begin(), kOtherTypes.end(), text) != kOtherTypes.end();
    fail("tensor " + quote(name) + " has " + (is_other ? "" : "unknown ") + "dtype " + quote(text) +
             ", which is not supported (supported: F32, F16, BF16, I64, I32, I8, U8, BOOL)",
         is_other ? ErrorCode::kInvalidArgument : ErrorCode::kCorrupt);
  }

  const std::string& where_;
  std::string_view text_;
  std::span<const std::byte> body_;
};

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(MappedFile(path)) {
  parse(file_->bytes(), path.string());
}

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, std::string_view where) {
  parse(bytes, std::string(where));
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &tensors_[it->second];
}

void SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& where) {
  const Parser parser(bytes, where);
  const Json header = parser.header();
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      metadata_ = parser.read_metadata(entry);
    } else {
      tensors_.push_back(parser.read_tensor(name, entry));
    }
  }
  parser.check_tiling(tensors_);
  for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_.emplace(tensors_[i].name, i);
}

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  std::uint64_t header_bytes = 0;
  if (bytes.size() < 9) return false;
  std::memcpy(&header_bytes, bytes.data(), 8);
  return header_bytes <= kMaxHeaderBytes && bytes[8] == std::byte{'{'};
}

}  // namespace onggi::formats
