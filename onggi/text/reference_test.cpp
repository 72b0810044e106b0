// Ids equal to the reference on every line of ../shared, with real vocabularies.
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/text/tokenizer.h"
#include "onggi/text/tokenizer_spec.h"
#include "onggi/text/utf8.h"
#include "tests/support/shared.h"

namespace onggi::text {
namespace {

namespace fs = std::filesystem;

fs::path data(const std::string& name) { return testing::shared_folder() / "data/tokenizers" / name; }
fs::path model(const std::string& name) { return onggi_home() / "models" / name; }

std::vector<int> ids_of(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int> ids;
  tokenizer.encode(text, ids);
  return ids;
}

std::string gunzip(const fs::path& path) {
  const std::string command = "gzip -dc '" + path.string() + "'";
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[65536];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  EXPECT_EQ(::pclose(pipe), 0);
  return out;
}

/// A tokenizer from bytes, by way of a temporary file.
std::unique_ptr<Tokenizer> open_bytes(std::string_view bytes) {
  const fs::path path = fs::temp_directory_path() / ("onggi_tokenizer_" + std::to_string(::getpid()));
  write_file_atomic(path, bytes);
  auto tokenizer = open_tokenizer(path);
  fs::remove(path);
  return tokenizer;
}

void check_tokens_jsonl(const Tokenizer& tokenizer, const fs::path& path) {
  std::ifstream file(path);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const Json row = parse_json(line, path.string());
    const auto text = row["text"].get<std::string>();
    const auto expected = row["ids"].get<std::vector<int>>();
    std::vector<int> ids;
    tokenizer.encode_with_control(text, ids);
    EXPECT_EQ(ids, expected) << "line " << lines + 1 << ": " << text;
    // The reference decodes U+2581 as a space, as it must: the two are one symbol.
    EXPECT_EQ(tokenizer.decode(ids, true), row["decoded"].get<std::string>());
    for (const int id : ids_of(tokenizer, text)) EXPECT_FALSE(tokenizer.is_control(id)) << text;
  }
  EXPECT_EQ(lines, 284);
}

void check_inp_out(const Tokenizer& tokenizer, const std::string& name) {
  const std::string all = read_file(data(name + ".inp"));
  std::ifstream out(data(name + ".out"));
  const std::string separator = "\n__ggml_vocab_test__\n";
  int tests = 0;
  for (std::size_t at = 0;; ++tests) {
    const std::size_t end = all.find(separator, at);
    std::string text = all.substr(at, end == std::string::npos ? end : end - at);
    std::string line;
    if (!std::getline(out, line)) break;
    std::vector<int> expected;
    for (std::size_t p = 0; p < line.size();) {
      std::size_t used = 0;
      if (line[p] == ' ') {
        ++p;
        continue;
      }
      expected.push_back(std::stoi(line.substr(p), &used));
      p += used;
    }
    EXPECT_EQ(ids_of(tokenizer, text), expected) << name << " test " << tests << ": [" << text << "]";
    EXPECT_EQ(tokenizer.decode(expected), text);
    ASSERT_NE(end, std::string::npos);
    at = end + separator.size();
  }
  EXPECT_EQ(tests, 46) << name;
}

void check_korean_vectors(const Tokenizer& tokenizer, const char* key) {
  std::ifstream file(data("korean_vectors.jsonl"));
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const Json row = parse_json(line, "korean_vectors.jsonl");
    const auto text = row["text"].get<std::string>();
    EXPECT_EQ(ids_of(tokenizer, text), row[key].get<std::vector<int>>()) << text;
    EXPECT_EQ(tokenizer.decode(ids_of(tokenizer, text)), text);
  }
  EXPECT_EQ(lines, 52);
}

#define ONGGI_NEED_MODEL(name) \
  if (!fs::exists(model(name))) GTEST_SKIP() << "needs " << model(name).string() << ", which is not here"

TEST(TokenizerReference, Gemma3IdsAreThoseOfTheFixture) {
  ONGGI_NEED_SHARED("fixtures/gemma-3-270m/tokens.jsonl");
  ONGGI_NEED_MODEL("gemma-3-270m-q4_k_m.gguf");
  const auto tokenizer = open_tokenizer(model("gemma-3-270m-q4_k_m.gguf"));
  check_tokens_jsonl(*tokenizer, testing::shared_folder() / "fixtures/gemma-3-270m/tokens.jsonl");
  EXPECT_EQ(tokenizer->kind(), "spm-bpe");
  EXPECT_EQ(tokenizer->bos_id(), 2);
  EXPECT_EQ(tokenizer->eos_id(), 1);
  EXPECT_TRUE(tokenizer->adds_bos());
  EXPECT_EQ(tokenizer->id_of("<end_of_turn>"), 106);
  EXPECT_EQ(tokenizer->id_of("\n"), 107);
  EXPECT_EQ(std::vector<int>(tokenizer->stop_ids().begin(), tokenizer->stop_ids().end()), (std::vector<int>{1, 106}));
  EXPECT_TRUE(tokenizer->is_control(tokenizer->id_of("<start_of_image>")));
  // The same text as one literal read; nothing of it is a control token.
  for (const int id : ids_of(*tokenizer, "<bos><start_of_turn>user<start_of_image>[multimodal]<unused5>")) {
    EXPECT_FALSE(tokenizer->is_control(id));
  }
}

