#include "onggi/text/bpe_tokenizer.h"
#include "onggi/text/unigram.h"
#include "onggi/text/wordpiece.h"

namespace onggi::text {

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerSpec spec) {
  switch (spec.kind) {
    case TokenizerSpec::Kind::kSpmBpe: return std::make_unique<SpmBpeTokenizer>(std::move(spec));
    case TokenizerSpec::Kind::kWordPiece: return std::make_unique<WordPieceTokenizer>(std::move(spec));
    case TokenizerSpec::Kind::kUnigram: return std::make_unique<UnigramTokenizer>(std::move(spec));
    default: return std::make_unique<ByteBpeTokenizer>(std::move(spec));
  }
}

}  // namespace onggi::text
