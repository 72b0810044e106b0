#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "onggi/formats/gguf.h"
#include "onggi/formats/gguf_types.h"
#include "onggi/formats/tensor_to_write.h"

namespace onggi::formats {

namespace detail {

template <class T>
constexpr GgufValueType gguf_value_type() {
  using V = GgufValueType;
  if constexpr (std::same_as<T, bool>)
    return V::kBool;
  else if constexpr (std::same_as<T, float>)
    return V::kF32;
  else if constexpr (std::same_as<T, double>)
    return V::kF64;
  else if constexpr (std::same_as<T, std::string>)
    return V::kString;
  else if constexpr (sizeof(T) == 8)
    return std::is_signed_v<T> ? V::kI64 : V::kU64;
  else if constexpr (sizeof(T) == 4)
    return std::is_signed_v<T> ? V::kI32 : V::kU32;
  else if constexpr (sizeof(T) == 2)
    return std::is_signed_v<T> ? V::kI16 : V::kU16;
  else
    return std::is_signed_v<T> ? V::kI8 : V::kU8;
}

template <class T>
void append_bytes(std::string& out, const T& value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

inline void append_value(std::string& out, const std::string& value) {
  append_bytes(out, static_cast<std::uint64_t>(value.size()));
  out += value;
}

template <class T>
requires std::is_arithmetic_v<T>
void append_value(std::string& out, T value) { append_bytes(out, value); }

}  // namespace detail

/// The types that a key's value may have: numbers of 8 to 64 bits, bool, std::string; or a vector of one.
template <class T>
concept GgufScalar = std::is_arithmetic_v<T> || std::same_as<T, std::string>;

/// A key whose value has the GGUF type of T: name it, as in gguf_entry<std::uint32_t>("gemma3.block_count", 18).
template <GgufScalar T>
GgufEntry gguf_entry(std::string key, const T& value) {
  GgufEntry entry{std::move(key), {}};
  detail::append_bytes(entry.value, detail::gguf_value_type<T>());
  detail::append_value(entry.value, value);
  return entry;
}

/// A key whose value is an array.
template <GgufScalar T>
GgufEntry gguf_entry(std::string key, const std::vector<T>& values) {
  GgufEntry entry{std::move(key), {}};
  detail::append_bytes(entry.value, GgufValueType::kArray);
  detail::append_bytes(entry.value, detail::gguf_value_type<T>());
  detail::append_bytes(entry.value, static_cast<std::uint64_t>(values.size()));
  for (const T& value : values) detail::append_value(entry.value, value);
  return entry;
}

inline GgufEntry gguf_entry(std::string key, const char* text) { return gguf_entry(std::move(key), std::string(text)); }

/// Writes a GGUF v3 file: keys and tensors in the order given, so the bytes depend on the arguments alone. Tensors may
/// be of any type that `open_gguf` reads; with `read_rows` only of those that can be encoded (F32, F16, BF16, Q8_0,
/// Q4_0). Aligned to the key general.alignment, else 32. Atomic. Throws kInvalidArgument on a key or name that is there
/// twice, empty, too long (a name: 63 bytes) or not UTF-8, a shape that is not 1 to 4 sizes above 0, an unfit type, and
/// what TensorToWrite's functions and AtomicFile throw.
void write_gguf(const std::filesystem::path& path, std::span<const GgufEntry> entries,
                std::span<const TensorToWrite> tensors);

}  // namespace onggi::formats
