#include "onggi/formats/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/gguf_types.h"
#include "onggi/formats/quote.h"

namespace onggi::formats {
namespace {

using Type = GgufValueType;

constexpr std::uint64_t kMaxMetadataArray = 4096;
/// The format says 64; converters of other architectures have written longer ones.
constexpr std::size_t kMaxTensorName = 256;
constexpr std::uint64_t kMaxDimension = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 48;

/// Bounded reading: every step checks what is left before it takes.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& where) : bytes_(bytes), where_(&where) {}

  std::size_t position() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  std::span<const std::byte> take(std::uint64_t count, const char* what) {
    if (count > left()) {
      fail(std::string("the file ends inside ") + what + ": " + std::to_string(count) + " bytes wanted at byte " +
           std::to_string(at_) + ", " + std::to_string(left()) + " left (is the download complete?)");
    }
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

  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ErrorCode::kCorrupt, "GGUF: " + message, *where_);
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string* where_;
  std::size_t at_ = 0;
};

struct ArrayView {
  Type type = Type::kU8;
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
};

Json read_scalar(Reader& r, Type type, std::string_view key) {
  switch (type) {
    case Type::kU8: return r.number<std::uint8_t>("a value");
    case Type::kI8: return r.number<std::int8_t>("a value");
    case Type::kU16: return r.number<std::uint16_t>("a value");
    case Type::kI16: return r.number<std::int16_t>("a value");
    case Type::kU32: return r.number<std::uint32_t>("a value");
    case Type::kI32: return r.number<std::int32_t>("a value");
    case Type::kF32: return r.number<float>("a value");
    case Type::kU64: return r.number<std::uint64_t>("a value");
    case Type::kI64: return r.number<std::int64_t>("a value");
    case Type::kF64: return r.number<double>("a value");
    case Type::kString: return std::string(r.string("a string"));
    case Type::kBool: {
      const auto value = r.number<std::uint8_t>("a value");
      if (value > 1) r.fail("key " + quote(key) + " is a bool of value " + std::to_string(value) + ", expected 0 or 1");
      return value == 1;
    }
    case Type::kArray: break;
  }
  r.fail("key " + quote(key) + " has unknown value type " + std::to_string(static_cast<std::uint32_t>(type)) +
         ", expected 0 to 12");
}

/// A tensor's description as the file has it.
struct TensorEntry {
  TensorView view;
  std::uint64_t offset = 0;
  std::uint64_t num_bytes = 0;
};

class GgufCheckpoint : public Checkpoint {
 public:
  GgufCheckpoint(std::span<const std::byte> bytes, std::filesystem::path path)
      : path_(std::move(path)), where_(path_.string()) {
    parse(bytes);
  }
  GgufCheckpoint(MappedFile file, const std::filesystem::path& path)
      : file_(std::move(file)), path_(path), where_(path.string()) {
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
    const ArrayView* array = find_array(
        key, [](Type type) { return type == Type::kString; }, "strings");
    if (array == nullptr) return std::nullopt;
    std::vector<std::string_view> out;
    out.reserve(array->count);
    Reader r(array->bytes, where_);
    for (std::uint64_t i = 0; i < array->count; ++i) out.push_back(r.string("a string"));
    return out;
  }

  std::optional<std::vector<float>> float_array(std::string_view key) const override {
    const ArrayView* array = find_array(
        key, [](Type type) { return type == Type::kF32; }, "f32 numbers");
    if (array == nullptr) return std::nullopt;
    std::vector<float> out(array->count);
    if (!out.empty()) std::memcpy(out.data(), array->bytes.data(), array->bytes.size());
    return out;
  }

  std::optional<std::vector<std::int32_t>> int_array(std::string_view key) const override {
    const auto is_small = [](Type type) { return type <= Type::kI32 || type == Type::kBool; };
    const ArrayView* array = find_array(key, is_small, "integers of at most 32 bits");
    if (array == nullptr) return std::nullopt;
    std::vector<std::int32_t> out(array->count);
    Reader r(array->bytes, where_);
    for (auto& value : out) {
      const Json scalar = read_scalar(r, array->type, key);
      const std::int64_t wide =
          scalar.is_boolean() ? static_cast<std::int64_t>(scalar.get<bool>()) : scalar.get<std::int64_t>();
      if (wide > std::numeric_limits<std::int32_t>::max()) {
        r.fail("key " + quote(key) + " holds " + std::to_string(wide) + ", expected at most 2^31 - 1");
      }
      value = static_cast<std::int32_t>(wide);
    }
    return out;
  }

  std::vector<GgufEntry> entries() const {
    std::vector<GgufEntry> out;
    for (const auto& [key, value] : raw_) {
      out.push_back({std::string(key), std::string(reinterpret_cast<const char*>(value.data()), value.size())});
    }
    return out;
  }

