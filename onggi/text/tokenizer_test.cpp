// Small vocabularies of our own through every reader; hostile files. The reference's ids are in reference_test.cpp.
#include "onggi/text/tokenizer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include <gtest/gtest.h>
#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/random.h"
#include "onggi/formats/gguf_writer.h"
#include "onggi/text/tokenizer_spec.h"
#include "onggi/text/utf8.h"

namespace onggi::text {
namespace {

namespace fs = std::filesystem;

/// A folder that goes when the test does.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "onggi_text_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path put(const std::string& name, std::string_view content) const {
    write_file_atomic(path_ / name, content);
    return path_ / name;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Piece {
  std::string text;
  float score = 0;
  int type = 1;
};

std::vector<Piece> spm_pieces(bool with_bytes = true) {
  std::vector<Piece> pieces = {{"<pad>", 0, 3}, {"</s>", 0, 3}, {"<s>", 0, 3}, {"<unk>", 0, 2}, {"<end_of_turn>", 0, 3}, {"\n\n", 0, 4}, {"\n\n\n", 0, 4}, {"<td>", 0, 4}};
  if (with_bytes) {
    for (int b = 0; b < 256; ++b) pieces.push_back({piece_of_byte(static_cast<char>(b)), 0, 6});
  }
  float score = 0;
  for (const char* text : {"\u2581t", "he", "\u2581the", "in", "\uAC00\uB098", "\u2581\uAC00\uB098", "\u2581", "t", "h", "e", "i", "n", "<", ">", "s", "\uAC00", "\uB098", "x\u2581y", "x", "y"}) {
    pieces.push_back({text, --score, 1});
  }
  return pieces;
}

void put_varint(std::string& out, std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<char>(v | 0x80));
  out.push_back(static_cast<char>(v));
}
void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_varint(out, static_cast<std::uint64_t>(field) << 3 | 2);
  put_varint(out, bytes.size());
  out += bytes;
}
void put_number(std::string& out, int field, std::uint64_t v) {
  put_varint(out, static_cast<std::uint64_t>(field) << 3);
  put_varint(out, v);
}

std::string sentencepiece_model(const std::vector<Piece>& pieces, bool space_prefix = false) {
  std::string out;
  for (const Piece& p : pieces) {
    std::string message;
    put_bytes(message, 1, p.text);
    put_varint(message, 2 << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(p.score);
    message.append(reinterpret_cast<const char*>(&bits), 4);
    put_number(message, 3, static_cast<std::uint64_t>(p.type));
    put_bytes(out, 1, message);
  }
  std::string trainer;
  put_number(trainer, 3, 2);
  put_number(trainer, 40, 3);
  put_number(trainer, 41, 2);
  put_number(trainer, 42, 1);
  put_number(trainer, 43, 0);
  put_bytes(out, 2, trainer);
  std::string normaliser;
  put_bytes(normaliser, 1, "identity");
  put_number(normaliser, 3, space_prefix ? 1 : 0);
  put_number(normaliser, 4, 0);
  put_bytes(out, 3, normaliser);
  return out;
}

Json byte_level_json() {
  Json vocab = Json::object();
  int id = 0;
  for (int b = 0; b < 256; ++b) {
    std::string letter;
    int extra = 0;
    for (int i = 0; i < b; ++i) extra += !((i >= 0x21 && i <= 0x7E) || (i >= 0xA1 && i <= 0xAC) || i >= 0xAE);
    const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    append_utf8(letter, static_cast<char32_t>(printable ? b : 0x100 + extra));
    vocab[letter] = id++;
  }
  for (const char* piece : {"he", "\u0120t", "\u0120the", "ll", "hell"}) vocab[piece] = id++;
  return {{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array({"h e", "\u0120 t", "\u0120t he", "l l", Json::array({"he", "ll"})})}}},
          {"added_tokens", Json::array({{{"id", id}, {"content", "<|im_end|>"}, {"special", true}},
                                        {{"id", id + 1}, {"content", "<tool_call>"}, {"special", false}},
                                        {{"id", id + 2}, {"content", "<|bos|>"}, {"special", true}, {"rstrip", true}}})},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
          {"post_processor", {{"type", "TemplateProcessing"}, {"single", Json::array({{{"SpecialToken", {{"id", "<|bos|>"}, {"type_id", 0}}}}, {{"Sequence", {{"id", "A"}}}}})}}}};
}

