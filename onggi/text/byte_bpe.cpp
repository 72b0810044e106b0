#include "onggi/core/error.h"
#include "onggi/text/bpe_tokenizer.h"

namespace onggi::text {

ByteBpeTokenizer::ByteBpeTokenizer(TokenizerSpec given) : BpeTokenizer(std::move(given)) {
  byte_ids_.fill(-1);
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    byte_ids_[static_cast<std::size_t>(byte)] = normal_ids_.find(std::string_view(&c, 1));
  }
  for (int byte = 'a'; byte <= 'z'; ++byte) {
    require(
        byte_ids_[static_cast<std::size_t>(byte)] >= 0,
        [&] { return std::string("the byte-level vocabulary has no token for '") + static_cast<char>(byte) + "'"; },
        ErrorCode::kCorrupt, spec().where);
  }
  add_merges(merges_, [](std::string_view) { return -1; });
}

void ByteBpeTokenizer::encode_plain(std::string_view text, bool, bool, std::vector<int>& ids) const {
  std::string normal;
  if (spec().normalise_nfc) text = normal = to_nfc(text);
  std::vector<std::size_t> ends;
  spec().pre_tokenizer.split(text, ends);
  if (ends.empty()) ends.push_back(text.size());  // No pre-tokenizer.
  std::vector<int> symbols;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    const std::string_view piece = text.substr(begin, end - begin);
    begin = end;
    if (spec().ignore_merges) {
      if (const int id = normal_ids_.find(piece); id >= 0) {
        ids.push_back(id);
        continue;
      }
    }
    symbols.clear();
    for (const char c : piece) {
      // A byte without a token is dropped, as the reference does where the unknown token is none for text.
      if (const int id = byte_ids_[static_cast<unsigned char>(c)]; id >= 0) symbols.push_back(id);
    }
    merges_.merge(symbols);
    ids.insert(ids.end(), symbols.begin(), symbols.end());
  }
}

}  // namespace onggi::text
