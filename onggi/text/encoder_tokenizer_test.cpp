// WordPiece and unigram: rules on vocabularies of our own, ids of the reference, hostile files.
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "onggi/core/base64.h"
#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/text/charsmap.h"
#include "onggi/text/tokenizer.h"
#include "onggi/text/tokenizer_spec.h"
#include "tests/support/shared.h"

namespace onggi::text {
namespace {

namespace fs = std::filesystem;
using Pieces = std::vector<std::string>;

std::vector<int> ids_of(const Tokenizer& t, std::string_view text, bool with_control = false) {
  std::vector<int> ids;
  if (with_control) {
    t.encode_with_control(text, ids);
  } else {
    t.encode(text, ids);
  }
  return ids;
}

Pieces pieces_of(const Tokenizer& t, std::string_view text) {
  Pieces out;
  for (const int id : ids_of(t, text)) out.emplace_back(t.token_bytes(id));
  return out;
}

constexpr std::string_view kWords =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nhe\n##llo\n##l\n!\ncafe\nx\n##x\n\u4E2D\n\u1112\n##\u1161\n##\u11AB\n";

std::unique_ptr<Tokenizer> words(WordPieceRules rules = {}) {
  TokenizerSpec spec = read_word_list(kWords, "vocab.txt");
  spec.word_piece = rules;
  return make_tokenizer(std::move(spec));
}

TEST(WordPiece, TakesTheLongestTokensFromTheLeft) {
  const auto t = words();
  EXPECT_EQ(pieces_of(*t, "hello"), Pieces{" hello"});
  EXPECT_EQ(pieces_of(*t, "HeL!"), (Pieces{" he", "l", " !"}));
  EXPECT_EQ(pieces_of(*t, "helx hello"), (Pieces{" he", "l", "x", " hello"}));
  EXPECT_EQ(pieces_of(*t, "hellz hello"), (Pieces{"[UNK]", " hello"}));
  EXPECT_EQ(t->decode(ids_of(*t, "HEL hello!")), "hel hello !");
  EXPECT_EQ(t->kind(), "wordpiece");
  EXPECT_EQ(t->bos_id(), 2);
  EXPECT_EQ(t->eos_id(), 3);
  EXPECT_EQ(t->id_of("##llo"), 7);
}

TEST(WordPiece, NormalisesAsBertDoes) {
  const auto t = words();
  EXPECT_EQ(pieces_of(*t, "\tCaf\u00E9\u3000x\u200D\u00AD\x01x\xFF\uFFFD"), (Pieces{" cafe", " x", "x"}));
  EXPECT_EQ(pieces_of(*t, "x\u4E2Dx"), (Pieces{" x", " \u4E2D", " x"}));
  EXPECT_EQ(ids_of(*t, "\uD55C"), (std::vector<int>{14, 15, 16}));  // A syllable is its jamo.
  EXPECT_EQ(ids_of(*t, "\u1112\u1161\u11AB"), ids_of(*t, "\uD55C"));
  EXPECT_EQ(ids_of(*t, ""), std::vector<int>{});
  EXPECT_EQ(ids_of(*words({.lowercases = false}), "HELLO"), std::vector<int>{1});
  EXPECT_EQ(ids_of(*words({.strips_accents = false}), "caf\u00E9"), std::vector<int>{1});
  EXPECT_EQ(ids_of(*t, std::string(100, 'x')).size(), 100U);
  EXPECT_EQ(ids_of(*t, std::string(101, 'x')), std::vector<int>{1});
}

TEST(WordPiece, ContentSpellsNoControlToken) {
  const auto t = words();
  EXPECT_EQ(ids_of(*t, "[CLS] hello", true), (std::vector<int>{2, 5}));
  for (const int id : ids_of(*t, "[CLS] hello [PAD]")) EXPECT_TRUE(id == 1 || !t->is_control(id));
}

Json unigram_json() {
  const auto map = Charsmap::pack(
      {{"\u3000", " "}, {"\x01", ""}, {"\uFF21", "A"}, {"\u1100\u1161", "\uAC00"}, {"e\u0301", "\u00E9"}});
  const auto entry = [](const char* piece, double score) { return Json::array({piece, score}); };
  Json vocab = Json::array({entry("<s>", 0), entry("<pad>", 0), entry("</s>", 0), entry("<unk>", 0)});
  double score = -2;
  for (const char* piece : {"\u2581", "a", "b", "\u2581a", "ab", "A", "\uAC00", "\u00E9", "e"}) {
    vocab.push_back(entry(piece, score -= 0.25));
  }
  Json added = Json::array();
  for (std::size_t id = 0; id < 4; ++id) added.push_back({{"id", id}, {"content", vocab[id][0]}, {"special", true}});
  const auto special = [](const char* name) { return Json{{"SpecialToken", {{"id", name}}}}; };
  const Json mapping = {{"type", "Precompiled"}, {"precompiled_charsmap", base64(std::as_bytes(std::span(map)))}};
  const Json joining = {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}};
  return {{"added_tokens", added},
          {"normalizer", {{"type", "Sequence"}, {"normalizers", Json::array({mapping, joining})}}},
          {"pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", Json::array({special("<s>"), Json{{"Sequence", {{"id", "A"}}}}, special("</s>")})}}},
          {"model", {{"type", "Unigram"}, {"unk_id", 3}, {"vocab", vocab}}}};
}
std::unique_ptr<Tokenizer> unigram(const Json& json) {
  return make_tokenizer(read_tokenizer_json(json.dump(), "test"));
}

