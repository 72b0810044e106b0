#include "onggi/runtime/engine.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "onggi/models/adapter_io.h"
#include "onggi/runtime/test_support.h"
#include "tests/support/shared.h"

namespace onggi::runtime {
namespace {

struct Fixture {
  explicit Fixture(int threads = 2) : pool(threads), context(pool) {
    const auto folder = testing::shared_folder() / "fixtures/tiny/gemma3";
    decoder = models::Decoder::load(formats::open_checkpoint(folder), context, models::Compute::kF32);
    for (const char* kind : {"adapter-lora", "adapter-dora"}) {
      adapters.push_back(std::make_shared<nn::Adapter>(
          models::adapter_from_files(context, *decoder, nn::read_adapter(folder / kind), kind)));
    }
  }

  /// Request r: its own length, adapter, sampling and guide; many begin alike.
  Job job(int r, std::map<int, Answer>& answers) {
    auto settings = std::make_shared<AnswerSettings>();
    if (r % 3 > 0) settings->adapter = adapters[static_cast<std::size_t>(r % 3 - 1)];
    if (r % 2 == 1) settings->guide = guide;
    settings->sampling.temperature = r % 4 < 2 ? 0.0F : 1.0F;
    settings->seed = static_cast<std::uint64_t>(r);
    settings->max_new_tokens = 5 + r % 7;
    settings->num_alternatives = r % 5;
    settings->cache_key = "adapter " + std::to_string(r % 3);
    Request request{.index = r};
    for (int i = 0; i < 90 + 13 * (r % 11); ++i)
      request.prompt.push_back(3 + (i < 80 ? i * 17 : r * 31 + i * 17) % 300);
    return {.request = std::move(request), .settings = settings, .prefix = nullptr, .done = [&answers, r](Answer&& a) {
              answers[r] = std::move(a);
            }};
  }

  std::map<int, Answer> run(int count, EngineOptions options) {
    Engine engine(context, *decoder, *tokenizer, options);
    std::map<int, Answer> answers;
    std::vector<Job> jobs;
    for (int r = 0; r < count; ++r) jobs.push_back(job(r, answers));
    engine.submit(std::move(jobs));
    while (engine.step() != Step::kIdle) {
    }
    counts = engine.counts();
    return answers;
  }

