// Guides over the vocabulary of Gemma 3: what they reach, and the CPU time they take (printed, not asserted).

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <sstream>

#include "onggi/core/files.h"
#include "onggi/decode/cards.h"
#include "onggi/decode/test_support.h"
#include "onggi/decode/token_trie.h"
#include "tests/support/shared.h"

namespace onggi::decode {
namespace {

/// CPU time of this thread, so that a busy machine does not count.
double now_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}
double ms_since(double begin) { return now_ms() - begin; }

std::string answer_of(const Json& row) {
  std::string answer = "[";
  for (const auto& theme : row["themes"]) {
    answer += (answer == "[" ? "" : ", ") + dump_json(theme["expression"].get<std::string>() + " '" + theme["entity"].get<std::string>() + "' : " + theme["name"].get<std::string>());
  }
  return answer + "]";
}

Json example_guide() { return parse_json(read_file(std::filesystem::path(ONGGI_SOURCE_DIR) / "examples/review-themes/guide.json"), "guide.json"); }

struct Times {
  double tokens_ms = 0.0;
  double start_ms = 0.0;
  double mask_ms = 0.0;
  double worst_ms = 0.0;
  int rows = 0;
  int masks = 0;
  std::size_t row_ids = 0;
};

/// Walks along the answers of the first rows, which must be allowed where they are accepted.
Times walk_answers(const Guide& guide, const text::Tokenizer& tokenizer, const std::string& rows, int num_rows) {
  Times times;
  int num_allowed = 0;
  int num_accepted = 0;
  std::istringstream lines(rows);
  for (std::string line; std::getline(lines, line) && times.rows < num_rows; ++times.rows) {
    const Json json = parse_json(line, "row");
    std::string review = json["review"].get<std::string>();
    while (review.size() < 700) review += " " + json["review"].get<std::string>();  // About 300 characters.
    const Slots slots = {{"product", json["product"]}, {"review", review}};
    auto begin = now_ms();
    times.row_ids += guide.reachable_from(slots).size();
    times.tokens_ms += ms_since(begin);
    begin = now_ms();
    const auto state = guide.start(slots);
    times.start_ms += ms_since(begin);

    const std::string answer = answer_of(json);
    std::vector<int> ids;
    tokenizer.encode(answer, ids);
    ids.push_back(tokenizer.eos_id());
    bool all = true;
    for (const int id : ids) {
      begin = now_ms();
      const auto allowed = state->allowed();
      const double ms = ms_since(begin);
      times.mask_ms += ms;
      times.worst_ms = std::max(times.worst_ms, ms);
      ++times.masks;
      all = std::binary_search(allowed.begin(), allowed.end(), id);
      if (!all) break;
      state->advance(id);
    }
    num_allowed += all ? 1 : 0;
    num_accepted += guide.accepts(answer, slots) ? 1 : 0;
  }
  EXPECT_EQ(num_allowed, num_accepted);
  EXPECT_GE(num_accepted, times.rows * 97 / 100);
  return times;
}

TEST(RealVocabulary, CardsReachAFewThousandTokensAndEveryGoldAnswer) {
  ONGGI_NEED_SHARED("data/review-themes/authored-plain.jsonl");
  const auto model = onggi_home() / "models/gemma-3-270m-q4_k_m.gguf";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "needs " << model.string();
  const std::shared_ptr<const text::Tokenizer> tokenizer = text::open_tokenizer(model);
  const Json spec = example_guide();
  auto begin = now_ms();
  auto guide = compile_guide(spec, tokenizer);
  const double first_ms = ms_since(begin);
  begin = now_ms();
  guide = compile_guide(spec, tokenizer);
  std::printf("compile %.1f ms (%.1f ms with the vocabulary's trie), %zu of %d tokens reachable\n", ms_since(begin), first_ms, guide->reachable().size(),
              tokenizer->vocab_size());
  EXPECT_GT(guide->reachable().size(), 4600U);
  EXPECT_LT(guide->reachable().size(), 5300U);

  const std::string lines = read_file(onggi::testing::shared_folder() / "data/review-themes/authored-plain.jsonl");
  const auto print = [](const char* when, const Times& t) {
    std::printf("%s: a row's tokens %.3f ms (%.1f of them), start %.3f ms; a mask %.1f us mean, %.0f us at most, %d of them\n", when, t.tokens_ms / t.rows,
                static_cast<double>(t.row_ids) / t.rows, t.start_ms / t.rows, 1e3 * t.mask_ms / t.masks, 1e3 * t.worst_ms, t.masks);
  };
  print("first rows", walk_answers(*guide, *tokenizer, lines, 16));
  walk_answers(*guide, *tokenizer, lines, 200);
  print("later rows", walk_answers(*guide, *tokenizer, lines, 200));
}

/// Every token of the vocabulary at every place of real answers, against an automaton built for the row alone.
TEST(RealVocabulary, MasksOfCardsAreExact) {
  ONGGI_NEED_SHARED("data/review-themes/authored-plain.jsonl");
  const auto model = onggi_home() / "models/gemma-3-270m-q4_k_m.gguf";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "needs " << model.string();
  const std::shared_ptr<const text::Tokenizer> tokenizer = text::open_tokenizer(model);
  const auto guide = compile_guide(example_guide(), tokenizer);
  const Pattern pattern = cards_pattern(example_guide()["cards"]);
  const TokenTrie vocabulary(*tokenizer);
  std::istringstream lines(read_file(onggi::testing::shared_folder() / "data/review-themes/authored-plain.jsonl"));
  const char* additions[] = {" 50ml USB-C", " 1+1", "", " A4"};  // Most of these rows hold no foreign words.
  int rows = 0;
  std::size_t num_row_ids = 0;
  for (std::string line; std::getline(lines, line) && rows < 12; ++rows) {
    const Json json = parse_json(line, "row");
    const Slots slots = {{"product", json["product"].get<std::string>() + (rows % 3 == 0 ? " XL" : "")}, {"review", json["review"].get<std::string>() + additions[rows % 4]}};
    Dfa loose(build_nfa(pattern, SlotUse::kFilled, slots, true));
    std::vector<int> all;
    vocabulary.collect(loose, loose.everything(), all);
    std::sort(all.begin(), all.end());
    std::vector<int> expected_row;
    std::set_difference(all.begin(), all.end(), guide->reachable().begin(), guide->reachable().end(), std::back_inserter(expected_row));
    EXPECT_EQ(guide->reachable_from(slots), expected_row) << line;
    num_row_ids += expected_row.size();

    std::string answer = answer_of(json);
    if (const auto space = answer.find(' '); space != std::string::npos && rows % 4 != 2) answer.insert(space + 1, rows % 4 == 0 ? "USB-C " : rows % 4 == 1 ? "1+1 " : "A4 ");
    std::vector<int> ids;
    tokenizer->encode(answer, ids);
    ids.push_back(tokenizer->eos_id());
    Dfa dfa(build_nfa(pattern, SlotUse::kFilled, slots));
    int expected = dfa.start();
    const auto state = guide->start(slots);
    for (const int id : ids) {
      std::vector<int> mask;
      vocabulary.collect(dfa, expected, mask);
      if (dfa.is_accepting(expected)) mask.push_back(tokenizer->eos_id());
      std::sort(mask.begin(), mask.end());
      const auto allowed = state->allowed();
      ASSERT_EQ(std::vector<int>(allowed.begin(), allowed.end()), mask) << answer;
      if (!std::binary_search(mask.begin(), mask.end(), id) || id == tokenizer->eos_id()) break;
      state->advance(id);
      expected = dfa.walk(expected, tokenizer->token_bytes(id));
    }
  }
  EXPECT_GT(num_row_ids, 20U);
}

TEST(RealVocabulary, AFreeStringAllowsMostTokens) {
  const auto model = onggi_home() / "models/gemma-3-270m-q4_k_m.gguf";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "needs " << model.string();
  const std::shared_ptr<const text::Tokenizer> tokenizer = text::open_tokenizer(model);
  auto begin = now_ms();
  const auto guide = compile_guide(parse_json(R"({"schema": {"type": "object", "additionalProperties": false, "required": ["summary", "stars"], "properties": {
      "summary": {"type": "string", "maxLength": 200}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}}}})", "test"), tokenizer);
  const double compile_ms = ms_since(begin);
  const auto state = guide->start({});
  std::vector<int> ids;
  tokenizer->encode(R"({"summary": "a quiet fan that )", ids);
  double mask_ms = 0.0;
  std::size_t most = 0;
  for (const int id : ids) {
    begin = now_ms();
    const auto allowed = state->allowed();
    mask_ms += ms_since(begin);
    most = std::max(most, allowed.size());
    ASSERT_TRUE(std::binary_search(allowed.begin(), allowed.end(), id));
    state->advance(id);
  }
  EXPECT_GT(most, static_cast<std::size_t>(tokenizer->vocab_size()) / 2);
  std::printf("schema: compile %.1f ms, a mask %.2f ms mean\n", compile_ms, mask_ms / static_cast<double>(ids.size()));
}

}  // namespace
}  // namespace onggi::decode
