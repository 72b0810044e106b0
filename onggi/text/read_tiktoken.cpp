#include <array>
#include <charconv>

#include "onggi/core/error.h"
#include "onggi/text/tokenizer_spec.h"

namespace onggi::text {
namespace {

constexpr std::size_t kQwenTokens = 151643;
constexpr std::size_t kLlama3Tokens = 128000;

void add_control(TokenizerSpec& spec, std::string spelling) {
  spec.tokens.push_back({std::move(spelling), TokenType::kControl, 0});
}

/// The 256 control tokens of Llama 3.1 and later; their file holds only the others.
void add_llama3_control(TokenizerSpec& spec) {
  const std::array<const char*, 11> named = {"<|begin_of_text|>",
                                             "<|end_of_text|>",
                                             "<|reserved_special_token_0|>",
                                             "<|reserved_special_token_1|>",
                                             "<|finetune_right_pad_id|>",
                                             "<|reserved_special_token_2|>",
                                             "<|start_header_id|>",
                                             "<|end_header_id|>",
                                             "<|eom_id|>",
                                             "<|eot_id|>",
                                             "<|python_tag|>"};
  for (const char* name : named) add_control(spec, name);
  for (int i = 3; i < 248; ++i) add_control(spec, "<|reserved_special_token_" + std::to_string(i) + "|>");
}

}  // namespace

TokenizerSpec read_tiktoken(std::string_view text, const std::string& where) {
  TokenizerSpec spec;
  spec.where = where;
  spec.kind = TokenizerSpec::Kind::kByteBpe;
  spec.merge_order = TokenizerSpec::MergeOrder::kById;
  std::string bytes;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t space = line.find(' ');
    std::size_t rank = 0;
    bool ok = space != std::string_view::npos && decode_base64(line.substr(0, space), bytes);
    if (ok) {
      const auto [last, error] = std::from_chars(line.data() + space + 1, line.data() + line.size(), rank);
      ok = error == std::errc() && last == line.data() + line.size();
    }
    require(
        ok && rank == spec.tokens.size(),
        [&] {
          return "line " + std::to_string(line_number) + " should be a token in base64, a space and the rank " +
                 std::to_string(spec.tokens.size());
        },
        ErrorCode::kCorrupt, where);
    spec.tokens.push_back({bytes, TokenType::kNormal, 0});
  }
  // The file names neither its pattern nor its control tokens; the number of lines tells whose it is.
  const std::size_t n = spec.tokens.size();
  require(
      n == kQwenTokens || n == kLlama3Tokens,
      [&] {
        return "a tiktoken file of " + std::to_string(n) + " tokens is not known; expected " +
               std::to_string(kQwenTokens) + " (Qwen) or " + std::to_string(kLlama3Tokens) + " (Llama 3)";
      },
      ErrorCode::kInvalidArgument, where);
  spec.ignore_merges = true;  // A piece that is a token is taken whole in tiktoken.
  if (n == kQwenTokens) {
    spec.pre_tokenizer = PreTokenizer::by_name("qwen2");
    for (const char* name : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) add_control(spec, name);
    spec.eos_id = spec.pad_id = static_cast<int>(kQwenTokens);
  } else {
    spec.pre_tokenizer = PreTokenizer::by_name("llama-bpe");
    add_llama3_control(spec);
    spec.bos_id = static_cast<int>(kLlama3Tokens);
    spec.eos_id = spec.bos_id + 1;
    spec.adds_bos = true;
  }
  return spec;
}

}  // namespace onggi::text
