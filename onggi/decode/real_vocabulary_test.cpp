// Guides over the vocabulary of Gemma 3: what they reach, and the CPU time they take (printed, not asserted).

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <sstream>

#include "onggi/core/files.h"
#include "onggi/decode/test_support.h"
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

TEST(RealVocabulary, CardsReachAFewThousandTokensAndEveryGoldAnswer) {
  ONGGI_NEED_SHARED("data/review-themes/authored-plain.jsonl");
  const auto model = onggi_home() / "models/gemma-3-270m-q4_k_m.gguf";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "needs " << model.string();
  const std::shared_ptr<const text::Tokenizer> tokenizer = text::open_tokenizer(model);
  const Json spec = parse_json(read_file(std::filesystem::path(ONGGI_SOURCE_DIR) / "examples/review-themes/guide.json"), "guide.json");
  auto begin = now_ms();
  auto guide = compile_guide(spec, tokenizer);
  const double first_ms = ms_since(begin);
  begin = now_ms();
  guide = compile_guide(spec, tokenizer);
  std::printf("compile %.1f ms (%.1f ms with the vocabulary's trie), %zu of %d tokens reachable\n", ms_since(begin), first_ms, guide->reachable().size(),
              tokenizer->vocab_size());
  EXPECT_GT(guide->reachable().size(), 4600U);
  EXPECT_LT(guide->reachable().size(), 5300U);

  std::istringstream lines(read_file(onggi::testing::shared_folder() / "data/review-themes/authored-plain.jsonl"));
  double row_ms = 0.0;
  double start_ms = 0.0;
  double mask_ms = 0.0;
  double worst_ms = 0.0;
  int rows = 0;
  int masks = 0;
  int allowed_answers = 0;
  int accepted_answers = 0;
  std::size_t row_ids = 0;
  for (std::string line; std::getline(lines, line) && rows < 100; ++rows) {
    const Json json = parse_json(line, "row");
    std::string review = json["review"].get<std::string>();
    while (review.size() < 700) review += " " + json["review"].get<std::string>();  // About 300 characters.
    const Slots slots = {{"product", json["product"]}, {"review", review}};
    begin = now_ms();
    const auto extra = guide->reachable_from(slots);
    row_ms += ms_since(begin);
    row_ids += extra.size();
    begin = now_ms();
    const auto state = guide->start(slots);
    start_ms += ms_since(begin);

    std::string answer = "[";
    for (const auto& theme : json["themes"]) {
      answer += (answer == "[" ? "" : ", ") + dump_json(theme["expression"].get<std::string>() + " '" + theme["entity"].get<std::string>() + "' : " + theme["name"].get<std::string>());
    }
    answer += "]";
    std::vector<int> ids;
    tokenizer->encode(answer, ids);
    ids.push_back(tokenizer->eos_id());
    bool all = true;
    for (const int id : ids) {
      begin = now_ms();
      const auto allowed = state->allowed();
      const double ms = ms_since(begin);
      mask_ms += ms;
      worst_ms = std::max(worst_ms, ms);
      ++masks;
      all = std::binary_search(allowed.begin(), allowed.end(), id);
      if (!all) break;
      state->advance(id);
    }
    allowed_answers += all ? 1 : 0;
    accepted_answers += guide->accepts(answer, slots) ? 1 : 0;
  }
  EXPECT_EQ(allowed_answers, accepted_answers);
  EXPECT_GE(accepted_answers, rows * 97 / 100);
  std::printf("a row: its tokens %.3f ms (%.1f of them), start %.3f ms; a mask %.1f us mean, %.0f us at most, %d of them\n", row_ms / rows,
              static_cast<double>(row_ids) / rows, start_ms / rows, 1e3 * mask_ms / masks, 1e3 * worst_ms, masks);
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
