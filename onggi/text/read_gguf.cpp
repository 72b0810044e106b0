#include <unordered_map>

#include "onggi/core/error.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581

/// A scalar under tokenizer.ggml; null where absent.
Json value_of(const formats::Checkpoint& checkpoint, const char* key) {
  const Json& all = checkpoint.metadata();
  const auto it = all.find(std::string("tokenizer.ggml.") + key);
  return it == all.end() ? Json() : *it;
}

int id_under(const formats::Checkpoint& checkpoint, const char* key) {
  const Json v = value_of(checkpoint, key);
  if (v.is_null()) return -1;
  require(
      v.is_number_integer(), [&] { return std::string("tokenizer.ggml.") + key + " should be an integer"; },
      ErrorCode::kCorrupt, checkpoint.path().string());
  const auto id = v.get<std::int64_t>();
  // 2^32 - 1 is how some writers say "none".
  if (id == 0xFFFFFFFF || id == -1) return -1;
  require(
      id >= 0 && id <= 0x7FFFFFFF, [&] { return std::string("tokenizer.ggml.") + key + " is no token's id"; },
      ErrorCode::kCorrupt, checkpoint.path().string());
  return static_cast<int>(id);
}

bool flag_under(const formats::Checkpoint& checkpoint, const char* key, bool otherwise) {
  const Json v = value_of(checkpoint, key);
  return v.is_boolean() ? v.get<bool>() : otherwise;
}

/// What GGUF has no key for, in files that `onggi convert` writes.
bool own_flag(const formats::Checkpoint& checkpoint, const char* key, bool otherwise) {
  const Json& all = checkpoint.metadata();
  const auto it = all.find(std::string("onggi.tokenizer.") + key);
  return it != all.end() && it->is_boolean() ? it->get<bool>() : otherwise;
}

void read_merges(const formats::Checkpoint& checkpoint, const std::vector<std::string_view>& pieces,
                 TokenizerSpec& spec) {
  const auto merges = checkpoint.string_array("tokenizer.ggml.merges");
  require(merges.has_value(), "a byte-level vocabulary needs tokenizer.ggml.merges", ErrorCode::kCorrupt, spec.where);
  std::unordered_map<std::string_view, int> ids;
  for (std::size_t i = 0; i < pieces.size(); ++i) ids.try_emplace(pieces[i], static_cast<int>(i));
  spec.merge_order = TokenizerSpec::MergeOrder::kByList;
  spec.merges.reserve(merges->size());
  std::string joined;
  for (const std::string_view line : *merges) {
    const std::size_t space = line.find(' ', 1);
    const std::string_view left = line.substr(0, space);
    const std::string_view right = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    joined.assign(left).append(right);
    const auto a = ids.find(left);
    const auto b = ids.find(right);
    const auto c = ids.find(std::string_view(joined));
    require(
        a != ids.end() && b != ids.end() && c != ids.end(),
        [&] {
          return "merge " + std::to_string(spec.merges.size()) + " \"" + std::string(line) +
                 "\" should name two tokens whose joined text is a token";
        },
        ErrorCode::kCorrupt, spec.where);
    spec.merges.push_back({a->second, b->second, c->second});
  }
}

TokenizerSpec::Kind kind_of(const std::string& name, const std::string& where) {
  static constexpr std::pair<std::string_view, TokenizerSpec::Kind> kKinds[] = {
      {"llama", TokenizerSpec::Kind::kSpmBpe},
      {"gpt2", TokenizerSpec::Kind::kByteBpe},
      {"bert", TokenizerSpec::Kind::kWordPiece},
      {"t5", TokenizerSpec::Kind::kUnigram}};
  for (const auto& [known, kind] : kKinds) {
    if (name == known) return kind;
  }
  throw Error(
      ErrorCode::kInvalidArgument,
      "tokenizer.ggml.model is \"" + name +
          "\"; the ones read here are \"llama\" (SentencePiece BPE), \"gpt2\" (byte-level BPE), \"bert\" (WordPiece) "
          "and \"t5\" (unigram)",
      where);
}

void read_unigram_rules(const formats::Checkpoint& checkpoint, TokenizerSpec& spec) {
  UnigramRules& rules = spec.unigram;
  if (const auto map = checkpoint.int_array("tokenizer.ggml.precompiled_charsmap")) {
    for (const int byte : *map) rules.charsmap.push_back(static_cast<char>(byte));
  }
  const bool removes_spaces = flag_under(checkpoint, "remove_extra_whitespaces", false);
  rules.strips_left = rules.strips_right = removes_spaces;
  rules.joins_spaces = own_flag(checkpoint, "joins_spaces", removes_spaces);
  if (flag_under(checkpoint, "add_space_prefix", true)) {
    spec.space_prefix =
        own_flag(checkpoint, "keeps_first_space", false) ? SpacePrefix::kEachTextNoSpace : SpacePrefix::kEachText;
  }
  spec.adds_bos = flag_under(checkpoint, "add_bos_token", true);
}

}  // namespace