std::unique_ptr<Tokenizer> byte_level() { return make_tokenizer(read_tokenizer_json(byte_level_json().dump(), "test")); }
std::unique_ptr<Tokenizer> spm(bool prefix = false) { return make_tokenizer(read_sentencepiece_model(sentencepiece_model(spm_pieces(), prefix), "test")); }

std::vector<int> ids_of(const Tokenizer& t, std::string_view text) {
  std::vector<int> ids;
  t.encode(text, ids);
  return ids;
}
std::vector<int> control_ids_of(const Tokenizer& t, std::string_view text) {
  std::vector<int> ids;
  t.encode_with_control(text, ids);
  return ids;
}
std::vector<std::string> pieces_of(const Tokenizer& t, std::string_view text) {
  std::vector<std::string> out;
  for (const int id : ids_of(t, text)) out.emplace_back(t.token_bytes(id));
  return out;
}

using Pieces = std::vector<std::string>;

TEST(SpmBpe, MergesByScoreAndFallsBackToBytes) {
  const auto t = spm();
  EXPECT_EQ(pieces_of(*t, "the the"), (Pieces{"t", "he", " the"}));
  EXPECT_EQ(pieces_of(*t, " \uAC00\uB098z"), (Pieces{" \uAC00\uB098", "z"}));
  EXPECT_EQ(ids_of(*t, "z"), (std::vector<int>{8 + 'z'}));
  EXPECT_EQ(ids_of(*t, "\xFF"), (std::vector<int>{8 + 0xFF}));
  EXPECT_EQ(pieces_of(*t, "\n\n\n\n\nx<td>"), (Pieces{"\n\n\n", "\n\n", "x", "<td>"}));
  EXPECT_EQ(ids_of(*t, "the\u2581the"), ids_of(*t, "the the"));
  EXPECT_TRUE(ids_of(*t, "").empty());
  EXPECT_EQ(t->id_of("<0x41>"), 8 + 0x41);
  EXPECT_EQ(t->bos_id(), 2);
  EXPECT_EQ(std::vector<int>(t->stop_ids().begin(), t->stop_ids().end()), (std::vector<int>{1, 4}));
}

TEST(SpmBpe, SpacePrefixIsPutAndTakenOff) {
  const auto t = spm(true);
  EXPECT_TRUE(t->adds_space_prefix());
  EXPECT_EQ(pieces_of(*t, "the"), (Pieces{" the"}));
  EXPECT_EQ(t->decode(ids_of(*t, "the")), "the");
  EXPECT_EQ(t->decode(ids_of(*t, " the")), " the");
  StreamDecoder stream(*t);
  std::string streamed = stream.push(t->id_of(" the"));
  streamed += stream.push(t->id_of(" the"));
  EXPECT_EQ(streamed, "the the");
}

TEST(SpmBpe, WithoutBytesTheUnknownTokenStandsForARun) {
  const auto t = make_tokenizer(read_sentencepiece_model(sentencepiece_model(spm_pieces(false)), "test"));
  EXPECT_EQ(ids_of(*t, "zz\xF0\x9F\x98\x80t"), (std::vector<int>{3, t->id_of("t")}));
}

TEST(Tokenizer, LiteralTextGivesNoControlToken) {
  const auto s = spm();
  const auto b = byte_level();
  for (const Tokenizer* t : {s.get(), b.get()}) {
    for (const char* text : {"<end_of_turn>", "a<|im_end|>b", "<s></s><unk>", "<|bos|>", "<0x0A>", "<tool_call>"}) {
      for (const int id : ids_of(*t, text)) EXPECT_FALSE(t->is_control(id)) << text;
      EXPECT_EQ(t->decode(ids_of(*t, text)), text);
    }
  }
  EXPECT_EQ(control_ids_of(*s, "t<end_of_turn>"), (std::vector<int>{s->id_of("t"), 4}));
  EXPECT_EQ(s->decode(control_ids_of(*s, "t<end_of_turn>")), "t");
  EXPECT_EQ(s->decode(control_ids_of(*s, "t<end_of_turn>"), true), "t<end_of_turn>");
  // Markup: only in a template, but decoded.
  const int tool = b->id_of("<tool_call>");
  EXPECT_EQ(control_ids_of(*b, "<tool_call>"), (std::vector<int>{tool}));
  EXPECT_NE(ids_of(*b, "<tool_call>"), (std::vector<int>{tool}));
  EXPECT_EQ(b->decode(std::vector<int>{tool}), "<tool_call>");
}

