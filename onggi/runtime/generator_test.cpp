#include "onggi/runtime/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "onggi/models/adapter_io.h"
#include "onggi/runtime/test_support.h"
#include "tests/support/shared.h"

namespace onggi::runtime {
namespace {

struct Fixture {
  explicit Fixture(int threads = 2) : pool(threads), context(pool) {
    std::shared_ptr<const formats::Checkpoint> checkpoint =
        formats::open_checkpoint(testing::shared_folder() / "fixtures/tiny/gemma3");
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
    Generator generator(context, *decoder, *tokenizer, {}, std::move(guide), std::move(prefix), options);
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
    GeneratorOptions options{
        .batch_rows = 1, .max_new_tokens = 20, .sampling = {.temperature = temperature}, .seed = 5};
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
    Generator generator(f.context, *f.decoder, *f.tokenizer, {}, guide, {2, 40, 41, 42, 43}, options);
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

TEST(Generator, AdaptersAnswerSideBySideAsAlone) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  std::vector<nn::Adapter> adapters;
  for (const char* kind : {"adapter-lora", "adapter-dora"}) {
    const auto path = testing::shared_folder() / "fixtures/tiny/gemma3" / kind;
    adapters.push_back(models::adapter_from_files(f.context, *f.decoder, nn::read_adapter(path), path.string()));
  }
  const auto guide = decode::compile_guide(Json{{"regex", "(A|B)[C-K]{2,5}!"}}, f.tokenizer);
  const GeneratorOptions options{.batch_rows = 5, .max_new_tokens = 12, .sampling = {.temperature = 1.0F}, .seed = 5};
  using Key = std::pair<std::int64_t, int>;
  const auto run = [&](std::span<const nn::Adapter> used, int first_sample) {
    for (auto& r : f.requests) r.num_samples = 2, r.first_sample = first_sample;
    Generator generator(f.context, *f.decoder, *f.tokenizer, used, guide, {2, 40, 41, 42, 43}, options);
    std::map<Key, std::pair<std::string, double>> got;
    generator.run(f.requests, [&](Answer&& a) {
      EXPECT_TRUE(got.emplace(Key(a.index, a.sample), std::pair(a.text, a.log_probability)).second);
    });
    return got;
  };
  auto want = run(std::span(adapters).first(1), 0);
  want.merge(run(std::span(adapters).last(1), 2));
  EXPECT_EQ(want.size(), 36U);
  EXPECT_EQ(run(adapters, 0), want);
  EXPECT_NE(run({}, 0), run(std::span(adapters).first(1), 0));
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
