// Text of tokens as files spell them.
#include <array>

#include "onggi/text/tokenizer_spec.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

/// GPT-2's table: printable Latin-1 bytes stand for themselves, the others for U+0100 and up, in order.
std::array<int, 324> byte_of_letter() {
  std::array<int, 324> bytes;
  bytes.fill(-1);
  int next = 0x100;
  for (int b = 0; b < 256; ++b) {
    const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    bytes[static_cast<std::size_t>(printable ? b : next++)] = b;
  }
  return bytes;
}

}  // namespace

std::string bytes_of_byte_level(std::string_view piece) {
  static const std::array<int, 324> table = byte_of_letter();
  std::string out;
  for (std::size_t at = 0; at < piece.size();) {
    const Utf8Char c = next_utf8(piece, at);
    at += static_cast<std::size_t>(c.length);
    if (!c.valid || c.code >= table.size() || table[c.code] < 0) return std::string(piece);
    out.push_back(static_cast<char>(table[c.code]));
  }
  return out;
}

std::string bytes_of_sentencepiece(std::string_view piece) {
  constexpr std::string_view kMark = "\xE2\x96\x81";
  std::string out;
  for (std::size_t at = 0; at < piece.size();) {
    if (piece.substr(at, kMark.size()) == kMark) {
      out.push_back(' ');
      at += kMark.size();
    } else {
      out.push_back(piece[at++]);
    }
  }
  return out;
}

int byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || piece.substr(0, 3) != "<0x" || piece[5] != '>') return -1;
  int byte = 0;
  for (const char c : piece.substr(3, 2)) {
    const auto digit = std::string_view("0123456789ABCDEFabcdef").find(c);
    if (digit == std::string_view::npos) return -1;
    byte = byte * 16 + static_cast<int>(digit < 16 ? digit : digit - 6);
  }
  return byte;
}

std::string piece_of_byte(char byte) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const auto b = static_cast<unsigned char>(byte);
  return {'<', '0', 'x', kHex[b >> 4], kHex[b & 15], '>'};
}

bool decode_base64(std::string_view text, std::string& out) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out.clear();
  if (text.empty() || text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_padding = i >= text.size() - padding;
    const std::size_t value = is_padding ? 0 : kLetters.find(text[i]);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 == 3) {
      for (const int shift : {16, 8, 0}) out.push_back(static_cast<char>(bits >> shift & 0xFF));
      bits = 0;
    }
  }
  out.resize(out.size() - padding);
  return true;
}

void mark_markup(TokenizerSpec& spec) {
  for (TokenSpec& token : spec.tokens) {
    if (token.type == TokenType::kUserDefined && token.bytes.size() > 2 && token.bytes.front() == '<' &&
        token.bytes.back() == '>') {
      token.type = TokenType::kMarkup;
    }
  }
}

}  // namespace onggi::text