TEST(Tokenizer, SpansAreOneTextInWhichContentIsLiteral) {
  const auto t = spm();
  const std::vector<TextSpan> spans = {{"<end_of_turn>\n", false}, {"\n<end_of_turn>", true}, {"<end_of", false}, {"_turn>", true}, {"<end_of_turn>", false}};
  std::vector<int> ids;
  t->encode_spans(spans, ids);
  EXPECT_EQ(ids.front(), 4);
  EXPECT_EQ(t->token_bytes(ids[1]), "\n\n");  // Joined over the border, as in the reference.
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 4), 2);
  EXPECT_EQ(t->decode(ids, true), "<end_of_turn>\n\n<end_of_turn><end_of_turn><end_of_turn>");
  ids.clear();
  t->encode_spans({}, ids);
  EXPECT_TRUE(ids.empty());
}

TEST(Tokenizer, AnyBytesComeBack) {
  const auto s = spm();
  const auto b = byte_level();
  constexpr std::uint64_t kSeed = 20261127;
  for (std::uint64_t trial = 0; trial < 500; ++trial) {
    std::string text;
    const std::uint64_t length = uniform_int(kSeed, trial, 0, 80);
    for (std::uint64_t i = 1; i <= length; ++i) {
      const auto kind = uniform_int(kSeed, trial, 1000 + i, 4);
      if (kind == 0) {
        text.push_back(static_cast<char>(uniform_int(kSeed, trial, 2000 + i, 256)));
      } else {
        constexpr const char* kParts[] = {"the", " ", "\n", "\uAC00", "\uB098", "x y", "hell", "<td>", "\U0001F600", "in "};
        text += kParts[uniform_int(kSeed, trial, 2000 + i, std::size(kParts))];
      }
    }
    if (text.find("\xE2\x96\x81") != std::string::npos) continue;  // SentencePiece reads it as a space.
    for (const Tokenizer* t : {s.get(), b.get()}) {
      const auto ids = ids_of(*t, text);
      ASSERT_EQ(t->decode(ids), text) << "seed " << kSeed << " trial " << trial;
      StreamDecoder stream(*t);
      std::string streamed;
      for (const int id : ids) {
        const std::string piece = stream.push(id);
        ASSERT_TRUE(is_valid_utf8(piece));
        streamed += piece;
      }
      streamed += stream.finish();
      ASSERT_TRUE(streamed == text || !is_valid_utf8(text));
    }
  }
}

TEST(ByteBpe, FollowsTheListedMerges) {
  const auto t = byte_level();
  EXPECT_EQ(pieces_of(*t, "hello the"), (Pieces{"hell", "o", " the"}));
  EXPECT_TRUE(t->adds_bos());
  EXPECT_EQ(t->bos_id(), t->id_of("<|bos|>"));
  EXPECT_EQ(control_ids_of(*t, "<|bos|> \n the").size(), 2u + 1u);  // It eats the space after it.
  EXPECT_TRUE(t->is_control(-1));
  EXPECT_TRUE(t->is_control(1 << 30));
  EXPECT_EQ(t->token_bytes(1 << 30), "");
}