 private:
  template <class Accepts>
  const ArrayView* find_array(std::string_view key, Accepts accepts, const char* expected) const {
    const auto it = arrays_.find(key);
    if (it == arrays_.end()) return nullptr;
    require(
        accepts(it->second.type),
        [&] {
          return "GGUF: key " + quote(key) + " is an array of value type " +
                 std::to_string(static_cast<std::uint32_t>(it->second.type)) + ", expected " + expected;
        },
        ErrorCode::kCorrupt, where_);
    return &it->second;
  }

  void parse(std::span<const std::byte> bytes) {
    Reader r(bytes, where_);
    if (!looks_like_gguf(bytes)) r.fail("the file does not begin with the magic \"GGUF\"");
    r.take(4, "the header");
    const auto version = r.number<std::uint32_t>("the header");
    if (version == 0x03000000) r.fail("the file is big-endian, expected little-endian");
    if (version != 3) r.fail("version " + std::to_string(version) + ", expected 3");
    const auto num_tensors = r.number<std::uint64_t>("the header");
    const auto num_keys = r.number<std::uint64_t>("the header");
    // A key takes at least 13 bytes, a tensor at least 32: more than that can't be in what is left.
    const auto check_count = [&](std::uint64_t count, std::uint64_t least_bytes, const char* what) {
      if (count <= r.left() / least_bytes) return;
      r.fail("the header counts " + std::to_string(count) + what + ", more than the " + std::to_string(r.left()) +
             " bytes left can hold (is the download complete?)");
    };
    check_count(num_keys, 13, " keys");
    check_count(num_tensors, 32, " tensors");
    for (std::uint64_t i = 0; i < num_keys; ++i) read_key(r, bytes);
    const std::uint64_t alignment = read_alignment(r);
    std::vector<TensorEntry> entries;
    std::unordered_set<std::string_view> names;
    for (std::uint64_t i = 0; i < num_tensors; ++i) entries.push_back(read_tensor(r, names));
    if (!entries.empty()) place_tensors(r, entries, alignment, bytes);
    for (auto& entry : entries) tensors_.push_back(std::move(entry.view));
    for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_.emplace(tensors_[i].name, i);
  }

  void read_key(Reader& r, std::span<const std::byte> bytes) {
    const std::string_view key = r.string("a key");
    if (key.empty() || key.size() > kGgufMaxKeyBytes || !is_utf8(key)) {
      r.fail("key " + quote(key) + " has " + std::to_string(key.size()) + " bytes, expected 1 to 65535 of UTF-8");
    }
    if (!keys_.insert(key).second) r.fail("key " + quote(key) + " stands twice");
    const std::size_t begin = r.position();
    const auto type = static_cast<Type>(r.number<std::uint32_t>("a value type"));
    if (type == Type::kArray) {
      read_array(r, key);
    } else {
      Json value = read_scalar(r, type, key);
      if (value.is_string() && !is_utf8(value.get_ref<const std::string&>())) {
        r.fail("key " + quote(key) + " has a string that is not UTF-8");
      }
      set_metadata(key, std::move(value));
    }
    raw_.emplace_back(key, bytes.subspan(begin, r.position() - begin));
  }

  void read_array(Reader& r, std::string_view key) {
    ArrayView array;
    array.type = static_cast<Type>(r.number<std::uint32_t>("an array"));
    array.count = r.number<std::uint64_t>("an array");
    if (array.type == Type::kArray) r.fail("key " + quote(key) + " is an array of arrays, which is not supported");
    const bool is_string = array.type == Type::kString;
    const auto least = static_cast<std::uint64_t>(is_string ? 8 : gguf_value_bytes(array.type));
    if (least == 0) {
      r.fail("key " + quote(key) + " is an array of unknown value type " +
             std::to_string(static_cast<std::uint32_t>(array.type)) + ", expected 0 to 12");
    }
    if (array.count > r.left() / least) {
      r.fail("key " + quote(key) + " is an array of " + std::to_string(array.count) + " values, more than the " +
             std::to_string(r.left()) + " bytes left can hold");
    }
    std::uint64_t num_bytes = array.count * least;
    bool is_text = true;
    if (is_string) {  // walked once to find the end
      Reader walk = r;
      for (std::uint64_t i = 0; i < array.count; ++i) {
        const auto text = walk.string("a string of an array");
        is_text = is_text && (array.count > kMaxMetadataArray || is_utf8(text));
      }
      num_bytes = walk.position() - r.position();
    }
    array.bytes = r.take(num_bytes, "an array");
    if (array.count <= kMaxMetadataArray && is_text) {
      Json values = Json::array();
      Reader walk(array.bytes, where_);
      for (std::uint64_t i = 0; i < array.count; ++i) values.push_back(read_scalar(walk, array.type, key));
      set_metadata(key, std::move(values));
    }
    arrays_.emplace(key, array);
  }

  /// Keys are known to differ, so append without the search that operator[] makes.
  void set_metadata(std::string_view key, Json value) {
    metadata_.get_ref<Json::object_t&>().emplace_back(std::string(key), std::move(value));
  }

