#include "onggi/text/export_tokenizer.h"

#include <bit>
#include <cstdint>

#include "onggi/core/error.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {
namespace {

/// A protocol-buffer message, field by field.
class ProtoWriter {
 public:
  ProtoWriter& number(int field, std::int64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtoWriter& real(int field, float value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(bits >> shift & 0xFF));
    return *this;
  }
  ProtoWriter& text(int field, std::string_view value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

constexpr int kBpe = 2;  // trainer_spec.model_type

/// Field numbers are those of sentencepiece_model.proto.
std::string sentencepiece_model(const TokenizerSpec& spec, const std::vector<std::string_view>& pieces) {
  ProtoWriter model;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    ProtoWriter piece;
    piece.text(1, pieces[i]).real(2, spec.tokens[i].score).number(3, static_cast<std::int64_t>(spec.tokens[i].type));
    model.text(1, piece.bytes());
  }
  ProtoWriter trainer;
  trainer.number(3, kBpe).number(4, static_cast<std::int64_t>(pieces.size())).number(35, 1);
  const auto special = [&](int id_field, int piece_field, int id) {
    trainer.number(id_field, id);
    if (id >= 0) trainer.text(piece_field, pieces[static_cast<std::size_t>(id)]);
  };
  special(40, 45, spec.unk_id);
  special(41, 46, spec.bos_id);
  special(42, 47, spec.eos_id);
  special(43, 48, spec.pad_id);
  ProtoWriter normaliser;
  normaliser.text(1, "identity").number(3, spec.space_prefix != SpacePrefix::kNone).number(4, 0).number(5, 1);
  model.text(2, trainer.bytes()).text(3, normaliser.bytes());
  return model.bytes();
}

}  // namespace

std::vector<TokenizerFile> export_tokenizer(const formats::Checkpoint& gguf, const std::string& tokenizer_class) {
  const TokenizerSpec spec = read_gguf_tokenizer(gguf);
  if (spec.kind != TokenizerSpec::Kind::kSpmBpe) return {};
  const auto pieces = *gguf.string_array("tokenizer.ggml.tokens");
  for (const int id : {spec.unk_id, spec.bos_id, spec.eos_id, spec.pad_id}) {
    require(
        id < static_cast<int>(pieces.size()),
        [&] { return "the special token " + std::to_string(id) + " is outside the vocabulary"; }, ErrorCode::kCorrupt,
        spec.where);
  }
  Json config = {{"tokenizer_class", tokenizer_class}};
  const auto name = [&](const char* key, int id) {
    if (id >= 0) config[key] = std::string(pieces[static_cast<std::size_t>(id)]);
  };
  name("bos_token", spec.bos_id);
  name("eos_token", spec.eos_id);
  name("unk_token", spec.unk_id);
  name("pad_token", spec.pad_id);
  config["add_bos_token"] = spec.adds_bos;
  config["add_eos_token"] = false;
  config["clean_up_tokenization_spaces"] = false;
  if (!spec.chat_template.empty()) config["chat_template"] = spec.chat_template;
  return {{"tokenizer.model", sentencepiece_model(spec, pieces)},
          {"tokenizer_config.json", dump_json(config, 2) + "\n"}};
}

}  // namespace onggi::text
