#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/text/tokenizer_json_reader.h"

namespace onggi::text {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581

/// A BPE tokenizer.json on its way to a spec.
class BpeReader : private TokenizerJsonReader {
 public:
  using TokenizerJsonReader::TokenizerJsonReader;

  TokenizerSpec read() {
    const Json& model = member(root_, "model");
    byte_fallback_ = flag_of(model, "byte_fallback");
    spec_.kind = byte_fallback_ ? TokenizerSpec::Kind::kSpmBpe : TokenizerSpec::Kind::kByteBpe;
    spec_.merge_order = TokenizerSpec::MergeOrder::kByList;
    spec_.ignore_merges = flag_of(model, "ignore_merges");
    supported(!(byte_fallback_ && spec_.ignore_merges), "\"ignore_merges\" with \"byte_fallback\"");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      supported(text_of(model, key, "").empty(), std::string("\"") + key + "\"");
    }
    supported(!(model.contains("dropout") && model["dropout"].is_number() && model["dropout"] != 0), "\"dropout\"");
    read_vocabulary(model);
    read_added_tokens(byte_fallback_);
    read_merges(model);
    if (const auto it = model.find("unk_token"); it != model.end() && it->is_string()) {
      if (const auto id = ids_.find(it->get<std::string>()); id != ids_.end()) spec_.unk_id = id->second;
    }
    read_normaliser(member(root_, "normalizer"));
    read_pre_tokenizer(member(root_, "pre_tokenizer"));
    read_post_processor(member(root_, "post_processor"));
    if (!byte_fallback_) mark_markup(spec_);
    return std::move(spec_);
  }

 private:
  void read_vocabulary(const Json& model) {
    const Json& vocab = member(model, "vocab");
    expect(vocab.is_object(), "\"model\".\"vocab\" should be an object of token: id");
    for (const auto& [piece, value] : vocab.items()) {
      const int id = id_of(value, piece);
      TokenSpec& token = slot(id);
      expect(token.type == TokenType::kUnused, [&] { return "two tokens have the id " + std::to_string(id); });
      token.type = TokenType::kNormal;
      const int byte = byte_fallback_ ? byte_of_piece(piece) : -1;
      if (byte >= 0) {
        token.type = TokenType::kByte;
        token.bytes.assign(1, static_cast<char>(byte));
      } else {
        token.bytes = byte_fallback_ ? bytes_of_sentencepiece(piece) : bytes_of_byte_level(piece);
      }
      ids_.emplace(piece, id);
    }
  }

  void read_merges(const Json& model) {
    const Json& merges = member(model, "merges");
    expect(merges.is_array(), "\"model\".\"merges\" should be an array");
    std::string left, right;
    for (const Json& merge : merges) {
      const auto number = [&] { return "merge " + std::to_string(spec_.merges.size()); };
      if (merge.is_string()) {
        const auto& line = merge.get_ref<const std::string&>();
        const std::size_t space = line.find(' ', 1);
        expect(space != std::string::npos, [&] { return number() + " should be two tokens with a space between"; });
        left = line.substr(0, space);
        right = line.substr(space + 1);
      } else {
        expect(merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string(),
               [&] { return number() + " should be a string or an array of two strings"; });
        left = merge[0].get<std::string>();
        right = merge[1].get<std::string>();
      }
      const auto a = ids_.find(left);
      const auto b = ids_.find(right);
      const auto c = ids_.find(left + right);
      expect(a != ids_.end() && b != ids_.end() && c != ids_.end(), [&] {
        return number() + " (\"" + left + "\", \"" + right + "\") should name two tokens whose joined text is a token";
      });
      spec_.merges.push_back({a->second, b->second, c->second});
    }
  }