  ThreadPool pool;
  nn::Context context;
  std::unique_ptr<models::Decoder> decoder;
  std::vector<std::shared_ptr<const nn::Adapter>> adapters;
  std::shared_ptr<const text::Tokenizer> tokenizer = std::make_shared<NumberTokenizer>();
  std::shared_ptr<const decode::Guide> guide = decode::compile_guide(Json{{"regex", "(A|B)[C-K]{2,9}!"}}, tokenizer);
  EngineCounts counts;
};

void expect_equal(const std::map<int, Answer>& got, const std::map<int, Answer>& want, const std::string& where) {
  ASSERT_EQ(got.size(), want.size()) << where;
  for (const auto& [r, answer] : want) {
    const Answer& other = got.at(r);
    EXPECT_EQ(other.text, answer.text) << where << ", request " << r;
    EXPECT_EQ(other.log_probability, answer.log_probability) << where << ", request " << r;
    EXPECT_EQ(other.failure, answer.failure);
    ASSERT_EQ(other.alternatives.size(), answer.alternatives.size());
    for (std::size_t t = 0; t < answer.alternatives.size(); ++t) {
      ASSERT_EQ(other.alternatives[t].size(), answer.alternatives[t].size());
      for (std::size_t a = 0; a < answer.alternatives[t].size(); ++a) {
        EXPECT_EQ(other.alternatives[t][a].id, answer.alternatives[t][a].id);
        EXPECT_EQ(other.alternatives[t][a].log_probability, answer.alternatives[t][a].log_probability);
      }
    }
  }
}

TEST(Engine, BatchChunksCacheAndThreadsChangeNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  constexpr int kCount = 24;
  const auto want = Fixture(1).run(kCount, {.batch_rows = 1, .chunk_tokens = 1000});
  for (const EngineOptions& options :
       {EngineOptions{.batch_rows = 7}, EngineOptions{.batch_rows = 64, .chunk_tokens = 33},
        EngineOptions{.batch_rows = 5, .prefill_tokens = 1, .cache_tokens = 4000},
        EngineOptions{.batch_rows = 16, .chunk_tokens = 50, .cache_tokens = 130}}) {
    Fixture f(2);
    expect_equal(
        f.run(kCount, options), want,
        "batch of " + std::to_string(options.batch_rows) + ", chunks of " + std::to_string(options.chunk_tokens));
    if (options.cache_tokens == 4000) {
      EXPECT_GT(f.counts.cached_tokens, 0);
    }
  }
}

TEST(Engine, EndsWhatNobodyWants) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  const auto want = f.run(6, {.batch_rows = 4});
  Engine engine(f.context, *f.decoder, *f.tokenizer, {.batch_rows = 4});
  std::map<int, Answer> answers;
  std::vector<Job> jobs;
  int num_asked = 0;
  for (int r = 0; r < 6; ++r) jobs.push_back(f.job(r, answers));
  jobs[1].wish = [&] { return ++num_asked > 3 ? Wish::kStop : Wish::kGoOn; };  // in the middle
  jobs[5].wish = [] { return Wish::kStop; };                                   // before its turn
  engine.submit(std::move(jobs));
  while (engine.step() != Step::kIdle) {
  }
  ASSERT_EQ(answers.size(), 6U);
  for (const int r : {1, 5}) EXPECT_TRUE(answers.at(r).is_cancelled);
  for (const int r : {0, 2, 3, 4}) EXPECT_EQ(answers.at(r).log_probability, want.at(r).log_probability);
  EXPECT_EQ(engine.counts().cancelled_rows, 2);
}

TEST(Engine, ARowThatWaitsGoesOnWithTheSameAnswer) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  const auto want = f.run(2, {});
  Engine engine(f.context, *f.decoder, *f.tokenizer, {});
  std::map<int, Answer> answers;
  std::vector<Job> jobs;
  for (int r = 0; r < 2; ++r) jobs.push_back(f.job(r, answers));
  bool waits = true;
  std::size_t num_seen = 0;
  jobs[0].wish = [&] { return waits ? Wish::kWait : Wish::kGoOn; };
  jobs[0].grown = [&](const Answer& a, std::span<const int> samples) {
    EXPECT_EQ(samples.size(), 1U);
    EXPECT_GT(a.tokens.size(), num_seen);
    num_seen = a.tokens.size();
  };
  engine.submit(std::move(jobs));
  while (engine.step() == Step::kComputed) {
  }
  EXPECT_EQ(engine.step(), Step::kWaiting);
  EXPECT_TRUE(answers.contains(1));
  EXPECT_FALSE(answers.contains(0));
  waits = false;
  while (engine.step() != Step::kIdle) {
  }
  expect_equal(answers, want, "after waiting");
  EXPECT_GT(num_seen, 0U);
}

TEST(Engine, UrgentRequestsGoFirst) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  Engine engine(f.context, *f.decoder, *f.tokenizer, {.batch_rows = 1});
  std::map<int, Answer> answers;
  std::vector<int> order;
  std::vector<Job> jobs;
  for (int r = 0; r < 4; ++r) {
    jobs.push_back(f.job(r, answers));
    jobs.back().done = [&order, r](Answer&&) { order.push_back(r); };
    jobs.back().is_urgent = r >= 2;
  }
  engine.submit(std::move(jobs));
  EXPECT_EQ(engine.num_waiting(), 4U);
  while (engine.step() != Step::kIdle) {
  }
  EXPECT_EQ(order, (std::vector<int>{2, 3, 0, 1}));
}

