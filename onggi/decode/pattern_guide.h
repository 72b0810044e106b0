#pragma once

#include <memory>

#include "onggi/decode/guide.h"
#include "onggi/decode/pattern.h"
#include "onggi/text/tokenizer.h"

namespace onggi::decode {

/// The guide of a pattern. Throws kInvalidArgument if no row could be answered, or the tokenizer has no end token;
/// kExhausted for a pattern that is too large.
std::shared_ptr<const Guide> pattern_guide(const Pattern& pattern, std::shared_ptr<const text::Tokenizer> tokenizer);

}  // namespace onggi::decode
