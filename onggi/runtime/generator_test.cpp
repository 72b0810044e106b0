#include "onggi/runtime/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/shared.h"

namespace onggi::runtime {
namespace {

/// 320 ids: 0..2 control, the others the bytes of their number, so that every text can be spelt.
class NumberTokenizer : public text::Tokenizer {
 public:
  NumberTokenizer() {
    for (int i = 0; i < 320; ++i) pieces_.push_back(i < 3 ? "<" + std::to_string(i) + ">" : std::string(1, static_cast<char>('!' + i % 90)));
  }
  int vocab_size() const override { return 320; }
  void encode(std::string_view, std::vector<int>&) const override {}
  void encode_with_control(std::string_view, std::vector<int>&) const override {}
  std::string_view token_bytes(int id) const override { return pieces_[static_cast<std::size_t>(id)]; }
  bool is_control(int id) const override { return id < 3; }
  int bos_id() const override { return 2; }
  int eos_id() const override { return 1; }
  int id_of(std::string_view) const override { return -1; }
  std::span<const int> stop_ids() const override { return stop_; }
  bool adds_bos() const override { return true; }
  const std::string& chat_template() const override { return empty_; }
  std::string_view kind() const override { return "numbers"; }
  const std::string& content_hash() const override { return empty_; }

 private:
  std::vector<std::string> pieces_;
  std::vector<int> stop_ = {1};
  std::string empty_;
};

struct Fixture {
  explicit Fixture(int threads = 2) : pool(threads), context(pool) {
    std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(testing::shared_folder() / "fixtures/tiny/gemma3");
    decoder = models::Decoder::load(std::move(checkpoint), context, models::Compute::kF32);
    tokenizer = std::make_shared<NumberTokenizer>();
    for (int r = 0; r < 9; ++r) {
      Request request{.index = r};
      for (int i = 0; i < 3 + 5 * r; ++i) request.prompt.push_back(3 + (r * 31 + i * 17) % 300);
      requests.push_back(std::move(request));
    }
  }

  std::map<std::int64_t, Answer> run(GeneratorOptions options, std::shared_ptr<const decode::Guide> guide = nullptr,
                                     std::vector<int> prefix = {2, 40, 41, 42, 43}) {
    Generator generator(context, *decoder, *tokenizer, nullptr, std::move(guide), std::move(prefix), options);
    std::map<std::int64_t, Answer> answers;
    generator.run(requests, [&](Answer&& a) {
      const auto index = a.index;
      EXPECT_TRUE(answers.emplace(index, std::move(a)).second) << "row answered twice";
    });
    return answers;
  }

  ThreadPool pool;
  nn::Context context;
  std::unique_ptr<models::Decoder> decoder;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::vector<Request> requests;
};

std::vector<int> ids(const Answer& a) {
  std::vector<int> out;
  for (const auto& t : a.tokens) out.push_back(t.id);
  return out;
}

TEST(Generator, BatchThreadsAndPrefixSharingChangeNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  for (const float temperature : {0.0F, 0.9F}) {
    GeneratorOptions options{.batch_rows = 1, .max_new_tokens = 20, .sampling = {.temperature = temperature}, .seed = 5};
    const auto want = Fixture(1).run(options);
    ASSERT_EQ(want.size(), 9U);
    for (const int rows : {2, 5, 16}) {
      options.batch_rows = rows;
      const auto got = Fixture(2).run(options);
      for (const auto& [index, answer] : want) {
        EXPECT_EQ(ids(got.at(index)), ids(answer));
        EXPECT_EQ(got.at(index).log_probability, answer.log_probability);
      }
    }
    // The prefix as part of each prompt: the same positions, the same bits.
    Fixture f;
    for (auto& r : f.requests) r.prompt.insert(r.prompt.begin(), {2, 40, 41, 42, 43});
    const auto got = f.run(options, nullptr, {});
    for (const auto& [index, answer] : want) EXPECT_EQ(got.at(index).log_probability, answer.log_probability);
  }
}

TEST(Generator, SamplesShareTheirPromptAndChangeNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  const auto guide = decode::compile_guide(Json{{"regex", "(A|B)[C-K]{2,5}!"}}, f.tokenizer);
  GeneratorOptions options{.batch_rows = 4, .max_new_tokens = 12, .sampling = {.temperature = 1.0F}, .seed = 5};
  const auto single = f.run(options, guide);
  for (auto& r : f.requests) r.num_samples = 3;
  std::map<std::pair<std::int64_t, int>, std::string> want;
  for (const int batch_rows : {1, 7, 64}) {
    options.batch_rows = batch_rows;
    Generator generator(f.context, *f.decoder, *f.tokenizer, nullptr, guide, {2, 40, 41, 42, 43}, options);
    std::map<std::pair<std::int64_t, int>, std::string> got;
    generator.run(f.requests, [&](Answer&& a) {
      EXPECT_TRUE(guide->accepts(a.text, {})) << a.text;
      if (a.sample == 0) {
        EXPECT_EQ(a.log_probability, single.at(a.index).log_probability);
      }
      EXPECT_TRUE(got.emplace(std::pair(a.index, a.sample), a.text).second) << "answered twice";
    });
    EXPECT_EQ(got.size(), 27U);
    if (want.empty()) want = got;
    EXPECT_EQ(got, want);
  }
  int different = 0;
  for (std::int64_t index = 0; index < 9; ++index) different += want.at({index, 0}) != want.at({index, 1}) ? 1 : 0;
  EXPECT_GE(different, 5);
}

TEST(Generator, GuidedAnswersBelongToTheGuide) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  const auto guide = decode::compile_guide(Json{{"regex", "(A|B)C{2,5}!"}}, f.tokenizer);
  for (const auto& [index, answer] : f.run({.max_new_tokens = 12, .sampling = {.temperature = 1.0F}}, guide)) {
    EXPECT_TRUE(answer.complete) << answer.failure;
    EXPECT_TRUE(guide->accepts(answer.text, {})) << answer.text;
    EXPECT_EQ(answer.tokens.back().id, 1);
  }
}

TEST(Generator, ARowThatCannotEndIsMarkedAndItsNeighboursAreNot) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  f.requests[4].prompt.assign(600, 7);  // the tiny model's context is 512
  const auto guide = decode::compile_guide(Json{{"choices", {"AB", "AC"}}}, f.tokenizer);
  const auto answers = f.run({.max_new_tokens = 8}, guide);
  EXPECT_NE(answers.at(4).failure.find("longer than the model's context"), std::string::npos);
  for (const auto& [index, answer] : answers) {
    if (index == 4) continue;
    EXPECT_TRUE(answer.complete);
  }
  for (const auto& [index, answer] : f.run({.max_new_tokens = 2}, guide)) {
    if (index == 4) continue;
    EXPECT_EQ(answer.failure, "no end within 2 new tokens");
  }
}

}  // namespace
}  // namespace onggi::runtime