TEST(TokenizerReference, SmolLm2IdsAreThoseOfTheFixture) {
  ONGGI_NEED_SHARED("fixtures/smollm2-135m-instruct/tokens.jsonl");
  ONGGI_NEED_MODEL("SmolLM2-135M-Instruct.Q4_1.gguf");
  const auto tokenizer = open_tokenizer(model("SmolLM2-135M-Instruct.Q4_1.gguf"));
  check_tokens_jsonl(*tokenizer, testing::shared_folder() / "fixtures/smollm2-135m-instruct/tokens.jsonl");
  EXPECT_EQ(tokenizer->kind(), "byte-bpe");
  EXPECT_FALSE(tokenizer->adds_bos());
  EXPECT_EQ(std::vector<int>(tokenizer->stop_ids().begin(), tokenizer->stop_ids().end()), (std::vector<int>{2, 0}));
  EXPECT_NE(tokenizer->chat_template().find("SmolLM"), std::string::npos);
}

TEST(TokenizerReference, VocabularyOnlyGgufFiles) {
  ONGGI_NEED_SHARED("data/tokenizers");
  for (const char* name : {"ggml-vocab-llama-spm.gguf", "ggml-vocab-phi-3.gguf", "ggml-vocab-gpt-2.gguf"}) {
    check_inp_out(*open_tokenizer(data(name)), name);
  }
}

TEST(TokenizerReference, TiktokenOfQwen) {
  ONGGI_NEED_SHARED("data/tokenizers");
  const auto tokenizer = open_bytes(gunzip(data("qwen.tiktoken.gz")));
  check_inp_out(*tokenizer, "ggml-vocab-qwen2.gguf");
  check_korean_vectors(*tokenizer, "qwen");
  EXPECT_EQ(tokenizer->id_of("<|im_end|>"), 151645);
}

TEST(TokenizerReference, SentencePieceModelOfLlama2) {
  ONGGI_NEED_SHARED("data/tokenizers");
  const auto tokenizer = open_tokenizer(data("llama2.spm.model"));
  check_korean_vectors(*tokenizer, "llama2_spm");
  EXPECT_EQ(tokenizer->bos_id(), 1);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  // A whole book: both readers of the same vocabulary agree, and it comes back.
  const auto gguf = open_tokenizer(data("ggml-vocab-llama-spm.gguf"));
  const std::string book = gunzip(data("botchan.txt.gz"));
  const auto ids = ids_of(*tokenizer, book);
  EXPECT_EQ(ids, ids_of(*gguf, book));
  EXPECT_EQ(tokenizer->decode(ids), book);
}

/// SentencePiece BPE as it is defined: over the whole text, no chunks, one scan for each merge.
std::vector<int> plain_spm(const TokenizerSpec& spec, std::string_view text) {
  std::map<std::string, int, std::less<>> by_text;
  std::vector<int> byte_ids(256);
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    const TokenSpec& token = spec.tokens[id];
    if (token.type == TokenType::kNormal) by_text.try_emplace(token.bytes, static_cast<int>(id));
    if (token.type == TokenType::kByte) byte_ids[static_cast<unsigned char>(token.bytes[0])] = static_cast<int>(id);
  }
  std::vector<std::string> symbols;
  if (spec.space_prefix != SpacePrefix::kNone) symbols.emplace_back(" ");
  for (std::size_t at = 0; at < text.size();) {
    const auto length = static_cast<std::size_t>(next_utf8(text, at).length);
    symbols.emplace_back(text.substr(at, length));
    at += length;
  }
  for (;;) {
    std::size_t best = symbols.size();
    float best_score = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto it = by_text.find(symbols[i] + symbols[i + 1]);
      if (it == by_text.end()) continue;
      const float score = spec.tokens[static_cast<std::size_t>(it->second)].score;
      if (best == symbols.size() || score > best_score) {
        best = i;
        best_score = score;
      }
    }
    if (best == symbols.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<int> ids;
  for (const std::string& symbol : symbols) {
    if (const auto it = by_text.find(symbol); it != by_text.end()) {
      ids.push_back(it->second);
    } else {
      for (const char c : symbol) ids.push_back(byte_ids[static_cast<unsigned char>(c)]);
    }
  }
  return ids;
}

TEST(TokenizerReference, ChunksGiveWhatTheWholeTextGives) {
  ONGGI_NEED_SHARED("data/tokenizers");
  const fs::path path = data("llama2.spm.model");
  const TokenizerSpec spec = read_sentencepiece_model(read_file(path), path.string());
  const auto tokenizer = open_tokenizer(path);
  const std::string book = gunzip(data("botchan.txt.gz"));
  std::vector<std::string> texts{std::string(90, 'a') + " " + std::string(70, 'x'), "  a   b    c ", "\n\n \t a\xFF b"};
  for (std::size_t at = 0; at < book.size() && texts.size() < 20; at += 14001) texts.push_back(book.substr(at, 120));
  for (const std::string& text : texts) EXPECT_EQ(ids_of(*tokenizer, text), plain_spm(spec, text)) << text;
}

}  // namespace
}  // namespace onggi::text
