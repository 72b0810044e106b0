#include "onggi/text/vocabulary_tokenizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"

namespace onggi::text {
namespace {

constexpr std::size_t kMaxTokens = 1 << 22;
constexpr std::size_t kMaxTokenBytes = 4096;
// Splits of a token are tried one by one, each with a hash of both parts; the longest real token has 256 bytes.
constexpr std::size_t kMaxMergedBytes = 1024;

// Tokens that end an answer in the published chat formats (Gemma, ChatML, Llama 3, Phi).
constexpr std::string_view kTurnEnds[] = {"<end_of_turn>",   "<|im_end|>",    "<|eot_id|>", "<|eom_id|>",
                                          "<|end_of_text|>", "<|endoftext|>", "<|end|>"};

// Stand-ins for images, which some vocabularies class with the user-defined ones.
constexpr std::string_view kImageMarkers[] = {"<start_of_image>", "<end_of_image>", "<image_soft_token>",
                                              "[multimodal]"};

/// The rules of the kinds that have their own.
std::string rules_text(const TokenizerSpec& spec) {
  std::string text;
  const auto flags = [&](std::initializer_list<bool> all) {
    for (const bool flag : all) text += flag ? '1' : '0';
  };
  if (spec.kind == TokenizerSpec::Kind::kWordPiece) {
    const WordPieceRules& r = spec.word_piece;
    flags({r.cleans, r.separates_han, r.strips_accents, r.lowercases});
    text += " " + std::to_string(r.max_word_chars) + "\n";
  } else if (spec.kind == TokenizerSpec::Kind::kUnigram) {
    const UnigramRules& r = spec.unigram;
    flags({r.as_hugging_face, r.strips_left, r.strips_right, r.joins_spaces, r.splits_words});
    text += " " + std::to_string(r.charsmap.size()) + "\n" + r.charsmap;
  }
  return text;
}

}  // namespace

VocabularyTokenizer::VocabularyTokenizer(TokenizerSpec spec) : spec_(std::move(spec)) {
  const auto corrupt = [&](bool ok, auto&& message) { require(ok, message, ErrorCode::kCorrupt, spec_.where); };
  corrupt(!spec_.tokens.empty(), "the vocabulary is empty");
  corrupt(spec_.tokens.size() <= kMaxTokens, [&] {
    return "the vocabulary has " + std::to_string(spec_.tokens.size()) + " tokens; at most " +
           std::to_string(kMaxTokens) + " are read";
  });
  check_special_ids();
  normal_ids_.reserve(spec_.tokens.size());
  std::vector<std::pair<std::string, int>> user_defined;
  std::vector<std::pair<std::string, int>> control;
  for (int id = 0; id < vocab_size(); ++id) {
    TokenSpec& token = spec_.tokens[static_cast<std::size_t>(id)];
    if (std::find(std::begin(kImageMarkers), std::end(kImageMarkers), token.bytes) != std::end(kImageMarkers)) {
      token.type = TokenType::kControl;
    }
    const bool is_normal = token.type == TokenType::kNormal;
    corrupt(token.bytes.size() <= (is_normal ? kMaxMergedBytes : kMaxTokenBytes), [&] {
      return "token " + std::to_string(id) + " has " + std::to_string(token.bytes.size()) + " bytes; at most " +
             std::to_string(is_normal ? kMaxMergedBytes : kMaxTokenBytes) + " are read";
    });
    corrupt(!std::isnan(token.score), [&] { return "the score of token " + std::to_string(id) + " is not a number"; });
    if (is_normal) {
      normal_ids_.add(token.bytes, id);
    } else if (token.type == TokenType::kByte) {
      corrupt(token.bytes.size() == 1, [&] { return "byte token " + std::to_string(id) + " does not name one byte"; });
      other_ids_.try_emplace(piece_of_byte(token.bytes[0]), id);
    } else {
      other_ids_.try_emplace(token.bytes, id);
    }
    if (token.type == TokenType::kUserDefined) user_defined.emplace_back(token.bytes, id);
    if (token.type == TokenType::kControl || token.type == TokenType::kMarkup) control.emplace_back(token.bytes, id);
  }
  anywhere_.build(std::move(user_defined));
  in_template_.build(std::move(control));
  find_stop_ids();
  content_hash_ = hash_of_content();
}

void VocabularyTokenizer::check_special_ids() {
  for (const auto& [name, id] : {std::pair("BOS", &spec_.bos_id), std::pair("EOS", &spec_.eos_id),
                                 std::pair("unknown", &spec_.unk_id), std::pair("padding", &spec_.pad_id)}) {
    require(
        *id >= -1 && *id < vocab_size(),
        [&, name = name, id = *id] {
          return std::string("the ") + name + " token's id " + std::to_string(id) + " is outside the vocabulary of " +
                 std::to_string(vocab_size());
        },
        ErrorCode::kCorrupt, spec_.where);
  }
  // Whatever the file calls them, user text must not give them.
  for (const int id : {spec_.bos_id, spec_.eos_id, spec_.pad_id}) {
    if (id < 0) continue;
    TokenType& type = spec_.tokens[static_cast<std::size_t>(id)].type;
    if (type != TokenType::kUnknown && type != TokenType::kByte) type = TokenType::kControl;
  }
}

void VocabularyTokenizer::find_stop_ids() {
  const auto add = [&](int id) {
    if (id >= 0 && id < vocab_size() && std::find(stop_ids_.begin(), stop_ids_.end(), id) == stop_ids_.end()) {
      stop_ids_.push_back(id);
    }
  };
  add(spec_.eos_id);
  for (const std::string_view name : kTurnEnds) {
    if (const int id = id_of(name); id >= 0 && is_control(id)) add(id);
  }
  for (const int id : spec_.extra_stop_ids) add(id);
}

std::string VocabularyTokenizer::hash_of_content() const {
  std::string all = "kind " + std::to_string(static_cast<int>(spec_.kind)) + " order " +
                    std::to_string(static_cast<int>(spec_.merge_order)) + " prefix " +
                    std::to_string(static_cast<int>(spec_.space_prefix)) + (spec_.ignore_merges ? " whole" : "") +
                    (spec_.normalise_nfc ? " nfc" : "") + " pre " + spec_.pre_tokenizer.describe() + "\n" +
                    rules_text(spec_);
  for (const int id : {spec_.bos_id, spec_.eos_id, spec_.unk_id, spec_.pad_id}) all += std::to_string(id) + " ";
  const auto put = [&](std::uint32_t v) {
    for (int shift = 0; shift < 32; shift += 8) all.push_back(static_cast<char>(v >> shift & 0xFF));
  };
  for (const TokenSpec& token : spec_.tokens) {
    put(static_cast<std::uint32_t>(token.type));
    put(std::bit_cast<std::uint32_t>(token.score + 0.0f));
    put(static_cast<std::uint32_t>(token.bytes.size()));
    all += token.bytes;
  }
  for (const MergeSpec& merge : spec_.merges) {
    put(static_cast<std::uint32_t>(merge.left));
    put(static_cast<std::uint32_t>(merge.right));
    put(static_cast<std::uint32_t>(merge.merged));
  }
  return sha256_hex(all);
}

std::string_view VocabularyTokenizer::token_bytes(int id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return spec_.tokens[static_cast<std::size_t>(id)].bytes;
}

bool VocabularyTokenizer::is_control(int id) const {
  if (id < 0 || id >= vocab_size()) return true;
  const TokenType type = spec_.tokens[static_cast<std::size_t>(id)].type;
  return type == TokenType::kControl || type == TokenType::kUnused || type == TokenType::kUnknown;
}

int VocabularyTokenizer::id_of(std::string_view token) const {
  const int normal = normal_ids_.find(token);
  const auto other = other_ids_.find(std::string(token));
  if (other == other_ids_.end()) return normal;
  return normal < 0 ? other->second : std::min(normal, other->second);
}

bool VocabularyTokenizer::has_mark(std::string_view text) const {
  return reads_mark_as_space() && text.find("\xE2\x96\x81") != std::string_view::npos;
}

void VocabularyTokenizer::encode(std::string_view text, std::vector<int>& ids) const {
  std::string unmarked;
  if (has_mark(text)) text = unmarked = bytes_of_sentencepiece(text);
  const std::size_t ends[] = {0, text.size()};
  encode_parts(text, ends, ids);
}

void VocabularyTokenizer::encode_with_control(std::string_view text, std::vector<int>& ids) const {
  std::string unmarked;
  if (has_mark(text)) text = unmarked = bytes_of_sentencepiece(text);
  const std::size_t ends[] = {text.size()};
  encode_parts(text, ends, ids);
}

void VocabularyTokenizer::encode_spans(std::span<const TextSpan> spans, std::vector<int>& ids) const {
  std::string text;
  std::vector<std::size_t> ends{0};
  for (const TextSpan& span : spans) {
    text += has_mark(span.text) ? bytes_of_sentencepiece(span.text) : span.text;
    // ends has a template part at even places, a content part at odd ones.
    if ((ends.size() % 2 == 0) == span.is_content) {
      ends.back() = text.size();
    } else {
      ends.push_back(text.size());
    }
  }
  encode_parts(text, ends, ids);
}

void VocabularyTokenizer::encode_parts(std::string_view text, std::span<const std::size_t> ends,
                                       std::vector<int>& ids) const {
  std::size_t plain_begin = 0;
  bool is_first = true;
  bool after_control = true;
  const auto flush = [&](std::size_t plain_end) {
    if (plain_end <= plain_begin) return;
    encode_plain(text.substr(plain_begin, plain_end - plain_begin), is_first, after_control, ids);
    is_first = after_control = false;
  };
  const auto is_space = [&](std::size_t at) {
    return at < text.size() && (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r'));
  };
  std::size_t part = 0;
  for (std::size_t at = 0; at < text.size();) {
    while (part + 1 < ends.size() && at >= ends[part]) ++part;
    PhraseMatcher::Match match = anywhere_.longest(text.substr(at));
    if (part % 2 == 0) {
      const auto control = in_template_.longest(text.substr(at, ends[part] - at));
      if (control.id >= 0 && control.length >= match.length) match = control;
    }
    if (match.id < 0) {
      ++at;
      continue;
    }
    const TokenSpec& token = spec_.tokens[static_cast<std::size_t>(match.id)];
    std::size_t plain_end = at;
    while (token.eats_space_before && plain_end > plain_begin && is_space(plain_end - 1)) --plain_end;
    flush(plain_end);
    ids.push_back(match.id);
    at += match.length;
    while (token.eats_space_after && is_space(at)) ++at;
    plain_begin = at;
    is_first = false;
    after_control = token.type == TokenType::kControl;
  }
  flush(text.size());
}

}  // namespace onggi::text
