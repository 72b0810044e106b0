#include "onggi/core/error.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {

void mark_bert_tokens(TokenizerSpec& spec) {
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    TokenSpec& token = spec.tokens[id];
    int* known = token.bytes == "[CLS]"   ? &spec.bos_id
                 : token.bytes == "[SEP]" ? &spec.eos_id
                 : token.bytes == "[PAD]" ? &spec.pad_id
                 : token.bytes == "[UNK]" ? &spec.unk_id
                                          : nullptr;
    if (known == nullptr && token.bytes != "[MASK]") continue;
    token.type = TokenType::kControl;
    if (known != nullptr && *known < 0) *known = static_cast<int>(id);
  }
  spec.adds_bos = spec.bos_id >= 0;
}

TokenizerSpec read_word_list(std::string_view text, const std::string& where) {
  TokenizerSpec spec;
  spec.kind = TokenizerSpec::Kind::kWordPiece;
  spec.where = where;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    spec.tokens.push_back({std::string(line), line.empty() ? TokenType::kUnused : TokenType::kNormal});
    at = end + 1;
  }
  mark_bert_tokens(spec);
  require(spec.unk_id >= 0, "not a list of WordPiece tokens: there is no line [UNK]", ErrorCode::kCorrupt, where);
  return spec;
}

}  // namespace onggi::text
