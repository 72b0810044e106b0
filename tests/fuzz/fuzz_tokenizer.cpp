// Tokenizer files: any bytes give a tokenizer or one Error, and a tokenizer takes any text and gives ids it knows.

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/formats/gguf.h"
#include "onggi/text/tokenizer_spec.h"

namespace {

onggi::text::TokenizerSpec read(std::uint8_t kind, std::string_view bytes) {
  namespace text = onggi::text;
  switch (kind % 5) {
    case 0: return text::read_sentencepiece_model(bytes, "fuzz");
    case 1: return text::read_tokenizer_json(bytes, "fuzz");
    case 2: return text::read_tiktoken(bytes, "fuzz");
    case 3: return text::read_word_list(bytes, "fuzz");
    default: {
      const auto checkpoint = onggi::formats::parse_gguf(std::as_bytes(std::span(bytes)), "fuzz");
      return text::read_gguf_tokenizer(*checkpoint);
    }
  }
}

}  // namespace

// The first byte chooses the reader, the second how many of the rest are text to encode.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(bytes + 2), size - 2);
  const std::string_view sample = rest.substr(0, bytes[1]);
  try {
    const auto tokenizer = onggi::text::make_tokenizer(read(bytes[0], rest.substr(sample.size())));
    std::vector<int> ids;
    tokenizer->encode_with_control(sample, ids);
    ids.clear();
    tokenizer->encode(sample, ids);
    for (const int id : ids) {
      if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    }
    onggi::text::StreamDecoder stream(*tokenizer);
    for (const int id : ids) stream.push(id);
    stream.finish();
  } catch (const onggi::Error& e) {
    if (e.code() == onggi::ErrorCode::kInternal) std::abort();
  }
  return 0;
}