TEST(Unigram, TakesThePathOfTheHighestScore) {
  const auto t = unigram(unigram_json());
  EXPECT_EQ(pieces_of(*t, "ab"), (Pieces{" ", "ab"}));  // -2.25 - 3.25 beats -3 - 2.75.
  EXPECT_EQ(pieces_of(*t, "b  \u3000aA"), (Pieces{" ", "b", " a", "A"}));
  EXPECT_EQ(pieces_of(*t, "\uFF21\x01z\xFFy"), (Pieces{" ", "A", "<unk>"}));  // One for a run.
  EXPECT_EQ(t->kind(), "unigram");
  EXPECT_EQ(t->bos_id(), 0);
  EXPECT_EQ(t->eos_id(), 2);
  EXPECT_EQ(ids_of(*t, "<s>a", true), (std::vector<int>{0, 7}));
  for (const int id : ids_of(*t, "<s>a</s>")) EXPECT_TRUE(id == 3 || !t->is_control(id));
}

TEST(Unigram, MapsGraphemesAsOneReferenceAndTheLongestMatchAsTheOther) {
  TokenizerSpec spec = read_tokenizer_json(unigram_json().dump(), "test");
  const auto hugging_face = make_tokenizer(spec);
  spec.unigram.as_hugging_face = false;
  const auto sentencepiece = make_tokenizer(spec);
  EXPECT_NE(hugging_face->content_hash(), sentencepiece->content_hash());
  EXPECT_EQ(pieces_of(*hugging_face, "e\u0301"), (Pieces{" ", "\u00E9"}));
  EXPECT_EQ(pieces_of(*sentencepiece, "e\u0301"), (Pieces{" ", "\u00E9"}));
  EXPECT_EQ(pieces_of(*hugging_face, "\u1100\u1161"), (Pieces{" ", "<unk>"}));  // A grapheme of 6 bytes.
  EXPECT_EQ(pieces_of(*sentencepiece, "\u1100\u1161"), (Pieces{" ", "\uAC00"}));
}

TEST(Unigram, WordsAndEndsAreCutWhereTheFileSaysSo) {
  Json json = unigram_json();
  const Json metaspace = json["pre_tokenizer"];
  json["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers", Json::array({{{"type", "WhitespaceSplit"}}, metaspace})}};
  EXPECT_EQ(pieces_of(*unigram(json), " a\t\u2003b "), (Pieces{" a", " ", "b"}));
  json = unigram_json();
  EXPECT_EQ(pieces_of(*unigram(json), "a "), (Pieces{" a", " "}));
  json["normalizer"]["normalizers"].push_back({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}});
  EXPECT_EQ(pieces_of(*unigram(json), "\u2003a \n"), Pieces{" a"});
  json["pre_tokenizer"]["prepend_scheme"] = "never";
  EXPECT_EQ(pieces_of(*unigram(json), "a"), Pieces{"a"});
}

TEST(Unigram, BytesStandForUnknownCharacters) {
  Json json = unigram_json();
  json["model"]["byte_fallback"] = true;
  for (int b = 0; b < 256; ++b)
    json["model"]["vocab"].push_back(Json::array({piece_of_byte(static_cast<char>(b)), 0.0}));
  const auto t = unigram(json);
  EXPECT_EQ(t->decode(ids_of(*t, "az\u00FFb\u4E2D")), "az\u00FFb\u4E2D");
}

TEST(Charsmap, KeepsEveryKeyOfALargeMap) {
  std::map<std::string, std::string> all;
  for (int i = 0; i < 20000; ++i) all["k" + std::to_string(i * 7919 % 100003)] = "v" + std::to_string(i % 977);
  const Charsmap map(Charsmap::pack(all), "test");
  for (const auto& [from, to] : all) ASSERT_EQ(map.apply(from, false), to);
  EXPECT_EQ(map.apply("k", false), "k");
  EXPECT_EQ(Charsmap().apply("a\xFF", false), "a\uFFFD");
}

