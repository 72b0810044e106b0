#pragma once

#include <memory>

#include "onggi/decode/guide.h"
#include "onggi/decode/pushdown.h"

namespace onggi::decode {

/// Guide of a context-free language. Masks are exact. Throws kInvalidArgument if the tokenizer has no end token.
std::shared_ptr<const Guide> pushdown_guide(std::unique_ptr<Grammar> grammar,
                                            const std::shared_ptr<const text::Tokenizer>& tokenizer);

}  // namespace onggi::decode
