#include "onggi/text/bpe_tokenizer.h"

#include <bit>

namespace onggi::text {
namespace {

/// Floats as integers in the same order, then upside down: the highest score has the lowest rank.
std::uint32_t rank_of_score(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);  // No negative zero.
  return (bits >> 31) != 0 ? bits : ~(bits | 0x80000000u);
}

}  // namespace

void BpeTokenizer::add_merges(MergeTable& merges, const std::function<int(std::string_view)>& symbol_of_char) const {
  if (spec().merge_order == TokenizerSpec::MergeOrder::kByList) {
    for (std::size_t rank = 0; rank < spec().merges.size(); ++rank) {
      const MergeSpec& merge = spec().merges[rank];
      merges.add(merge.left, merge.right, static_cast<std::uint32_t>(rank), merge.merged);
    }
    return;
  }
  const bool by_char = spec().kind == TokenizerSpec::Kind::kSpmBpe;
  const auto is_border = [&](std::string_view bytes, std::size_t cut) {
    return !by_char || (static_cast<unsigned char>(bytes[cut]) & 0xC0) != 0x80;
  };
  const auto symbol = [&](std::string_view part, std::uint64_t hash) {
    const int id = normal_ids_.find(part, hash);
    return id >= 0 ? id : symbol_of_char(part);
  };
  merges.reserve(spec().tokens.size() * 3);
  for (int id = 0; id < vocab_size(); ++id) {
    const TokenSpec& token = spec().tokens[static_cast<std::size_t>(id)];
    const std::string_view bytes = token.bytes;
    // Bytes that are a token twice belong to the first.
    if (token.type != TokenType::kNormal || bytes.size() < 2 || normal_ids_.find(bytes) != id) continue;
    const std::uint32_t rank = spec().merge_order == TokenizerSpec::MergeOrder::kByScore
                                   ? rank_of_score(token.score)
                                   : static_cast<std::uint32_t>(id);
    std::uint64_t left_hash = TokenTable::kSeed;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      left_hash = TokenTable::extend(left_hash, bytes[cut - 1]);
      if (!is_border(bytes, cut)) continue;
      const int left = symbol(bytes.substr(0, cut), left_hash);
      if (left < 0) continue;
      const std::string_view rest = bytes.substr(cut);
      const int right = symbol(rest, TokenTable::hash_of(rest));
      if (right >= 0) merges.add(left, right, rank, id);
    }
  }
}

}  // namespace onggi::text
