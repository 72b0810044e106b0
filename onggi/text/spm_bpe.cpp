#include "onggi/core/error.h"
#include "onggi/text/bpe_tokenizer.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

constexpr char32_t kLow = 0x10000;
}  // namespace

SpmBpeTokenizer::SpmBpeTokenizer(TokenizerSpec given)
    : BpeTokenizer(std::move(given)), low_symbols_(kLow, -1), joins_space_(kLow, false) {
  byte_ids_.fill(-1);
  for (int id = vocab_size() - 1; id >= 0; --id) {
    const TokenSpec& token = spec().tokens[static_cast<std::size_t>(id)];
    if (token.type == TokenType::kByte) byte_ids_[static_cast<unsigned char>(token.bytes[0])] = id;
  }
  bool has_bytes = true;
  for (const int id : byte_ids_) has_bytes = has_bytes && id >= 0;
  require(has_bytes || spec().unk_id >= 0, "the vocabulary has neither 256 byte tokens nor an unknown token",
          ErrorCode::kCorrupt, spec().where);

  // Every character inside a token is a symbol, be it a token or not: neighbours join if the two together are a token.
  for (const TokenSpec& token : spec().tokens) {
    if (token.type != TokenType::kNormal) continue;
    const std::string_view bytes = token.bytes;
    for (std::size_t at = 0, previous = 0; at < bytes.size();) {
      const Utf8Char c = next_utf8(bytes, at);
      const auto length = static_cast<std::size_t>(c.length);
      if (c.valid && symbol_of(c.code) < 0) {
        int symbol = normal_ids_.find(bytes.substr(at, length));
        if (symbol < 0) {
          symbol = vocab_size() + static_cast<int>(extra_symbols_.size());
          extra_symbols_.emplace_back(bytes.substr(at, length));
        }
        if (c.code < kLow) {
          low_symbols_[c.code] = symbol;
        } else {
          high_symbols_[c.code] = symbol;
        }
      }
      if (at > 0 && c.code == ' ') {
        const char32_t before = next_utf8(bytes, previous).code;
        if (before >= kLow) high_joins_space_ = true;
        if (before < kLow && before != ' ') joins_space_[before] = true;
      }
      previous = at;
      at += length;
    }
  }

  add_merges(merges_, [&](std::string_view part) {
    const Utf8Char c = next_utf8(part, 0);
    return c.valid && static_cast<std::size_t>(c.length) == part.size() ? symbol_of(c.code) : -1;
  });
}

int SpmBpeTokenizer::symbol_of(char32_t code) const {
  if (code < kLow) return low_symbols_[code];
  const auto it = high_symbols_.find(code);
  return it == high_symbols_.end() ? -1 : it->second;
}

void SpmBpeTokenizer::append_bytes(std::string_view bytes, std::vector<int>& ids) const {
  for (const char c : bytes) {
    const int id = byte_ids_[static_cast<unsigned char>(c)];
    if (id >= 0) {
      ids.push_back(id);
    } else if (ids.empty() || ids.back() != spec().unk_id) {
      ids.push_back(spec().unk_id);  // One for a run, as in SentencePiece.
    }
  }
}

void SpmBpeTokenizer::flush(std::vector<int>& symbols, std::vector<int>& ids) const {
  merges_.merge(symbols);
  for (const int symbol : symbols) {
    if (symbol < vocab_size()) {
      ids.push_back(symbol);
    } else {
      append_bytes(extra_symbols_[static_cast<std::size_t>(symbol - vocab_size())], ids);
    }
  }
  symbols.clear();
}

void SpmBpeTokenizer::encode_plain(std::string_view text, bool is_first, bool after_control,
                                   std::vector<int>& ids) const {
  std::string normal;
  if (spec().normalise_nfc) text = normal = to_nfc(text);
  const SpacePrefix prefix = spec().space_prefix;
  bool add_space = prefix == SpacePrefix::kFirstText ? is_first : prefix != SpacePrefix::kNone && after_control;
  if (prefix != SpacePrefix::kEachText && text[0] == ' ') add_space = false;

  // Merges are found chunk by chunk. A chunk ends where nothing can join across: before a space that no token has after
  // this character, and around characters that are in no token. The result is that of one merge over the whole text.
  std::vector<int> symbols;
  char32_t previous = ' ';
  const auto add = [&](char32_t code, std::string_view bytes) {
    if (code == ' ' && previous != ' ' && !(previous < kLow ? joins_space_[previous] : high_joins_space_)) {
      flush(symbols, ids);
    }
    previous = code;
    if (const int symbol = symbol_of(code); symbol >= 0) return symbols.push_back(symbol);
    flush(symbols, ids);
    append_bytes(bytes, ids);
  };
  if (add_space) add(' ', " ");
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = next_utf8(text, at);
    const std::string_view bytes = text.substr(at, static_cast<std::size_t>(c.length));
    at += bytes.size();
    if (c.valid) {
      add(c.code, bytes);
    } else {
      flush(symbols, ids);
      append_bytes(bytes, ids);
    }
  }
  flush(symbols, ids);
}

}  // namespace onggi::text
