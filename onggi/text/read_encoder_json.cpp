// tokenizer.json of text encoders: WordPiece (BERT) and unigram (XLM-RoBERTa).
#include "onggi/text/tokenizer_json_reader.h"

namespace onggi::text {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581

class EncoderJsonReader : protected TokenizerJsonReader {
 protected:
  using TokenizerJsonReader::TokenizerJsonReader;

  int id_of_piece(const std::string& piece) const {
    const auto it = ids_.find(piece);
    return it == ids_.end() ? -1 : it->second;
  }

  /// Which tokens stand around a text.
  void read_frame() {
    const Json& p = member(root_, "post_processor");
    const std::string type = text_of(p, "type", "");
    if (p.is_null()) return;
    const auto id_under = [&](const char* key) {  // ["[CLS]", 101]
      const Json& pair = member(p, key);
      expect(pair.is_array() && pair.size() == 2 && pair[0].is_string(),
             [&] { return std::string("\"post_processor\".\"") + key + "\" should be a token and its id"; });
      return id_of_piece(pair[0].get<std::string>());
    };
    if (type == "BertProcessing" || type == "RobertaProcessing") {
      spec_.bos_id = id_under("cls");
      spec_.eos_id = id_under("sep");
    } else {
      supported(type == "TemplateProcessing", "the post-processor \"" + type + "\"");
      const Json& single = member(p, "single");
      supported(single.is_array() && single.size() == 3 && single[1].contains("Sequence"),
                "a template that is not one token, the text, one token");
      spec_.bos_id = id_of_piece(text_of(member(single[0], "SpecialToken"), "id", ""));
      spec_.eos_id = id_of_piece(text_of(member(single[2], "SpecialToken"), "id", ""));
    }
    expect(spec_.bos_id >= 0 && spec_.eos_id >= 0, "the tokens around a text are not in the vocabulary");
    spec_.adds_bos = true;
  }

  /// Calls read(part) for the value's parts, or for itself.
  template <class Read>
  void for_each_part(const Json& value, const char* list, Read&& read) const {
    if (value.is_null()) return;
    if (text_of(value, "type", "") != "Sequence") return read(value);
    const Json& parts = member(value, list);
    expect(parts.is_array(), [&] { return std::string("\"") + list + "\" should be an array"; });
    for (const Json& part : parts) {
      expect(text_of(part, "type", "") != "Sequence", "a sequence inside a sequence");
      read(part);
    }
  }
};

class WordPieceReader : private EncoderJsonReader {
 public:
  using EncoderJsonReader::EncoderJsonReader;

  TokenizerSpec read() {
    const Json& model = member(root_, "model");
    spec_.kind = TokenizerSpec::Kind::kWordPiece;
    const std::string prefix = text_of(model, "continuing_subword_prefix", "##");
    supported(prefix == "##", "the prefix \"" + prefix + "\" inside words");
    const Json& longest = member(model, "max_input_chars_per_word");
    if (!longest.is_null()) {
      expect(longest.is_number_integer() && longest >= 1 && longest <= 1 << 20,
             "\"max_input_chars_per_word\" should be from 1 to 1048576");
      spec_.word_piece.max_word_chars = longest.get<int>();
    }
    const Json& vocab = member(model, "vocab");
    expect(vocab.is_object(), "\"model\".\"vocab\" should be an object of token: id");
    for (const auto& [piece, value] : vocab.items()) {
      const int id = id_of(value, piece);
      TokenSpec& token = slot(id);
      expect(token.type == TokenType::kUnused, [&] { return "two tokens have the id " + std::to_string(id); });
      token = {piece, TokenType::kNormal};
      ids_.emplace(piece, id);
    }
    read_added_tokens(false);
    spec_.unk_id = id_of_piece(text_of(model, "unk_token", "[UNK]"));
    const Json& normaliser = member(root_, "normalizer");
    const std::string type = text_of(normaliser, "type", "");
    supported(type == "BertNormalizer", "the normalizer \"" + type + "\" with WordPiece");
    WordPieceRules& rules = spec_.word_piece;
    rules.cleans = flag_of(normaliser, "clean_text", true);
    rules.separates_han = flag_of(normaliser, "handle_chinese_chars", true);
    rules.lowercases = flag_of(normaliser, "lowercase", true);
    rules.strips_accents = flag_of(normaliser, "strip_accents", rules.lowercases);
    const std::string cut = text_of(member(root_, "pre_tokenizer"), "type", "");
    supported(cut == "BertPreTokenizer", "the pre-tokenizer \"" + cut + "\" with WordPiece");
    read_frame();
    return std::move(spec_);
  }
};

class UnigramReader : private EncoderJsonReader {
 public:
  using EncoderJsonReader::EncoderJsonReader;

