#pragma once

#include <string>
#include <vector>

#include "onggi/text/tokenizer.h"

namespace onggi::server {

/// A text's ids, nothing of it read as a control token; `with_bos`: after the beginning token, where the model has one.
inline std::vector<int> text_ids(const text::Tokenizer& tokenizer, const std::string& text, bool with_bos) {
  std::vector<int> ids;
  if (with_bos && tokenizer.adds_bos()) ids.push_back(tokenizer.bos_id());
  tokenizer.encode(text, ids);
  return ids;
}

}  // namespace onggi::server
