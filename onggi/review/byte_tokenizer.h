#pragma once

#include <memory>

#include "onggi/text/tokenizer.h"

namespace onggi::review {

/// One token a byte (its id is the byte) and an end token: with it a guide judges texts where there is no model.
std::shared_ptr<const text::Tokenizer> byte_tokenizer();

}  // namespace onggi::review
