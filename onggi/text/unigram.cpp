#include "onggi/text/unigram.h"

#include <algorithm>
#include <limits>

#include "onggi/core/error.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

/// What an unknown character costs beyond the lowest score, as in SentencePiece.
constexpr double kUnknownPenalty = 10.0;

unsigned first_two(std::string_view text) {
  return static_cast<unsigned>(static_cast<unsigned char>(text[0])) << 8 | static_cast<unsigned char>(text[1]);
}

}  // namespace

UnigramTokenizer::UnigramTokenizer(TokenizerSpec given)
    : VocabularyTokenizer(std::move(given)), charsmap_(spec().unigram.charsmap, spec().where) {
  float lowest = std::numeric_limits<float>::max();
  byte_ids_.fill(-1);
  for (std::size_t id = 0; id < spec().tokens.size(); ++id) {
    const TokenSpec& token = spec().tokens[id];
    if (token.type == TokenType::kByte) byte_ids_[static_cast<unsigned char>(token.bytes[0])] = static_cast<int>(id);
    if (token.type != TokenType::kNormal || token.bytes.empty()) continue;
    require(
        token.score <= 0.0F && token.score > -1e30F,
        [&] {
          return "the score of token " + std::to_string(id) + " is " + std::to_string(token.score) +
                 ", expected a log-probability";
        },
        ErrorCode::kCorrupt, spec().where);
    lowest = std::min(lowest, token.score);
    if (token.bytes.size() == 1) {
      has_single_[static_cast<unsigned char>(token.bytes[0])] = true;
    } else {
      auto& longest = longest_[first_two(token.bytes)];
      longest = std::max(longest, static_cast<std::uint16_t>(token.bytes.size()));
    }
  }
  has_bytes_ = std::none_of(byte_ids_.begin(), byte_ids_.end(), [](int id) { return id < 0; });
  require(lowest < std::numeric_limits<float>::max(), "the unigram vocabulary has no token", ErrorCode::kCorrupt,
          spec().where);
  require(spec().unk_id >= 0, "the unigram vocabulary has no unknown token", ErrorCode::kCorrupt, spec().where);
  unknown_score_ = static_cast<double>(lowest) - kUnknownPenalty;
}

void UnigramTokenizer::append_unknown(std::string_view bytes, std::vector<int>& ids) const {
  if (!has_bytes_) return ids.push_back(spec().unk_id);
  for (const char c : bytes) ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
}

