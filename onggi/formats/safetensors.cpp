#include "onggi/formats/safetensors.h"

#include <algorithm>
#include <cstring>

#include "onggi/core/error.h"

namespace onggi::formats {
namespace {

using quant::DType;

/// The reference refuses headers above this too.
constexpr std::uint64_t kMaxHeader = 100'000'000;

std::optional<DType> dtype_of(const std::string& name) {
  if (name == "F32") return DType::kF32;
  if (name == "F16") return DType::kF16;
  if (name == "BF16") return DType::kBF16;
  if (name == "I64") return DType::kI64;
  if (name == "I32") return DType::kI32;
  if (name == "I8") return DType::kI8;
  if (name == "U8" || name == "BOOL") return DType::kU8;
  return std::nullopt;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(MappedFile(path)) {
  parse(file_->bytes(), path.string());
}

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, std::string_view where) { parse(bytes, std::string(where)); }

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &tensors_[it->second];
}

void SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& where) {
  const auto fail = [&](const std::string& message) { throw Error(ErrorCode::kCorrupt, "safetensors: " + message, where); };
  std::uint64_t header_bytes = 0;
  if (bytes.size() < 8) fail("the file has " + std::to_string(bytes.size()) + " bytes, too few for a header");
  std::memcpy(&header_bytes, bytes.data(), 8);
  if (header_bytes > kMaxHeader || header_bytes > bytes.size() - 8) {
    fail("the header claims " + std::to_string(header_bytes) + " bytes, the file has " + std::to_string(bytes.size()) +
         " (is the download complete?)");
  }
  const Json header = parse_json({reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<std::size_t>(header_bytes)},
                                 where + ", header", 8);
  if (!header.is_object()) fail("the header is no JSON object");
  const auto body = bytes.subspan(8 + static_cast<std::size_t>(header_bytes));
  struct Place {
    std::uint64_t begin;
    std::uint64_t end;
  };
  std::vector<Place> places;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object()) fail("__metadata__ is no object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) fail("__metadata__ \"" + key + "\" is no string");
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    const auto bad = [&](const std::string& message) { fail("tensor \"" + name + "\" " + message); };
    if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets")) {
      bad("lacks dtype, shape or data_offsets");
    }
    if (!entry["dtype"].is_string()) bad("has a dtype that is no string");
    const auto type = dtype_of(entry["dtype"].get<std::string>());
    if (!type) bad("has dtype " + entry["dtype"].dump() + ", which is not supported (F32, F16, BF16, I64, I32, I8, U8 and BOOL are)");
    TensorView t;
    t.name = name;
    t.type = *type;
    t.file = where;
    std::uint64_t elements = 1;
    if (!entry["shape"].is_array() || entry["shape"].size() > 8) bad("has a shape that is no short list");
    for (const auto& size : entry["shape"]) {
      if (!size.is_number_unsigned() || size.get<std::uint64_t>() > (std::uint64_t{1} << 40) ||
          (size.get<std::uint64_t>() != 0 && elements > (std::uint64_t{1} << 48) / size.get<std::uint64_t>())) {
        bad("has a dimension of " + size.dump());
      }
      elements *= size.get<std::uint64_t>();
      t.shape.push_back(size.get<std::int64_t>());
    }
    const Json& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
      bad("has data_offsets that are no two numbers");
    }
    const Place place{offsets[0].get<std::uint64_t>(), offsets[1].get<std::uint64_t>()};
    if (place.begin > place.end || place.end > body.size()) {
      bad("lies at bytes " + std::to_string(place.begin) + " to " + std::to_string(place.end) + ", the file holds " +
          std::to_string(body.size()) + " (is the download complete?)");
    }
    const auto expected = static_cast<std::uint64_t>(quant::num_bytes(t.type, static_cast<std::int64_t>(elements)));
    if (place.end - place.begin != expected) {
      bad("takes " + std::to_string(place.end - place.begin) + " bytes, its shape and dtype need " + std::to_string(expected));
    }
    t.data = body.subspan(static_cast<std::size_t>(place.begin), static_cast<std::size_t>(expected));
    tensors_.push_back(std::move(t));
    places.push_back(place);
  }
  std::vector<std::size_t> order(tensors_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(places[a].begin, places[a].end) < std::pair(places[b].begin, places[b].end);
  });
  std::uint64_t end = 0;
  std::vector<TensorView> sorted;
  for (const std::size_t i : order) {
    if (places[i].begin != end) {
      fail("tensor \"" + tensors_[i].name + "\" begins at byte " + std::to_string(places[i].begin) + ", expected " +
           std::to_string(end) + ": tensors must follow each other without a hole or overlap");
    }
    end = places[i].end;
    sorted.push_back(std::move(tensors_[i]));
  }
  if (end != body.size()) fail(std::to_string(body.size() - end) + " bytes after the last tensor belong to none");
  tensors_ = std::move(sorted);
  for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_.emplace(tensors_[i].name, i);
}

}  // namespace onggi::formats