  void read_normaliser(const Json& n) {
    if (n.is_null()) return;
    const std::string type = text_of(n, "type", "");
    if (type == "Sequence") {
      const Json& parts = member(n, "normalizers");
      expect(parts.is_array(), "\"normalizers\" should be an array");
      for (const Json& part : parts) {
        expect(text_of(part, "type", "") != "Sequence", "a normalizer sequence inside a sequence");
        read_normaliser(part);
      }
    } else if (type == "NFC") {
      spec_.normalise_nfc = true;
    } else if (type == "Prepend" && byte_fallback_ && text_of(n, "prepend", "") == kMark) {
      spec_.space_prefix = SpacePrefix::kEachText;
    } else {
      const bool marks_spaces = type == "Replace" && byte_fallback_ &&
                                text_of(member(n, "pattern"), "String", "") == " " &&
                                text_of(n, "content", "") == kMark;
      supported(marks_spaces, "the normalizer \"" + type + "\" with these settings");
    }
  }

  void read_pre_tokenizer(const Json& p) {
    if (p.is_null()) return;
    const std::string type = text_of(p, "type", "");
    const std::string behavior = text_of(p, "behavior", "");
    if (type == "Sequence") {
      const Json& parts = member(p, "pretokenizers");
      expect(parts.is_array(), "\"pretokenizers\" should be an array");
      for (const Json& part : parts) {
        expect(text_of(part, "type", "") != "Sequence", "a pre-tokenizer sequence inside a sequence");
        read_pre_tokenizer(part);
      }
    } else if (byte_fallback_ && type == "Metaspace") {
      supported(text_of(p, "replacement", "") == kMark && !flag_of(p, "split", true), "a Metaspace that splits");
      const std::string scheme = text_of(p, "prepend_scheme", flag_of(p, "add_prefix_space") ? "always" : "never");
      spec_.space_prefix = scheme == "always"  ? SpacePrefix::kEachTextNoSpace
                           : scheme == "first" ? SpacePrefix::kFirstText
                                               : SpacePrefix::kNone;
    } else if (byte_fallback_) {
      // Gemma's file splits at spaces, of which the normalizer has left none.
      supported(type == "Split" && text_of(member(p, "pattern"), "String", "") == " ",
                "the pre-tokenizer \"" + type + "\"");
    } else if (type == "ByteLevel") {
      supported(!flag_of(p, "add_prefix_space"), "a ByteLevel that adds a space");
      if (flag_of(p, "use_regex", true)) spec_.pre_tokenizer.add_gpt2();
    } else if (type == "Digits") {
      supported(flag_of(p, "individual_digits"), "Digits that stay together");
      spec_.pre_tokenizer.add_single_digits();
    } else {
      const std::string pattern = text_of(member(p, "pattern"), "Regex", "");
      // "Removed" and inverted keeps the matches, which in these patterns leave no gaps.
      const bool keeps_all =
          behavior == "Isolated" ? !flag_of(p, "invert") : behavior == "Removed" && flag_of(p, "invert");
      supported(type == "Split" && !pattern.empty() && keeps_all,
                "the pre-tokenizer \"" + type + "\" with these settings");
      try {
        spec_.pre_tokenizer.add_pattern(pattern);
      } catch (const Error& e) {
        throw Error(e.code(), e.message(), spec_.where);
      }
    }
  }

  /// Which token stands before the text.
  void read_post_processor(const Json& p) {
    const std::string type = text_of(p, "type", "");
    if (type == "Sequence") {
      const Json& parts = member(p, "processors");
      expect(parts.is_array(), "\"processors\" should be an array");
      for (const Json& part : parts) {
        if (text_of(part, "type", "") == "TemplateProcessing") read_post_processor(part);
      }
    } else if (type == "TemplateProcessing") {
      const Json& single = member(p, "single");
      if (!single.is_array() || single.empty()) return;
      const auto it = ids_.find(text_of(member(single[0], "SpecialToken"), "id", ""));
      if (it == ids_.end()) return;
      spec_.bos_id = it->second;
      spec_.adds_bos = true;
    }
  }

  bool byte_fallback_ = false;
};

/// The spelling in "bos_token": "x" or {"content": "x"}; empty where null or absent.
std::string spelling_in(const Json& config, const char* key) {
  const auto it = config.find(key);
  if (it == config.end()) return {};
  if (it->is_string()) return it->get<std::string>();
  if (it->is_object() && it->contains("content") && (*it)["content"].is_string()) return (*it)["content"];
  return {};
}

}  // namespace