TEST(StreamDecoder, NeverCutsACharacter) {
  const auto t = byte_level();
  StreamDecoder stream(*t);
  const auto ids = ids_of(*t, "\uAC00");
  EXPECT_EQ(stream.push(ids[0]), "");
  EXPECT_EQ(stream.push(ids[1]), "");
  EXPECT_EQ(stream.push(t->id_of("<|im_end|>")), "");
  EXPECT_EQ(stream.push(ids[2]), "\uAC00");
  EXPECT_EQ(stream.push(ids[0]), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

TEST(OpenTokenizer, AFolderWithItsConfigs) {
  const Folder folder;
  folder.put("tokenizer.json", byte_level_json().dump());
  folder.put("tokenizer_config.json", R"({"bos_token": null, "eos_token": {"content": "<|im_end|>"}, "add_bos_token": false,
    "chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "yes"}]})");
  folder.put("generation_config.json", R"({"eos_token_id": [261, 5, 999999]})");
  auto t = open_tokenizer(folder.path());
  EXPECT_EQ(t->chat_template(), "yes");
  EXPECT_FALSE(t->adds_bos());
  EXPECT_EQ(t->eos_id(), 261);
  EXPECT_EQ(std::vector<int>(t->stop_ids().begin(), t->stop_ids().end()), (std::vector<int>{261, 5}));
  folder.put("chat_template.jinja", "file");
  EXPECT_EQ(open_tokenizer(folder.path() / "tokenizer.json")->chat_template(), "file");
  EXPECT_EQ(open_tokenizer(folder.path())->content_hash(), t->content_hash());
  EXPECT_NE(byte_level()->content_hash(), spm()->content_hash());
}

TEST(OpenTokenizer, JsonWithByteFallbackIsSentencePiece) {
  Json vocab = Json::object();
  int id = 0;
  for (const Piece& p : spm_pieces()) vocab[p.text] = id++;
  const Json json = {
      {"model", {{"type", "BPE"}, {"byte_fallback", true}, {"vocab", vocab},
                 {"merges", Json::array({Json::array({"\u2581", "t"}), "h e", "\u2581t he", "\uAC00 \uB098", "\u2581 \uAC00\uB098"})}}},
      {"added_tokens", Json::array({{{"id", 5}, {"content", "\n\n"}, {"special", false}}, {{"id", 4}, {"content", "<end_of_turn>"}, {"special", true}}})},
      {"normalizer", {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}},
      {"pre_tokenizer", {{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "MergedWithPrevious"}}}};
  const auto t = make_tokenizer(read_tokenizer_json(json.dump(), "test"));
  EXPECT_EQ(t->kind(), "spm-bpe");
  for (const char* text : {"the the", " \uAC00\uB098 z", "\n\n"}) EXPECT_EQ(pieces_of(*t, text), pieces_of(*spm(), text));
}

TEST(OpenTokenizer, Gguf) {
  using formats::gguf_entry;
  const Folder folder;
  const auto write = [&](const std::vector<formats::GgufEntry>& entries) {
    const fs::path path = folder.path() / "v.gguf";
    formats::write_gguf(path, entries, {});
    return open_tokenizer(path);
  };
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  for (const Piece& p : spm_pieces()) {
    tokens.push_back(p.text);
    scores.push_back(p.score);
    types.push_back(p.type);
  }
  const std::vector<formats::GgufEntry> good = {
      gguf_entry("general.architecture", "gemma3"), gguf_entry("tokenizer.ggml.model", "llama"), gguf_entry("tokenizer.ggml.tokens", tokens),
      gguf_entry("tokenizer.ggml.scores", scores), gguf_entry("tokenizer.ggml.token_type", types), gguf_entry<bool>("tokenizer.ggml.add_space_prefix", false),
      gguf_entry<std::uint32_t>("tokenizer.ggml.bos_token_id", 2), gguf_entry<std::uint32_t>("tokenizer.ggml.eos_token_id", 1),
      gguf_entry("tokenizer.chat_template", "{{ x }}")};
  const auto t = write(good);
  EXPECT_EQ(pieces_of(*t, "the the\n\n"), pieces_of(*spm(), "the the\n\n"));
  EXPECT_EQ(t->chat_template(), "{{ x }}");
  const auto code_with = [&](std::size_t replaced, formats::GgufEntry entry) {
    auto entries = good;
    entries[replaced] = std::move(entry);
    try {
      write(entries);
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code_with(1, gguf_entry("tokenizer.ggml.model", "rwkv")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_with(1, gguf_entry("x", "y")), ErrorCode::kNotFound);
  EXPECT_EQ(code_with(2, gguf_entry("x", "y")), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(3, gguf_entry("tokenizer.ggml.scores", std::vector<float>(3))), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(3, gguf_entry("tokenizer.ggml.scores", std::vector<float>(tokens.size(), NAN))), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(4, gguf_entry("tokenizer.ggml.token_type", std::vector<std::int32_t>(tokens.size(), 9))), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(6, gguf_entry<std::uint32_t>("tokenizer.ggml.bos_token_id", 99999)), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(6, gguf_entry("tokenizer.ggml.bos_token_id", "two")), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(1, gguf_entry("tokenizer.ggml.model", "gpt2")), ErrorCode::kCorrupt);  // No merges.
}

ErrorCode code_of_json(const Json& json) {
  try {
    make_tokenizer(read_tokenizer_json(json.dump(), "test"));
  } catch (const Error& e) {
    return e.code();
  }
  return ErrorCode::kInternal;  // Nothing was thrown.
}

TEST(HostileTokenizer, Json) {
  const auto with = [](auto&& change) {
    Json json = byte_level_json();
    change(json);
    return code_of_json(json);
  };
  constexpr auto kCorrupt = ErrorCode::kCorrupt;
  constexpr auto kUnsupported = ErrorCode::kInvalidArgument;
  EXPECT_EQ(code_of_json(Json::array()), kCorrupt);
  EXPECT_EQ(code_of_json(Json::object()), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"] = 3; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["type"] = 3; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["type"] = "Magic"; }), kUnsupported);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"] = Json::array(); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"] = Json::object(); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"]["zz"] = "1"; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"]["zz"] = -1; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"]["zz"] = 5; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"]["zz"] = 4000000; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"]["zz"] = 9007199254740993; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"].erase("a"); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["merges"] = 1; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["merges"].push_back("zz q"); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["merges"].push_back("h h"); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["merges"].push_back("hh"); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["merges"].push_back(Json::array({"h"})); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["merges"].push_back(""); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["added_tokens"] = "x"; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["added_tokens"].push_back(1); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["added_tokens"].push_back({{"content", "x"}}); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "("}}}, {"behavior", "Isolated"}}; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["pre_tokenizer"] = {{"type", "Whitespace"}}; }), kUnsupported);
  EXPECT_EQ(with([](Json& j) { j["normalizer"] = {{"type", "Lowercase"}}; }), kUnsupported);
  EXPECT_EQ(with([](Json& j) { j["normalizer"] = {{"type", "Sequence"}, {"normalizers", 1}}; }), kCorrupt);
  Json nested = {{"type", "Sequence"}};
  for (int i = 0; i < 60; ++i) nested = {{"type", "Sequence"}, {"normalizers", Json::array({nested})}};
  EXPECT_EQ(with([&](Json& j) { j["normalizer"] = nested; }), kCorrupt);
}

TEST(HostileTokenizer, SentencePieceCutAnywhere) {
  const std::string model = sentencepiece_model(spm_pieces());
  for (std::size_t n = 0; n < model.size(); n += 7) {
    try {
      const auto t = make_tokenizer(read_sentencepiece_model(std::string_view(model).substr(0, n), "cut.model"));
      ids_of(*t, "the \uAC00\xFF");
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == ErrorCode::kCorrupt || e.code() == ErrorCode::kInvalidArgument) << e.what();
    }
  }
  for (std::size_t n = 0; n < model.size(); n += 3) {
    std::string flipped = model;
    flipped[n] = static_cast<char>(flipped[n] ^ 0xFF);
    try {
      ids_of(*make_tokenizer(read_sentencepiece_model(flipped, "flipped.model")), "the \uAC00\xFF");
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == ErrorCode::kCorrupt || e.code() == ErrorCode::kInvalidArgument) << e.what();
    }
  }
}

