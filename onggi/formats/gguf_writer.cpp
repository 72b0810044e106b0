#include "onggi/formats/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <set>

#include "onggi/core/error.h"
#include "onggi/formats/quote.h"

namespace onggi::formats {
namespace {

/// Other readers keep 64 bytes a name, its end mark included.
constexpr std::size_t kMaxTensorName = 63;

std::uint64_t alignment_of(const GgufEntry& entry, const std::string& where) {
  std::uint32_t type_and_value[2] = {};
  if (entry.value.size() == sizeof type_and_value) {
    std::memcpy(type_and_value, entry.value.data(), sizeof type_and_value);
  }
  const std::uint64_t alignment = type_and_value[1];
  require(type_and_value[0] == static_cast<std::uint32_t>(GgufValueType::kU32) && std::has_single_bit(alignment) &&
              alignment <= kGgufMaxAlignment,
          "general.alignment must be a u32, a power of two up to 2^20", ErrorCode::kInvalidArgument, where);
  return alignment;
}

void append_entries(std::string& head, std::span<const GgufEntry> entries, const std::string& where) {
  std::set<std::string_view> keys;
  for (const GgufEntry& entry : entries) {
    const bool is_key = !entry.key.empty() && entry.key.size() <= kGgufMaxKeyBytes && is_utf8(entry.key);
    require(
        is_key, [&] { return "can't write key " + quote(entry.key) + ": GGUF takes 1 to 65535 bytes of UTF-8"; },
        ErrorCode::kInvalidArgument, where);
    require(
        keys.insert(entry.key).second, [&] { return "can't write key " + quote(entry.key) + " twice"; },
        ErrorCode::kInvalidArgument, where);
    detail::append_value(head, entry.key);
    head += entry.value;
  }
}

void check_tensor(const TensorToWrite& t, const std::string& where) {
  const auto check = [&](bool ok, const std::string& what) {
    require(
        ok, [&] { return "can't write tensor " + quote(t.name) + ": " + what; }, ErrorCode::kInvalidArgument, where);
  };
  check(!t.name.empty() && t.name.size() <= kMaxTensorName && is_utf8(t.name),
        "the name has " + std::to_string(t.name.size()) + " bytes, GGUF takes 1 to 63 of UTF-8");
  check(!t.shape.empty() && t.shape.size() <= kGgufMaxDimensions &&
            std::all_of(t.shape.begin(), t.shape.end(), [](auto n) { return n > 0; }),
        "GGUF takes 1 to 4 dimensions above 0");
  check(gguf_tensor_type_number(t.type).has_value(), "GGUF has no type " + std::string(quant::traits(t.type).name));
}

}  // namespace

void write_gguf(const std::filesystem::path& path, std::span<const GgufEntry> entries,
                std::span<const TensorToWrite> tensors) {
  const std::string where = path.string();
  std::string head = "GGUF";
  detail::append_value(head, std::uint32_t{3});
  detail::append_value(head, static_cast<std::uint64_t>(tensors.size()));
  detail::append_value(head, static_cast<std::uint64_t>(entries.size()));
  append_entries(head, entries, where);
  const auto it =
      std::find_if(entries.begin(), entries.end(), [](const auto& e) { return e.key == "general.alignment"; });
  const std::uint64_t alignment = it == entries.end() ? kGgufDefaultAlignment : alignment_of(*it, where);
  std::set<std::string_view> names;
  std::uint64_t offset = 0;
  for (const TensorToWrite& t : tensors) {
    check_tensor(t, where);
    require(
        names.insert(t.name).second, [&] { return "can't write tensor " + quote(t.name) + " twice"; },
        ErrorCode::kInvalidArgument, where);
    detail::append_value(head, t.name);
    detail::append_value(head, static_cast<std::uint32_t>(t.shape.size()));
    for (auto size = t.shape.rbegin(); size != t.shape.rend(); ++size) {
      detail::append_value(head, static_cast<std::uint64_t>(*size));
    }
    detail::append_value(head, *gguf_tensor_type_number(t.type));
    detail::append_value(head, offset);
    offset += (num_bytes(t, where) + alignment - 1) / alignment * alignment;
  }
  AtomicFile file(path);
  file.write(head);
  if (!tensors.empty()) file.pad_to(alignment);
  for (const TensorToWrite& t : tensors) {
    write_tensor(file, t, where);
    file.pad_to(alignment);
  }
  file.commit();
}

}  // namespace onggi::formats