TokenizerSpec read_tokenizer_json(std::string_view text, const std::string& where) {
  Json root = parse_json(text, where);
  const auto model = root.is_object() ? root.find("model") : root.end();
  require(root.is_object() && model != root.end() && model->is_object(), "\"model\" should be an object of the file",
          ErrorCode::kCorrupt, where);
  // Old files leave the type out; a BPE is the one with merges.
  const Json type = model->value("type", Json(model->contains("merges") ? "BPE" : ""));
  require(type.is_string(), "\"type\" of the model should be a string", ErrorCode::kCorrupt, where);
  if (type == "WordPiece") return read_word_piece_json(std::move(root), where);
  if (type == "Unigram") return read_unigram_json(std::move(root), where);
  require(
      type == "BPE", [&] { return "tokenizer.json uses model type " + type.dump() + ", which is not supported"; },
      ErrorCode::kInvalidArgument, where);
  return BpeReader(std::move(root), where).read();
}

void read_tokenizer_config(const Json& config, TokenizerSpec& spec) {
  if (!config.is_object()) return;
  const auto id_of = [&](const std::string& spelling) {
    if (spelling.empty()) return -1;
    // A control token before a normal one of the same text.
    int found = -1;
    for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
      if (spec.tokens[id].bytes != spelling) continue;
      if (spec.tokens[id].type == TokenType::kControl) return static_cast<int>(id);
      if (found < 0) found = static_cast<int>(id);
    }
    return found;
  };
  if (spec.kind == TokenizerSpec::Kind::kWordPiece) {
    const auto flag = [&](const char* key, bool otherwise) {
      const auto it = config.find(key);
      return it != config.end() && it->is_boolean() ? it->get<bool>() : otherwise;
    };
    WordPieceRules& rules = spec.word_piece;
    rules.lowercases = flag("do_lower_case", rules.lowercases);
    rules.strips_accents = flag("strip_accents", rules.lowercases);
    rules.separates_han = flag("tokenize_chinese_chars", rules.separates_han);
    return;
  }
  if (const int id = id_of(spelling_in(config, "bos_token")); id >= 0) spec.bos_id = id;
  if (const int id = id_of(spelling_in(config, "eos_token")); id >= 0) spec.eos_id = id;
  if (const int id = id_of(spelling_in(config, "pad_token")); id >= 0) spec.pad_id = id;
  if (const auto it = config.find("add_bos_token"); it != config.end() && it->is_boolean()) {
    spec.adds_bos = it->get<bool>() && spec.bos_id >= 0;
  }
  const auto it = config.find("chat_template");
  if (it == config.end()) return;
  if (it->is_string()) spec.chat_template = it->get<std::string>();
  if (it->is_array()) {  // [{"name": "default", "template": "..."}]
    for (const Json& entry : *it) {
      if (entry.is_object() && entry.value("name", Json()) == "default" &&
          entry.value("template", Json()).is_string()) {
        spec.chat_template = entry["template"].get<std::string>();
      }
    }
  }
}

void read_generation_config(const Json& config, TokenizerSpec& spec) {
  if (!config.is_object()) return;
  const auto size = static_cast<std::int64_t>(spec.tokens.size());
  const auto is_id = [&](const Json& v) {
    return v.is_number_integer() && v.get<std::int64_t>() >= 0 && v.get<std::int64_t>() < size;
  };
  if (const auto it = config.find("eos_token_id"); it != config.end()) {
    const Json list = it->is_array() ? *it : Json::array({*it});
    for (const Json& v : list) {
      if (!is_id(v)) continue;
      spec.extra_stop_ids.push_back(v.get<int>());
      if (spec.eos_id < 0) spec.eos_id = v.get<int>();
    }
  }
  if (const auto it = config.find("bos_token_id"); it != config.end() && is_id(*it) && spec.bos_id < 0) {
    spec.bos_id = it->get<int>();
  }
}

}  // namespace onggi::text