template <class Sum>
void UnigramTokenizer::encode_best_path(std::string_view text, std::vector<int>& ids) const {
  struct Node {
    Sum score = 0;
    std::size_t begin = 0;
    int id = -1;  // -1: nothing ends here yet.
  };
  std::vector<Node> nodes(text.size() + 1);
  const int unknown = spec().unk_id;
  const auto offer = [&](std::size_t begin, std::size_t end, int id, Sum score) {
    Node& node = nodes[end];
    if (node.id < 0 || score > node.score) node = {score, begin, id};
  };
  for (std::size_t at = 0; at < text.size();) {
    const Sum here = nodes[at].score;
    const std::string_view rest = text.substr(at);
    const auto char_bytes = static_cast<std::size_t>(next_utf8(text, at).length);
    bool is_known = false;
    std::uint64_t hash = TokenTable::kSeed;
    std::size_t longest = rest.size() > 1 ? longest_[first_two(rest)] : 0;
    if (longest == 0 && has_single_[static_cast<unsigned char>(rest[0])]) longest = 1;
    longest = std::min(longest, rest.size());
    for (std::size_t length = 1; length <= longest; ++length) {
      hash = TokenTable::extend(hash, rest[length - 1]);
      if (length < char_bytes || (length < rest.size() && (rest[length] & 0xC0) == 0x80)) continue;
      const int id = normal_ids_.find(rest.substr(0, length), hash);
      if (id < 0) continue;
      is_known = is_known || length == char_bytes;
      offer(at, at + length, id, here + static_cast<Sum>(spec().tokens[static_cast<std::size_t>(id)].score));
    }
    if (!is_known) offer(at, at + char_bytes, unknown, here + static_cast<Sum>(unknown_score_));
    at += char_bytes;
  }
  const std::size_t first = ids.size();
  std::vector<std::pair<std::size_t, std::size_t>> unknown_parts;
  for (std::size_t end = text.size(); end > 0;) {
    const Node& node = nodes[end];
    if (node.id != unknown) {
      ids.push_back(node.id);
    } else if (unknown_parts.empty() || unknown_parts.back().first != end) {
      unknown_parts.emplace_back(node.begin, end);
      ids.push_back(unknown);
    } else {
      unknown_parts.back().first = node.begin;  // One for a run.
    }
    end = node.begin;
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
  if (!has_bytes_ || unknown_parts.empty()) return;
  const std::vector<int> path(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
  ids.resize(first);
  for (const int id : path) {
    if (id != unknown) {
      ids.push_back(id);
      continue;
    }
    const auto [begin, end] = unknown_parts.back();
    unknown_parts.pop_back();
    append_unknown(text.substr(begin, end - begin), ids);
  }
}

void UnigramTokenizer::encode_part(std::string_view part, bool add_space, std::vector<int>& ids) const {
  if (part.empty()) return;
  // U+2581 and space are one symbol from here on.
  std::string with_space = bytes_of_sentencepiece(part);
  if (add_space && (spec().space_prefix == SpacePrefix::kEachText || with_space[0] != ' '))
    with_space.insert(0, 1, ' ');
  if (spec().unigram.as_hugging_face) {
    encode_best_path<double>(with_space, ids);
  } else {
    encode_best_path<float>(with_space, ids);
  }
}

std::string_view UnigramTokenizer::stripped(std::string_view text) const {
  const UnigramRules& rules = spec().unigram;
  const auto is_stripped = [&](char32_t c) {
    return c == ' ' || (rules.as_hugging_face && (char_class(c) & kSpace) != 0);
  };
  while (rules.strips_left && !text.empty()) {
    const Utf8Char c = next_utf8(text, 0);
    if (!is_stripped(c.code)) break;
    text.remove_prefix(static_cast<std::size_t>(c.length));
  }
  while (rules.strips_right && !text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
    const char32_t last = next_utf8(text, begin).code;
    // SentencePiece strips the end when spaces are marks already, and with them marks that the text had.
    if (!is_stripped(last) && (rules.as_hugging_face || last != 0x2581)) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

void UnigramTokenizer::encode_plain(std::string_view text, bool is_first, bool after_control,
                                    std::vector<int>& ids) const {
  const UnigramRules& rules = spec().unigram;
  const std::string mapped = charsmap_.apply(text, rules.as_hugging_face);
  std::string_view all = stripped(mapped);
  std::string joined;
  if (rules.joins_spaces) {
    for (const char c : all) {
      if (c != ' ' || joined.empty() || joined.back() != ' ') joined += c;
    }
    all = joined;
  }
  const SpacePrefix prefix = spec().space_prefix;
  bool add_space = prefix == SpacePrefix::kFirstText ? is_first : prefix != SpacePrefix::kNone;
  if (!rules.splits_words) {
    add_space = add_space && (after_control || prefix == SpacePrefix::kFirstText);
    return encode_part(all, add_space, ids);
  }
  std::size_t word = 0;
  for (std::size_t at = 0; at < all.size();) {
    const Utf8Char c = next_utf8(all, at);
    const std::size_t end = at + static_cast<std::size_t>(c.length);
    if ((char_class(c.code) & kSpace) != 0) {
      encode_part(all.substr(word, at - word), add_space, ids);
      word = end;
    }
    at = end;
  }
  encode_part(all.substr(word), add_space, ids);
}

}  // namespace onggi::text
