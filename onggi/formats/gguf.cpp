#include "onggi/formats/gguf.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"

namespace onggi::formats {
namespace {

using quant::DType;

enum ValueType : std::uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };
constexpr int kScalarBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
constexpr std::uint64_t kMaxMetadataArray = 4096;
constexpr std::size_t kMaxTensorName = 256;

struct TypeName {
  const char* name;
  int supported;  ///< DType, -1 = known but not supported.
};

TypeName tensor_type(std::uint32_t type) {
  switch (type) {
    case 0: return {"F32", static_cast<int>(DType::kF32)};
    case 1: return {"F16", static_cast<int>(DType::kF16)};
    case 2: return {"Q4_0", static_cast<int>(DType::kQ4_0)};
    case 3: return {"Q4_1", static_cast<int>(DType::kQ4_1)};
    case 6: return {"Q5_0", static_cast<int>(DType::kQ5_0)};
    case 7: return {"Q5_1", static_cast<int>(DType::kQ5_1)};
    case 8: return {"Q8_0", static_cast<int>(DType::kQ8_0)};
    case 9: return {"Q8_1", -1};
    case 10: return {"Q2_K", -1};
    case 11: return {"Q3_K", -1};
    case 12: return {"Q4_K", static_cast<int>(DType::kQ4_K)};
    case 13: return {"Q5_K", static_cast<int>(DType::kQ5_K)};
    case 14: return {"Q6_K", static_cast<int>(DType::kQ6_K)};
    case 15: return {"Q8_K", -1};
    case 16: return {"IQ2_XXS", -1};
    case 17: return {"IQ2_XS", -1};
    case 18: return {"IQ3_XXS", -1};
    case 19: return {"IQ1_S", -1};
    case 20: return {"IQ4_NL", -1};
    case 21: return {"IQ3_S", -1};
    case 22: return {"IQ2_S", -1};
    case 23: return {"IQ4_XS", -1};
    case 24: return {"I8", static_cast<int>(DType::kI8)};
    case 25: return {"I16", -1};
    case 26: return {"I32", static_cast<int>(DType::kI32)};
    case 27: return {"I64", static_cast<int>(DType::kI64)};
    case 28: return {"F64", -1};
    case 29: return {"IQ1_M", -1};
    case 30: return {"BF16", static_cast<int>(DType::kBF16)};
    case 34: return {"TQ1_0", -1};
    case 35: return {"TQ2_0", -1};
    case 39: return {"MXFP4", -1};
    default: return {nullptr, -1};
  }
}

/// Bounded reading: every step checks what is left before it takes.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  std::size_t position() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  std::span<const std::byte> take(std::uint64_t count, const char* what) {
    require(count <= left(),
            [&] {
              return std::string("GGUF file ends inside ") + what + ": " + std::to_string(count) + " bytes wanted at byte " +
                     std::to_string(at_) + ", " + std::to_string(left()) + " left";
            },
            ErrorCode::kCorrupt, where_);
    const auto part = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return part;
  }

  template <class T>
  T number(const char* what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  std::string_view string(const char* what) {
    const auto bytes = take(number<std::uint64_t>(what), what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[noreturn]] void fail(const std::string& message) const { throw Error(ErrorCode::kCorrupt, "GGUF: " + message, where_); }

 private:
  std::span<const std::byte> bytes_;
  std::string where_;
  std::size_t at_ = 0;
};

struct ArrayView {
  std::uint32_t type = 0;
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
};

Json scalar(Reader& r, std::uint32_t type, const std::string& key) {
  switch (type) {
    case kU8: return r.number<std::uint8_t>("a value");
    case kI8: return r.number<std::int8_t>("a value");
    case kU16: return r.number<std::uint16_t>("a value");
    case kI16: return r.number<std::int16_t>("a value");
    case kU32: return r.number<std::uint32_t>("a value");
    case kI32: return r.number<std::int32_t>("a value");
    case kF32: return r.number<float>("a value");
    case kU64: return r.number<std::uint64_t>("a value");
    case kI64: return r.number<std::int64_t>("a value");
    case kF64: return r.number<double>("a value");
    case kString: return std::string(r.string("a string"));
    case kBool: {
      const auto value = r.number<std::uint8_t>("a value");
      if (value > 1) r.fail("key \"" + key + "\" is a bool of value " + std::to_string(value) + ", expected 0 or 1");
      return value == 1;
    }
    default: r.fail("key \"" + key + "\" has unknown value type " + std::to_string(type));
  }
}

class GgufCheckpoint : public Checkpoint {
 public:
  GgufCheckpoint(std::span<const std::byte> bytes, std::filesystem::path path) : path_(std::move(path)) { parse(bytes); }
  GgufCheckpoint(MappedFile file, const std::filesystem::path& path) : file_(std::move(file)), path_(path) {
    parse(file_->bytes());
  }

  CheckpointKind kind() const override { return CheckpointKind::kGguf; }
  const std::filesystem::path& path() const override { return path_; }
  const Json& metadata() const override { return metadata_; }
  const Json& generation_config() const override { return generation_config_; }
  std::span<const TensorView> tensors() const override { return tensors_; }

  const TensorView* find(std::string_view name) const override {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &tensors_[it->second];
  }

  std::optional<std::vector<std::string_view>> string_array(std::string_view key) const override {
    const auto it = arrays_.find(std::string(key));
    if (it == arrays_.end()) return std::nullopt;
    expect_type(it->second, key, it->second.type == kString, "strings");
    std::vector<std::string_view> out;
    out.reserve(it->second.count);
    Reader r(it->second.bytes, path_.string());
    for (std::uint64_t i = 0; i < it->second.count; ++i) out.push_back(r.string("a string"));
    return out;
  }

  std::optional<std::vector<float>> float_array(std::string_view key) const override {
    const auto it = arrays_.find(std::string(key));
    if (it == arrays_.end()) return std::nullopt;
    expect_type(it->second, key, it->second.type == kF32, "f32 numbers");
    std::vector<float> out(it->second.count);
    std::memcpy(out.data(), it->second.bytes.data(), it->second.bytes.size());
    return out;
  }

  std::optional<std::vector<std::int32_t>> int_array(std::string_view key) const override {
    const auto it = arrays_.find(std::string(key));
    if (it == arrays_.end()) return std::nullopt;
    const auto type = it->second.type;
    expect_type(it->second, key, type <= kI32 || type == kBool, "integers of at most 32 bits");
    std::vector<std::int32_t> out(it->second.count);
    Reader r(it->second.bytes, path_.string());
    for (auto& value : out) value = static_cast<std::int32_t>(scalar(r, type, std::string(key)).get<std::int64_t>());
    return out;
  }

 private:
  void expect_type(const ArrayView& array, std::string_view key, bool ok, const char* expected) const {
    require(ok,
            [&] {
              return "GGUF: key \"" + std::string(key) + "\" is an array of value type " + std::to_string(array.type) +
                     ", expected " + expected;
            },
            ErrorCode::kCorrupt, path_.string());
  }

  void parse(std::span<const std::byte> bytes) {
    Reader r(bytes, path_.string());
    if (!looks_like_gguf(bytes)) r.fail("the file does not begin with the magic \"GGUF\"");
    r.take(4, "the header");
    const auto version = r.number<std::uint32_t>("the header");
    if (version == 0x03000000) r.fail("the file is big-endian, which is not supported");
    if (version != 3) r.fail("version " + std::to_string(version) + ", expected 3");
    const auto num_tensors = r.number<std::uint64_t>("the header");
    const auto num_keys = r.number<std::uint64_t>("the header");
    // A key takes at least 13 bytes, a tensor at least 32: more than that can't be in what is left.
    if (num_keys > r.left() / 13) r.fail("header counts " + std::to_string(num_keys) + " keys, more than the file can hold");
    if (num_tensors > r.left() / 32) r.fail("header counts " + std::to_string(num_tensors) + " tensors, more than the file can hold");
    for (std::uint64_t i = 0; i < num_keys; ++i) read_key(r);
    read_tensors(r, num_tensors, bytes);
  }

  void read_key(Reader& r) {
    const std::string key(r.string("a key"));
    if (key.empty() || key.size() > 65535) r.fail("a key of " + std::to_string(key.size()) + " bytes");
    if (metadata_.contains(key) || arrays_.count(key) > 0) r.fail("key \"" + key + "\" stands twice");
    const auto type = r.number<std::uint32_t>("a value type");
    if (type != kArray) {
      metadata_.get_ref<Json::object_t&>().emplace_back(key, scalar(r, type, key));
      return;
    }
    ArrayView array;
    array.type = r.number<std::uint32_t>("an array");
    array.count = r.number<std::uint64_t>("an array");
    if (array.type > kF64 || array.type == kArray) {
      r.fail("key \"" + key + "\" is an array of value type " + std::to_string(array.type) + ", which is not supported");
    }
    const std::uint64_t least = array.type == kString ? 8 : static_cast<std::uint64_t>(kScalarBytes[array.type]);
    if (array.count > r.left() / least) {
      r.fail("key \"" + key + "\" is an array of " + std::to_string(array.count) + " values, more than the file can hold");
    }
    // The position tells where the array began; strings are walked once to find its end.
    if (array.type == kString) {
      Reader walk = r;
      for (std::uint64_t i = 0; i < array.count; ++i) walk.string("a string of an array");
      array.bytes = r.take(walk.position() - r.position(), "an array");
    } else {
      array.bytes = r.take(array.count * least, "an array");
    }
    if (array.count <= kMaxMetadataArray) {
      Json values = Json::array();
      Reader walk(array.bytes, path_.string());
      for (std::uint64_t i = 0; i < array.count; ++i) values.push_back(scalar(walk, array.type, key));
      metadata_.get_ref<Json::object_t&>().emplace_back(key, std::move(values));
    }
    arrays_.emplace(key, array);
  }

  void read_tensors(Reader& r, std::uint64_t count, std::span<const std::byte> bytes) {
    std::uint64_t alignment = 32;
    if (const auto it = metadata_.find("general.alignment"); it != metadata_.end()) {
      if (!it->is_number_unsigned() || it->get<std::uint64_t>() == 0 || it->get<std::uint64_t>() > (1U << 20) ||
          (it->get<std::uint64_t>() & (it->get<std::uint64_t>() - 1)) != 0) {
        r.fail("general.alignment is " + it->dump() + ", expected a power of two up to 2^20");
      }
      alignment = it->get<std::uint64_t>();
    }
    std::vector<std::uint64_t> offsets;
    std::vector<std::uint64_t> sizes;
    std::unordered_set<std::string> names;
    for (std::uint64_t i = 0; i < count; ++i) {
      TensorView t;
      t.name = std::string(r.string("a tensor's name"));
      t.file = path_.string();
      if (t.name.empty() || t.name.size() > kMaxTensorName) r.fail("a tensor's name has " + std::to_string(t.name.size()) + " bytes");
      if (!names.insert(t.name).second) r.fail("tensor \"" + t.name + "\" stands twice");
      const auto num_dims = r.number<std::uint32_t>("a tensor's shape");
      if (num_dims < 1 || num_dims > 4) r.fail("tensor \"" + t.name + "\" has " + std::to_string(num_dims) + " dimensions, expected 1 to 4");
      std::uint64_t elements = 1;
      for (std::uint32_t d = 0; d < num_dims; ++d) {
        const auto size = r.number<std::uint64_t>("a tensor's shape");
        if (size == 0 || size > (std::uint64_t{1} << 40) || elements > (std::uint64_t{1} << 48) / size) {
          r.fail("tensor \"" + t.name + "\" has a dimension of " + std::to_string(size));
        }
        elements *= size;
        t.shape.insert(t.shape.begin(), static_cast<std::int64_t>(size));
      }
      const auto type = r.number<std::uint32_t>("a tensor's type");
      const auto named = tensor_type(type);
      if (named.name == nullptr) r.fail("tensor \"" + t.name + "\" has unknown type " + std::to_string(type));
      require(named.supported >= 0,
              [&] {
                return "tensor \"" + t.name + "\" is " + named.name +
                       ", which is not supported (F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K are)";
              },
              ErrorCode::kInvalidArgument, path_.string());
      t.type = static_cast<DType>(named.supported);
      const auto& traits = quant::traits(t.type);
      if (t.shape.back() % traits.block_elements != 0) {
        r.fail("tensor \"" + t.name + "\" has rows of " + std::to_string(t.shape.back()) + ", which " + named.name +
               " blocks of " + std::to_string(traits.block_elements) + " do not divide");
      }
      offsets.push_back(r.number<std::uint64_t>("a tensor's offset"));
      sizes.push_back(static_cast<std::uint64_t>(quant::num_bytes(t.type, static_cast<std::int64_t>(elements))));
      tensors_.push_back(std::move(t));
    }
    if (count == 0) return;  // a vocabulary-only file
    const std::uint64_t begin = (r.position() + alignment - 1) / alignment * alignment;
    std::vector<std::size_t> order(tensors_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; });
    std::uint64_t end = 0;
    for (const std::size_t i : order) {
      const std::string& name = tensors_[i].name;
      if (offsets[i] % alignment != 0) r.fail("tensor \"" + name + "\" begins at " + std::to_string(offsets[i]) + ", which is not aligned to " + std::to_string(alignment));
      if (offsets[i] < end) r.fail("tensor \"" + name + "\" overlaps the one before it");
      if (begin > bytes.size() || offsets[i] > bytes.size() - begin || sizes[i] > bytes.size() - begin - offsets[i]) {
        r.fail("tensor \"" + name + "\" ends at byte " + std::to_string(begin + offsets[i] + sizes[i]) + ", the file has " +
               std::to_string(bytes.size()) + " (is the download complete?)");
      }
      end = offsets[i] + sizes[i];
      tensors_[i].data = bytes.subspan(static_cast<std::size_t>(begin + offsets[i]), static_cast<std::size_t>(sizes[i]));
    }
    for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_.emplace(tensors_[i].name, i);
  }

  std::optional<MappedFile> file_;
  std::filesystem::path path_;
  Json metadata_ = Json::object();
  Json generation_config_;
  std::map<std::string, ArrayView> arrays_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
};

}  // namespace

bool looks_like_gguf(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0;
}

std::unique_ptr<Checkpoint> open_gguf(const std::filesystem::path& path) {
  return std::make_unique<GgufCheckpoint>(MappedFile(path), path);
}

std::unique_ptr<Checkpoint> parse_gguf(std::span<const std::byte> bytes, std::string_view where) {
  return std::make_unique<GgufCheckpoint>(bytes, std::filesystem::path(where));
}

}  // namespace onggi::formats
