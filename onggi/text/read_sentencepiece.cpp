#include <bit>
#include <optional>

#include "onggi/core/error.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {
namespace {

/// One field of a protocol-buffer message.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t number_value = 0;  // Varint or fixed width.
  std::string_view bytes;          // Length-delimited.
  bool is_bytes = false;
};

/// Reads the fields of a message one by one; every length is checked against the bytes that are left.
class ProtoReader {
 public:
  ProtoReader(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  std::optional<Field> next() {
    if (at_ == bytes_.size()) return std::nullopt;
    const std::uint64_t tag = varint();
    Field field;
    field.number = static_cast<std::uint32_t>(tag >> 3);
    check(field.number != 0 && tag >> 3 < (1u << 29), "a field with a number that can't be");
    switch (tag & 7) {
      case 0: field.number_value = varint(); break;
      case 1: field.number_value = fixed(8); break;
      case 2: {
        const std::uint64_t length = varint();
        check(length <= bytes_.size() - at_, "a length past the end");
        field.bytes = bytes_.substr(at_, length);
        field.is_bytes = true;
        at_ += length;
        break;
      }
      case 5: field.number_value = fixed(4); break;
      default: check(false, "a field of an unknown wire type");
    }
    return field;
  }

 private:
  void check(bool ok, const char* what) const {
    require(
        ok, [&] { return std::string("not a SentencePiece model: ") + what + " near byte " + std::to_string(at_); },
        ErrorCode::kCorrupt, where_);
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      check(at_ < bytes_.size(), "the end inside a number");
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
    check(false, "a number longer than ten bytes");
    return 0;
  }

  std::uint64_t fixed(std::size_t width) {
    check(width <= bytes_.size() - at_, "the end inside a number");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes_[at_ + i])} << (8 * i);
    }
    at_ += width;
    return value;
  }

  std::string_view bytes_;
  const std::string& where_;
  std::size_t at_ = 0;
};

TokenSpec read_piece(std::string_view message, std::size_t id, const std::string& where) {
  TokenSpec token;
  std::string_view piece;
  std::uint64_t type = 1;
  ProtoReader reader(message, where);
  while (const auto field = reader.next()) {
    if (field->number == 1 && field->is_bytes) piece = field->bytes;
    if (field->number == 2 && !field->is_bytes) {
      token.score = std::bit_cast<float>(static_cast<std::uint32_t>(field->number_value));
    }
    if (field->number == 3 && !field->is_bytes) type = field->number_value;
  }
  const int byte = type == 6 ? byte_of_piece(piece) : 0;
  require(
      type >= 1 && type <= 6 && byte >= 0,
      [&] { return "piece " + std::to_string(id) + " has an unknown type, or is a byte not spelt <0xHH>"; },
      ErrorCode::kCorrupt, where);
  token.type = static_cast<TokenType>(type);
  if (token.type == TokenType::kByte) {
    token.bytes.assign(1, static_cast<char>(byte));
  } else {
    token.bytes = token.type == TokenType::kControl ? std::string(piece) : bytes_of_sentencepiece(piece);
  }
  return token;
}

struct TrainerSettings {
  std::uint64_t model_type = 1;  // 1 unigram, 2 BPE.
  bool space_is_suffix = false;
  int unk_id = 0;
  int bos_id = 1;
  int eos_id = 2;
  int pad_id = -1;
};

TrainerSettings read_trainer(std::string_view message, const std::string& where) {
  TrainerSettings out;
  ProtoReader reader(message, where);
  while (const auto field = reader.next()) {
    const auto id = [&] { return static_cast<int>(static_cast<std::int64_t>(field->number_value)); };
    switch (field->number) {
      case 3: out.model_type = field->number_value; break;
      case 24: out.space_is_suffix = field->number_value != 0; break;
      case 40: out.unk_id = id(); break;
      case 41: out.bos_id = id(); break;
      case 42: out.eos_id = id(); break;
      case 43: out.pad_id = id(); break;
      default: break;
    }
  }
  return out;
}

struct NormaliserSettings {
  std::string name;
  std::string table;
  bool add_dummy_prefix = true;
  bool remove_extra_spaces = true;
  bool escape_spaces = true;
};

NormaliserSettings read_normaliser(std::string_view message, const std::string& where) {
  NormaliserSettings out;
  ProtoReader reader(message, where);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1: out.name = std::string(field->bytes); break;
      case 2: out.table = std::string(field->bytes); break;
      case 3: out.add_dummy_prefix = field->number_value != 0; break;
      case 4: out.remove_extra_spaces = field->number_value != 0; break;
      case 5: out.escape_spaces = field->number_value != 0; break;
      default: break;
    }
  }
  return out;
}

}  // namespace

TokenizerSpec read_sentencepiece_model(std::string_view bytes, const std::string& where) {
  TokenizerSpec spec;
  spec.where = where;
  TrainerSettings trainer;
  NormaliserSettings normaliser;
  ProtoReader reader(bytes, where);
  while (const auto field = reader.next()) {
    if (!field->is_bytes) continue;
    if (field->number == 1) spec.tokens.push_back(read_piece(field->bytes, spec.tokens.size(), where));
    if (field->number == 2) trainer = read_trainer(field->bytes, where);
    if (field->number == 3) normaliser = read_normaliser(field->bytes, where);
  }
  require(!spec.tokens.empty(), "not a SentencePiece model: there are no pieces", ErrorCode::kCorrupt, where);
  const auto supported = [&](bool ok, const char* what) {
    require(
        ok, [&] { return std::string("the SentencePiece model ") + what + ", which is not supported"; },
        ErrorCode::kInvalidArgument, where);
  };
  const bool is_unigram = trainer.model_type == 1;
  supported(is_unigram || trainer.model_type == 2, "is of neither type, unigram or BPE");
  supported(!trainer.space_is_suffix, "treats white space as a suffix");
  supported(is_unigram || normaliser.table.empty(), "of type BPE normalises text by a table");
  supported(is_unigram || !normaliser.remove_extra_spaces, "of type BPE removes extra white space");
  supported(normaliser.escape_spaces, "does not escape white space");
  spec.space_prefix = normaliser.add_dummy_prefix ? SpacePrefix::kEachText : SpacePrefix::kNone;
  spec.unk_id = trainer.unk_id;
  spec.bos_id = trainer.bos_id;
  spec.eos_id = trainer.eos_id;
  spec.pad_id = trainer.pad_id;
  spec.adds_bos = spec.bos_id >= 0;
  if (is_unigram) {
    const bool removes = normaliser.remove_extra_spaces;
    spec.kind = TokenizerSpec::Kind::kUnigram;
    spec.unigram = {.charsmap = std::move(normaliser.table),
                    .strips_left = removes,
                    .strips_right = removes,
                    .joins_spaces = removes};
  }
  return spec;
}

}  // namespace onggi::text