TEST(EncoderTokenizers, GoldenIdsOfTheReferences) {
  const fs::path golden = fs::path(ONGGI_SOURCE_DIR) / "tests/golden/text/encoder_ids.jsonl";
  std::map<std::string, std::unique_ptr<Tokenizer>> known;
  const fs::path minilm = onggi_home() / "models/all-MiniLM-L6-v2";
  if (fs::exists(minilm)) known["minilm"] = open_tokenizer(minilm);
  const fs::path data = testing::shared_folder() / "data/tokenizers";
  if (fs::exists(data)) {
    TokenizerSpec korean = read_word_list(read_file(data / "koelectra_wordpiece_vocab.txt"), "koelectra");
    korean.word_piece.lowercases = korean.word_piece.strips_accents = false;
    known["koelectra"] = make_tokenizer(std::move(korean));
    known["unigram"] = open_tokenizer(data / "spm_unigram_1000.model");
  }
  if (known.empty()) GTEST_SKIP() << "needs " << minilm.string() << " or " << data.string() << ", which are not here";
  std::ifstream file(golden);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const Json row = parse_json(line, golden.string());
    for (const auto& [name, tokenizer] : known) {
      EXPECT_EQ(ids_of(*tokenizer, row["text"].get<std::string>(), name != "unigram"),
                row[name].get<std::vector<int>>())
          << name << " line " << lines + 1;
    }
  }
  EXPECT_EQ(lines, 36);
}

TEST(EncoderTokenizers, UnigramVectorsOfSentencePiece) {
  ONGGI_NEED_SHARED("data/tokenizers");
  const fs::path data = testing::shared_folder() / "data/tokenizers";
  const auto tokenizer = open_tokenizer(data / "spm_unigram_1000.model");
  std::ifstream file(data / "unigram_vectors.jsonl");
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const Json row = parse_json(line, "unigram_vectors.jsonl");
    EXPECT_EQ(ids_of(*tokenizer, row["text"].get<std::string>()), row["ids"].get<std::vector<int>>()) << line;
  }
  EXPECT_EQ(lines, 52);
}

TEST(EncoderTokenizers, GgufOfBert) {
  ONGGI_NEED_SHARED("data/tokenizers");
  const fs::path path = testing::shared_folder() / "data/tokenizers/ggml-vocab-bert-bge.gguf";
  const auto tokenizer = open_tokenizer(path);
  const std::string all = read_file(path.string() + ".inp");
  std::ifstream out(path.string() + ".out");
  const std::string separator = "\n__ggml_vocab_test__\n";
  int tests = 0;
  std::string line;
  for (std::size_t at = 0; std::getline(out, line); ++tests) {
    const std::size_t end = all.find(separator, at);
    std::vector<int> wanted;
    std::istringstream numbers(line);
    for (int id = 0; numbers >> id;) wanted.push_back(id);
    EXPECT_EQ(ids_of(*tokenizer, all.substr(at, end - at)), wanted) << "test " << tests;
    at = end + separator.size();
  }
  EXPECT_EQ(tests, 46);
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.code();
  }
  return ErrorCode::kInternal;
}

TEST(HostileEncoderTokenizer, JsonAndListsThatAreWrong) {
  constexpr auto kCorrupt = ErrorCode::kCorrupt;
  constexpr auto kUnsupported = ErrorCode::kInvalidArgument;
  const auto with = [](auto&& change) {
    Json json = unigram_json();
    change(json);
    return code_of([&] { unigram(json); });
  };
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"] = 1; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"] = Json::array(); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"].push_back("a"); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"].push_back(Json::array({"a", "b"})); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"].push_back(Json::array({"zz", 3})); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["vocab"].push_back(Json::array({"zz", -1e300})); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"]["unk_id"] = 4000; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["model"].erase("unk_id"); }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["post_processor"]["single"][0]["SpecialToken"]["id"] = "none"; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["post_processor"] = {{"type", "Magic"}}; }), kUnsupported);
  EXPECT_EQ(with([](Json& j) { j["pre_tokenizer"] = {{"type", "Digits"}}; }), kUnsupported);
  EXPECT_EQ(with([](Json& j) { j["normalizer"] = {{"type", "NFKC"}}; }), kUnsupported);
  EXPECT_EQ(with([](Json& j) { j["normalizer"]["normalizers"][0]["precompiled_charsmap"] = "a b"; }), kCorrupt);
  EXPECT_EQ(with([](Json& j) { j["normalizer"]["normalizers"][0]["precompiled_charsmap"] = "////////"; }), kCorrupt);
  EXPECT_EQ(code_of([] { read_word_list("a\nb\n", "vocab.txt"); }), kCorrupt);
}

TEST(HostileEncoderTokenizer, AnyCharsmapIsSafe) {
  std::string map = Charsmap::pack({{"\u3000", " "}, {"ab", "c"}, {"abc", "\u1100"}, {"\uFF21", ""}});
  for (std::size_t i = 0; i < map.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string flipped = map;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      try {
        const Charsmap broken(flipped, "test");
        broken.apply("abcab\u3000\uFF21x\xFF", false);
        broken.apply("abcab\u3000\uFF21x\xFF", true);
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::kCorrupt);
      }
    }
  }
}

}  // namespace
}  // namespace onggi::text