TEST(HostileTokenizer, DuplicatedAndHugePieces) {
  auto pieces = spm_pieces();
  pieces.push_back({"he", 100, 1});  // The first "he" stays.
  const auto t = make_tokenizer(read_sentencepiece_model(sentencepiece_model(pieces), "test"));
  EXPECT_EQ(pieces_of(*t, "the the"), pieces_of(*spm(), "the the"));
  EXPECT_LT(t->id_of("he"), static_cast<int>(pieces.size()) - 1);
  pieces.back() = {std::string(100000, 'h'), 0, 1};
  EXPECT_THROW(make_tokenizer(read_sentencepiece_model(sentencepiece_model(pieces), "test")), Error);
}

TEST(HostileTokenizer, OtherFiles) {
  const Folder folder;
  const auto code = [&](std::string_view content) {
    try {
      open_tokenizer(folder.put("t", content));
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code(""), ErrorCode::kCorrupt);
  EXPECT_EQ(code("  \n"), ErrorCode::kCorrupt);
  EXPECT_EQ(code("hello"), ErrorCode::kCorrupt);
  EXPECT_EQ(code("IQ== 0\nIg== 2\n"), ErrorCode::kCorrupt);
  EXPECT_EQ(code("I!== 0\n"), ErrorCode::kCorrupt);
  EXPECT_EQ(code("IQ== 0\nIg== 1\n"), ErrorCode::kInvalidArgument);  // Whose pattern?
  EXPECT_EQ(code("\x1F\x8B\x08"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("GGUF"), ErrorCode::kCorrupt);
  EXPECT_EQ(code("{\"a\": "), ErrorCode::kCorrupt);
  EXPECT_THROW(open_tokenizer(folder.path() / "absent"), Error);
  fs::remove(folder.path() / "t");
  EXPECT_THROW(open_tokenizer(folder.path()), Error);
}

}  // namespace
}  // namespace onggi::text
