#pragma once

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/error.h"

/// Files that are wrong in one chosen way.
namespace onggi::formats::testing {

/// A folder that is gone at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "onggi-formats-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error(ErrorCode::kUnavailable, "no temporary folder", pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(const char* name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path put(const char* name, std::string_view content) const {
    const auto path = path_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::size_t num_files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Runs `action`, which must throw an Error of `code` whose text (message and where) holds every one of `parts`.
inline void expect_error(ErrorCode code, const std::vector<std::string>& parts, const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(error_code_name(e.code()), error_code_name(code)) << e.what();
    for (const auto& part : parts) {
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << "\"" << part << "\" is not in: " << e.what();
    }
  }
}

/// Little-endian bytes one after the other.
class Bytes {
 public:
  Bytes& raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }
  Bytes& u8(std::uint8_t v) { return number(v); }
  Bytes& u32(std::uint32_t v) { return number(v); }
  Bytes& u64(std::uint64_t v) { return number(v); }
  Bytes& f32(float v) { return number(v); }
  Bytes& string(std::string_view v) { return u64(v.size()).raw(v); }
  Bytes& pad(std::size_t alignment) {
    text_.resize((text_.size() + alignment - 1) / alignment * alignment, '\0');
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  template <class T>
  Bytes& number(T v) {
    char bytes[sizeof v];
    std::memcpy(bytes, &v, sizeof v);
    text_.append(bytes, sizeof v);
    return *this;
  }
  std::string text_;
};

/// A GGUF file whose fields can each be made to lie.
struct GgufParts {
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::uint64_t num_tensors = 1;
  std::uint64_t num_keys = 1;
  std::string keys = Bytes().string("general.architecture").u32(8).string("test").text();
  struct Tensor {
    std::string name = "t";
    std::vector<std::uint64_t> dims = {64};
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
  };
  std::vector<Tensor> tensors = {Tensor()};
  std::string data = std::string(1024, 'd');

  std::string text() const {
    Bytes b;
    b.raw(magic).u32(version).u64(num_tensors).u64(num_keys).raw(keys);
    for (const auto& t : tensors) {
      b.string(t.name).u32(static_cast<std::uint32_t>(t.dims.size()));
      for (const auto d : t.dims) b.u64(d);
      b.u32(t.type).u64(t.offset);
    }
    return b.pad(32).raw(data).text();
  }
};

/// A safetensors file of this header (its length can be made to lie) and `num_bytes` bytes after it.
inline std::string safetensors_text(std::string_view header, std::size_t num_bytes, std::int64_t header_lie = 0) {
  return Bytes()
      .u64(static_cast<std::uint64_t>(static_cast<std::int64_t>(header.size()) + header_lie))
      .raw(header)
      .raw(std::string(num_bytes, 'd'))
      .text();
}

}  // namespace onggi::formats::testing