  TokenizerSpec read() {
    const Json& model = member(root_, "model");
    spec_.kind = TokenizerSpec::Kind::kUnigram;
    spec_.unigram.as_hugging_face = true;
    const bool has_bytes = flag_of(model, "byte_fallback");
    const Json& vocab = member(model, "vocab");
    expect(vocab.is_array(), "\"model\".\"vocab\" should be an array of tokens and scores");
    for (const Json& entry : vocab) {
      const std::size_t id = spec_.tokens.size();
      expect(entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number(),
             [&] { return "token " + std::to_string(id) + " should be a text and its score"; });
      const auto piece = entry[0].get<std::string>();
      const int byte = has_bytes ? byte_of_piece(piece) : -1;
      TokenSpec token{bytes_of_sentencepiece(piece), TokenType::kNormal, entry[1].get<float>()};
      if (byte >= 0) token = {std::string(1, static_cast<char>(byte)), TokenType::kByte};
      spec_.tokens.push_back(std::move(token));
      ids_.emplace(piece, static_cast<int>(id));
    }
    const Json& unknown = member(model, "unk_id");
    if (!unknown.is_null()) {
      spec_.unk_id = id_of(unknown, "unk_id");
      expect(spec_.unk_id < static_cast<int>(spec_.tokens.size()), "\"unk_id\" is outside the vocabulary");
      spec_.tokens[static_cast<std::size_t>(spec_.unk_id)].type = TokenType::kUnknown;
    }
    read_added_tokens(false);
    if (const int id = id_of_piece("<pad>"); id >= 0) spec_.pad_id = id;
    for_each_part(member(root_, "normalizer"), "normalizers", [&](const Json& part) { read_normaliser(part); });
    for_each_part(member(root_, "pre_tokenizer"), "pretokenizers", [&](const Json& part) { read_pre_tokenizer(part); });
    read_frame();
    return std::move(spec_);
  }

 private:
  void read_normaliser(const Json& n) {
    const std::string type = text_of(n, "type", "");
    const std::string content = text_of(n, "content", "");
    UnigramRules& rules = spec_.unigram;
    if (type == "Precompiled") {
      expect(decode_base64(text_of(n, "precompiled_charsmap", ""), rules.charsmap),
             "\"precompiled_charsmap\" should be base64");
    } else if (type == "Strip") {
      rules.strips_left = flag_of(n, "strip_left");
      rules.strips_right = flag_of(n, "strip_right");
    } else {
      // A run of spaces becomes one, which Metaspace then marks, or the mark at once.
      const bool joins = type == "Replace" && text_of(member(n, "pattern"), "Regex", "") == " {2,}" &&
                         (content == " " || content == kMark);
      supported(joins, "the normalizer \"" + type + "\" with these settings");
      rules.joins_spaces = true;
    }
  }

  void read_pre_tokenizer(const Json& p) {
    const std::string type = text_of(p, "type", "");
    if (type == "WhitespaceSplit") {
      spec_.unigram.splits_words = true;
      return;
    }
    supported(type == "Metaspace" && text_of(p, "replacement", "") == kMark,
              "the pre-tokenizer \"" + type + "\" with these settings");
    const std::string scheme = text_of(p, "prepend_scheme", flag_of(p, "add_prefix_space", true) ? "always" : "never");
    spec_.space_prefix = scheme == "always"  ? SpacePrefix::kEachTextNoSpace
                         : scheme == "first" ? SpacePrefix::kFirstText
                                             : SpacePrefix::kNone;
  }
};

}  // namespace

TokenizerSpec read_word_piece_json(Json root, const std::string& where) {
  return WordPieceReader(std::move(root), where).read();
}

TokenizerSpec read_unigram_json(Json root, const std::string& where) {
  return UnigramReader(std::move(root), where).read();
}

}  // namespace onggi::text
