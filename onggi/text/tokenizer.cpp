#include "onggi/text/tokenizer.h"

#include <utility>

#include "onggi/text/utf8.h"

namespace onggi::text {

void Tokenizer::encode_spans(std::span<const TextSpan> spans, std::vector<int>& ids) const {
  for (const TextSpan& span : spans) {
    if (span.is_content) {
      encode(span.text, ids);
    } else {
      encode_with_control(span.text, ids);
    }
  }
}

std::string Tokenizer::decode(std::span<const int> ids, bool keep_control) const {
  std::string out;
  for (const int id : ids) {
    if (keep_control || !is_control(id)) out += token_bytes(id);
  }
  if (adds_space_prefix() && !out.empty() && out[0] == ' ') out.erase(0, 1);
  return out;
}

std::string StreamDecoder::push(int id) {
  if (tokenizer_.is_control(id)) return {};
  std::string_view bytes = tokenizer_.token_bytes(id);
  if (bytes.empty()) return {};
  if (std::exchange(at_start_, false) && tokenizer_.adds_space_prefix() && bytes[0] == ' ') bytes.remove_prefix(1);
  pending_ += bytes;
  std::string whole = std::exchange(pending_, {});
  const std::size_t cut = incomplete_utf8_suffix(whole);
  pending_ = whole.substr(whole.size() - cut);
  whole.resize(whole.size() - cut);
  return repair_utf8(whole);
}

std::string StreamDecoder::finish() { return std::exchange(pending_, {}).empty() ? std::string() : "\xEF\xBF\xBD"; }

}  // namespace onggi::text
