#pragma once

#include <memory>

#include "onggi/decode/guide.h"
#include "onggi/text/tokenizer.h"

namespace onggi::decode {

/// The same language, of which a text may end with any of the tokenizer's stop ids where it may end at all, as free
/// text does: chat models end a turn with another token than a document.
std::shared_ptr<const Guide> with_all_ends(std::shared_ptr<const Guide> guide, const text::Tokenizer& tokenizer);

}  // namespace onggi::decode