  std::uint64_t read_alignment(const Reader& r) const {
    const auto it = metadata_.find("general.alignment");
    if (it == metadata_.end()) return kGgufDefaultAlignment;
    const std::uint64_t alignment = it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
    if (!std::has_single_bit(alignment) || alignment > kGgufMaxAlignment) {
      r.fail("general.alignment is " + it->dump() + ", expected a power of two up to " +
             std::to_string(kGgufMaxAlignment));
    }
    return alignment;
  }

  TensorEntry read_tensor(Reader& r, std::unordered_set<std::string_view>& names) const {
    const std::string_view name = r.string("a tensor's name");
    const auto fail = [&](const std::string& what) { r.fail("tensor " + quote(name) + " " + what); };
    if (name.empty() || name.size() > kMaxTensorName || !is_utf8(name)) {
      fail("has a name of " + std::to_string(name.size()) + " bytes, expected 1 to 256 of UTF-8");
    }
    if (!names.insert(name).second) fail("stands twice");
    TensorEntry entry;
    TensorView& t = entry.view;
    t.name = name;
    t.file = where_;
    const auto num_dims = r.number<std::uint32_t>("a tensor's shape");
    if (num_dims < 1 || num_dims > kGgufMaxDimensions) {
      fail("has " + std::to_string(num_dims) + " dimensions, expected 1 to 4");
    }
    std::uint64_t elements = 1;
    for (std::uint32_t d = 0; d < num_dims; ++d) {
      const auto size = r.number<std::uint64_t>("a tensor's shape");
      if (size == 0 || size > kMaxDimension || elements > kMaxElements / size) {
        fail("has a dimension of " + std::to_string(size) + ", which is 0 or makes it larger than 2^48 numbers");
      }
      elements *= size;
      t.shape.insert(t.shape.begin(), static_cast<std::int64_t>(size));
    }
    const auto number = r.number<std::uint32_t>("a tensor's type");
    const auto [type_name, dtype] = gguf_tensor_type(number);
    if (type_name.empty()) {
      fail("has unknown type " + std::to_string(number) + " (supported: " + supported_gguf_tensor_types() + ")");
    }
    require(
        dtype.has_value(),
        [&, &type_name = type_name] {
          return "tensor " + quote(name) + " is " + std::string(type_name) +
                 ", which is not supported (supported: " + supported_gguf_tensor_types() +
                 "); take a file of another quantisation";
        },
        ErrorCode::kInvalidArgument, where_);
    t.type = *dtype;
    const int block = quant::traits(t.type).block_elements;
    if (t.shape.back() % block != 0) {
      fail("has rows of " + std::to_string(t.shape.back()) + ", no multiple of the block of " + std::string(type_name) +
           ", " + std::to_string(block));
    }
    entry.offset = r.number<std::uint64_t>("a tensor's offset");
    entry.num_bytes = static_cast<std::uint64_t>(quant::num_bytes(t.type, static_cast<std::int64_t>(elements)));
    return entry;
  }

  /// Finds the tensors' bytes after the description, which ends where `r` stands.
  static void place_tensors(const Reader& r, std::vector<TensorEntry>& entries, std::uint64_t alignment,
                            std::span<const std::byte> bytes) {
    const std::uint64_t begin = (r.position() + alignment - 1) / alignment * alignment;
    const std::uint64_t size = begin < bytes.size() ? bytes.size() - begin : 0;
    std::vector<TensorEntry*> order;
    for (auto& entry : entries) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
    const TensorEntry* before = nullptr;
    for (TensorEntry* t : order) {
      const auto fail = [&](const std::string& what) { r.fail("tensor " + quote(t->view.name) + " " + what); };
      if (t->offset % alignment != 0) {
        fail("begins at offset " + std::to_string(t->offset) + ", no multiple of the alignment, " +
             std::to_string(alignment));
      }
      if (before != nullptr && t->offset < before->offset + before->num_bytes) {
        fail("at offset " + std::to_string(t->offset) + " overlaps " + quote(before->view.name));
      }
      if (t->offset > size || t->num_bytes > size - t->offset) {
        fail("takes " + std::to_string(t->num_bytes) + " bytes at offset " + std::to_string(t->offset) +
             ", the file has " + std::to_string(size) + " bytes of tensors (is the download complete?)");
      }
      t->view.data = bytes.subspan(static_cast<std::size_t>(begin + t->offset), static_cast<std::size_t>(t->num_bytes));
      before = t;
    }
  }

  std::optional<MappedFile> file_;
  std::filesystem::path path_;
  std::string where_;
  Json metadata_ = Json::object();
  Json generation_config_;
  // Keys and values are views into the bytes.
  std::unordered_set<std::string_view> keys_;
  std::vector<std::pair<std::string_view, std::span<const std::byte>>> raw_;
  std::unordered_map<std::string_view, ArrayView> arrays_;
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

std::vector<GgufEntry> gguf_entries(const Checkpoint& checkpoint) {
  const auto* gguf = dynamic_cast<const GgufCheckpoint*>(&checkpoint);
  require(gguf != nullptr, "not a GGUF file", ErrorCode::kInvalidArgument, checkpoint.path().string());
  return gguf->entries();
}

}  // namespace onggi::formats