TEST(Engine, UrgentRequestsOvertakeWhatRunsAndChangeNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  const auto want = f.run(12, {});
  Engine engine(f.context, *f.decoder, *f.tokenizer, {.batch_rows = 4});
  std::map<int, Answer> answers;
  std::vector<int> order;
  const auto submit = [&](int begin, int end, bool is_urgent) {
    std::vector<Job> jobs;
    for (int r = begin; r < end; ++r) {
      jobs.push_back(f.job(r, answers));
      jobs.back().is_urgent = is_urgent;
      jobs.back().done = [&, r](Answer&& a) {
        order.push_back(r);
        answers[r] = std::move(a);
      };
    }
    engine.submit(std::move(jobs));
  };
  submit(0, 10, false);
  engine.step();  // four of them have all the places
  submit(10, 12, true);
  while (engine.step() != Step::kIdle) {
  }
  expect_equal(answers, want, "overtaken");
  const auto last_urgent = std::ranges::find(order, 10) > std::ranges::find(order, 11) ? std::ranges::find(order, 10)
                                                                                       : std::ranges::find(order, 11);
  EXPECT_LT(last_urgent - order.begin(), 6);
}

TEST(Engine, AnAnswerEndsBeforeItsStopText) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  std::map<int, Answer> plain, stopped;
  const auto run = [&](std::vector<std::string> stop_texts, std::map<int, Answer>& answers) {
    Engine engine(f.context, *f.decoder, *f.tokenizer, {});
    Job job = f.job(0, answers);
    auto settings = std::make_shared<AnswerSettings>(*job.settings);
    settings->max_new_tokens = 12;
    settings->stop_texts = std::move(stop_texts);
    job.settings = settings;
    engine.submit({job});
    while (engine.step() != Step::kIdle) {
    }
  };
  run({}, plain);
  const std::string& text = plain.at(0).text;
  ASSERT_GE(text.size(), 8U);
  const std::string stop = text.substr(4, 3);
  run({"not in it", stop}, stopped);
  EXPECT_EQ(stopped.at(0).text, text.substr(0, text.find(stop)));
  EXPECT_TRUE(stopped.at(0).complete);
  EXPECT_TRUE(plain.at(0).is_cut);
}

TEST(Engine, BiasAndPenaltiesChangeWhatIsDrawn) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  const auto run = [&](const std::function<void(AnswerSettings&)>& change) {
    std::map<int, Answer> answers;
    Engine engine(f.context, *f.decoder, *f.tokenizer, {});
    Job job = f.job(0, answers);
    auto settings = std::make_shared<AnswerSettings>(*job.settings);
    settings->max_new_tokens = 20;
    change(*settings);
    job.settings = settings;
    engine.submit({job});
    while (engine.step() != Step::kIdle) {
    }
    std::vector<int> ids;
    for (const auto& token : answers.at(0).tokens) ids.push_back(token.id);
    return ids;
  };
  const auto plain = run([](AnswerSettings&) {});
  EXPECT_EQ(run([](AnswerSettings& s) { s.logit_bias = {{77, 1000.0F}}; }), std::vector<int>(20, 77));
  const auto without = run([&](AnswerSettings& s) { s.logit_bias = {{plain[0], -1000.0F}}; });
  EXPECT_EQ(std::ranges::count(without, plain[0]), 0);
  const auto once = [](const std::vector<int>& ids) {
    return std::set<int>(ids.begin(), ids.end()).size() == ids.size();
  };
  EXPECT_TRUE(once(run([](AnswerSettings& s) { s.presence_penalty = 1000.0F; })));
  EXPECT_TRUE(once(run([](AnswerSettings& s) { s.frequency_penalty = 1000.0F; })));
  EXPECT_NE(run([](AnswerSettings& s) { s.repetition_penalty = 5.0F; }), plain);
}

TEST(Engine, AlternativesAreTheLikeliestTokens) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f;
  const auto answers = f.run(5, {});
  const Answer& greedy = answers.at(4);  // 4 alternatives, no guide
  ASSERT_EQ(greedy.alternatives.size(), greedy.tokens.size());
  for (std::size_t t = 0; t < greedy.tokens.size(); ++t) {
    ASSERT_EQ(greedy.alternatives[t].size(), 4U);
    EXPECT_EQ(greedy.alternatives[t][0].id, greedy.tokens[t].id);
    EXPECT_NEAR(greedy.alternatives[t][0].log_probability, greedy.tokens[t].log_probability, 1e-6);
    EXPECT_GE(greedy.alternatives[t][0].log_probability, greedy.alternatives[t][1].log_probability);
  }
}

}  // namespace
}  // namespace onggi::runtime