TokenizerSpec read_gguf_tokenizer(const formats::Checkpoint& checkpoint) {
  TokenizerSpec spec;
  spec.where = checkpoint.path().string();
  const Json model = value_of(checkpoint, "model");
  require(model.is_string(), "the file has no tokenizer: tokenizer.ggml.model is missing", ErrorCode::kNotFound,
          spec.where);
  const auto name = model.get<std::string>();
  spec.kind = kind_of(name, spec.where);
  const bool byte_level = spec.kind == TokenizerSpec::Kind::kByteBpe;
  const bool has_words = spec.kind == TokenizerSpec::Kind::kWordPiece;

  const auto pieces = checkpoint.string_array("tokenizer.ggml.tokens");
  require(pieces.has_value(), "the file has no vocabulary: tokenizer.ggml.tokens is missing", ErrorCode::kCorrupt,
          spec.where);
  const auto types = checkpoint.int_array("tokenizer.ggml.token_type");
  const auto scores = checkpoint.float_array("tokenizer.ggml.scores");
  const auto same_length = [&](const char* key, std::size_t n) {
    require(
        n == pieces->size(),
        [&] {
          return std::string("tokenizer.ggml.") + key + " has " + std::to_string(n) + " entries, the vocabulary has " +
                 std::to_string(pieces->size());
        },
        ErrorCode::kCorrupt, spec.where);
  };
  if (types) same_length("token_type", types->size());
  if (scores) same_length("scores", scores->size());
  require(byte_level || has_words || scores.has_value(), "a SentencePiece vocabulary needs tokenizer.ggml.scores",
          ErrorCode::kCorrupt, spec.where);

  spec.tokens.resize(pieces->size());
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    TokenSpec& token = spec.tokens[i];
    const std::string_view piece = (*pieces)[i];
    const int type = types ? (*types)[i] : 1;
    require(
        type >= 0 && type <= 6,
        [&] { return "token " + std::to_string(i) + " has the unknown type " + std::to_string(type); },
        ErrorCode::kCorrupt, spec.where);
    token.type = type == 0 ? TokenType::kUnused : static_cast<TokenType>(type);
    if (scores) token.score = (*scores)[i];
    if (token.type == TokenType::kByte) {
      const int byte = byte_of_piece(piece);
      require(
          byte >= 0, [&] { return "token " + std::to_string(i) + " is a byte token but not spelt <0xHH>"; },
          ErrorCode::kCorrupt, spec.where);
      token.bytes.assign(1, static_cast<char>(byte));
    } else if (has_words) {
      // Words begin with U+2581 here, and what continues them has no "##".
      const bool is_inside = token.type == TokenType::kNormal && !piece.starts_with(kMark) && !piece.starts_with('[');
      token.bytes =
          std::string(is_inside ? "##" : "").append(piece.substr(piece.starts_with(kMark) ? kMark.size() : 0));
    } else if (byte_level) {
      token.bytes = token.type == TokenType::kNormal ? bytes_of_byte_level(piece) : std::string(piece);
    } else {
      token.bytes = token.type == TokenType::kControl ? std::string(piece) : bytes_of_sentencepiece(piece);
    }
  }

  spec.bos_id = id_under(checkpoint, "bos_token_id");
  spec.eos_id = id_under(checkpoint, "eos_token_id");
  spec.unk_id = id_under(checkpoint, "unknown_token_id");
  spec.pad_id = id_under(checkpoint, "padding_token_id");
  for (const char* key : {"eot_token_id", "eom_token_id"}) {
    if (const int id = id_under(checkpoint, key); id >= 0) spec.extra_stop_ids.push_back(id);
  }
  if (byte_level) {
    const Json pre = value_of(checkpoint, "pre");
    const std::string pre_name = pre.is_string() ? pre.get<std::string>() : "default";
    spec.pre_tokenizer = PreTokenizer::by_name(pre_name, spec.where);
    const bool is_llama3 = pre_name == "llama-bpe" || pre_name == "llama3" || pre_name == "llama-v3";
    spec.ignore_merges = is_llama3;
    spec.adds_bos = flag_under(checkpoint, "add_bos_token", is_llama3);
    read_merges(checkpoint, *pieces, spec);
    mark_markup(spec);
  } else if (has_words) {
    mark_bert_tokens(spec);
    WordPieceRules& rules = spec.word_piece;
    rules.lowercases = own_flag(checkpoint, "lowercases", true);
    rules.strips_accents = own_flag(checkpoint, "strips_accents", rules.lowercases);
    rules.separates_han = own_flag(checkpoint, "separates_han", true);
  } else if (spec.kind == TokenizerSpec::Kind::kUnigram) {
    read_unigram_rules(checkpoint, spec);
  } else {
    require(!flag_under(checkpoint, "remove_extra_whitespaces", false),
            "tokenizer.ggml.remove_extra_whitespaces is not supported with the \"llama\" tokenizer",
            ErrorCode::kInvalidArgument, spec.where);
    spec.space_prefix = flag_under(checkpoint, "add_space_prefix", true) ? SpacePrefix::kEachText : SpacePrefix::kNone;
    spec.adds_bos = flag_under(checkpoint, "add_bos_token", true);
  }
  if (spec.bos_id < 0) spec.adds_bos = false;
  const Json& all = checkpoint.metadata();
  if (const auto it = all.find("tokenizer.chat_template"); it != all.end() && it->is_string()) {
    spec.chat_template = it->get<std::string>();
  }
  return spec;
}

}  // namespace onggi::text
