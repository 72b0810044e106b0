// Parity with Hugging Face transformers in f32 on tiny random checkpoints: logits, loss, every gradient, greedy ids.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/formats/safetensors.h"
#include "onggi/models/decoder.h"
#include "onggi/models/head.h"
#include "onggi/quant/blocks.h"
#include "tests/support/shared.h"

namespace onggi::models {
namespace {

using testing::shared_folder;

std::vector<float> floats(const formats::TensorView& t) {
  std::vector<float> out(static_cast<std::size_t>(t.num_elements()));
  quant::decode(t.type, t.data.data(), t.num_elements(), out.data());
  return out;
}

double relative_to_largest(std::span<const float> got, std::span<const float> want) {
  double worst = 0.0;
  double largest = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - want[i]));
    largest = std::max(largest, std::abs(static_cast<double>(want[i])));
  }
  return worst / largest;
}

double relative_l2(std::span<const float> got, std::span<const float> want) {
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - want[i], 2);
    norm += std::pow(static_cast<double>(want[i]), 2);
  }
  return std::sqrt(difference / std::max(norm, 1e-30));
}

struct Fixture {
  explicit Fixture(const std::string& name, const kernels::Kernels& table = kernels::kernels())
      : pool(2), context(pool, table), folder(shared_folder() / "fixtures/tiny" / name) {
    checkpoint = formats::open_checkpoint(folder);
    decoder = Decoder::load(checkpoint, context, Compute::kF32);
    golden = parse_json(read_file(folder / "golden.json"), "golden.json");
    tensors = std::make_unique<formats::SafetensorsFile>(folder / "golden.safetensors");
  }

  std::vector<float> logits(const std::vector<int>& ids, int chunk = 1 << 20) {
    nn::KvSequence sequence(decoder->kv_shape());
    Head head(*decoder);
    std::vector<float> all;
    for (std::size_t at = 0; at < ids.size(); at += static_cast<std::size_t>(chunk)) {
      const auto count = std::min<std::size_t>(static_cast<std::size_t>(chunk), ids.size() - at);
      Batch batch;
      batch.tokens.assign(ids.begin() + static_cast<std::ptrdiff_t>(at), ids.begin() + static_cast<std::ptrdiff_t>(at + count));
      batch.rows.push_back({&sequence, 0, static_cast<int>(count)});
      nn::FloatBuffer h;
      decoder->forward(context, batch, nullptr, h);
      std::vector<std::int64_t> tokens(count);
      std::iota(tokens.begin(), tokens.end(), 0);
      nn::FloatBuffer out;
      head.logits(context, h, tokens, nullptr, out);
      all.insert(all.end(), out.data(), out.data() + static_cast<std::ptrdiff_t>(count) * decoder->config().vocab_size);
    }
    return all;
  }

  ThreadPool pool;
  nn::Context context;
  std::filesystem::path folder;
  std::shared_ptr<const formats::Checkpoint> checkpoint;
  std::unique_ptr<Decoder> decoder;
  Json golden;
  std::unique_ptr<formats::SafetensorsFile> tensors;
};

class Parity : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tiny, Parity, ::testing::Values("gemma3", "llama", "qwen2", "qwen3"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Parity, LogitsAreTheReferencesForEveryInstructionSet) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  for (const auto* table : kernels::available_kernels()) {
    Fixture f(GetParam(), *table);
    for (int i = 0; i < 3; ++i) {
      const auto ids = f.golden["rows"][static_cast<std::size_t>(i)]["input_ids"].get<std::vector<int>>();
      const auto want = floats(*f.tensors->find("logits." + std::to_string(i)));
      EXPECT_LT(relative_to_largest(f.logits(ids), want), 1e-5) << table->isa << " row " << i;
    }
    const auto want = floats(*f.tensors->find("logits.long"));
    EXPECT_LT(relative_to_largest(f.logits(f.golden["long"].get<std::vector<int>>()), want), 1e-5) << table->isa;
  }
}

TEST_P(Parity, PiecesOfAPromptGiveTheSameBitsAsTheWhole) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f(GetParam());
  const auto ids = f.golden["long"].get<std::vector<int>>();
  const auto whole = f.logits(ids);
  for (const int chunk : {1, 5, 16, 17}) EXPECT_EQ(f.logits(ids, chunk), whole) << "chunk " << chunk;
}

TEST_P(Parity, NeighboursInABatchChangeNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f(GetParam());
  std::vector<std::vector<int>> rows;
  for (const auto& row : f.golden["rows"]) rows.push_back(row["input_ids"].get<std::vector<int>>());
  rows.push_back(f.golden["long"].get<std::vector<int>>());
  Batch batch;
  std::vector<std::unique_ptr<nn::KvSequence>> sequences;
  for (const auto& ids : rows) {
    sequences.push_back(std::make_unique<nn::KvSequence>(f.decoder->kv_shape()));
    batch.rows.push_back({sequences.back().get(), batch.num_tokens(), static_cast<int>(ids.size())});
    batch.tokens.insert(batch.tokens.end(), ids.begin(), ids.end());
  }
  nn::FloatBuffer h;
  f.decoder->forward(f.context, batch, nullptr, h);
  const std::int64_t d = f.decoder->config().hidden_size;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    nn::KvSequence alone(f.decoder->kv_shape());
    Batch single;
    single.tokens = rows[r];
    single.rows.push_back({&alone, 0, static_cast<int>(rows[r].size())});
    nn::FloatBuffer h_single;
    ThreadPool one_thread(1);
    nn::Context context(one_thread);
    f.decoder->forward(context, single, nullptr, h_single);
    EXPECT_TRUE(std::equal(h_single.data(), h_single.data() + single.num_tokens() * d, h.data() + batch.rows[r].first * d));
  }
}

TEST_P(Parity, LossAndEveryGradientAreTheReferences) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f(GetParam());
  f.decoder->make_trainable(f.context);
  Batch batch;
  std::vector<std::unique_ptr<nn::KvSequence>> sequences;
  std::vector<ScoredPosition> scored;
  for (const auto& row : f.golden["rows"]) {
    const auto ids = row["input_ids"].get<std::vector<int>>();
    const auto labels = row["labels"].get<std::vector<int>>();
    sequences.push_back(std::make_unique<nn::KvSequence>(f.decoder->kv_shape()));
    batch.rows.push_back({sequences.back().get(), batch.num_tokens(), static_cast<int>(ids.size())});
    for (std::size_t t = 1; t < labels.size(); ++t) {
      if (labels[t] >= 0) scored.push_back({batch.num_tokens() + static_cast<std::int64_t>(t) - 1, labels[t], {}});
    }
    batch.tokens.insert(batch.tokens.end(), ids.begin(), ids.end());
  }
  nn::FloatBuffer h;
  nn::FloatBuffer dh;
  Trace trace;
  f.decoder->forward(f.context, batch, nullptr, h, &trace);
  dh.resize(batch.num_tokens() * f.decoder->config().hidden_size);
  Head head(*f.decoder);
  const float scale = 1.0F / static_cast<float>(scored.size());
  const double sum = head.loss(f.context, h, scored, nullptr, scale, &dh);
  EXPECT_NEAR(sum * scale, f.golden["loss"].get<double>(), 1e-5);
  f.decoder->backward(f.context, batch, trace, nullptr, dh);
  for (const auto* p : f.decoder->parameters()) {
    const auto* want = f.tensors->find("grad." + p->name);
    ASSERT_NE(want, nullptr) << p->name;
    EXPECT_LT(relative_l2(p->grad, floats(*want)), 1e-4) << p->name;
  }
}

TEST_P(Parity, GreedyIdsAreTheReferences) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  Fixture f(GetParam());
  auto next = f.golden["greedy"]["prompt"].get<std::vector<int>>();
  nn::KvSequence sequence(f.decoder->kv_shape());
  Head head(*f.decoder);
  std::vector<int> got;
  const auto want = f.golden["greedy"]["ids"].get<std::vector<int>>();
  while (got.size() < want.size()) {
    Batch batch;
    batch.tokens = next;
    batch.rows.push_back({&sequence, 0, static_cast<int>(next.size())});
    nn::FloatBuffer h;
    f.decoder->forward(f.context, batch, nullptr, h);
    const std::int64_t last = batch.num_tokens() - 1;
    nn::FloatBuffer out;
    head.logits(f.context, h, {&last, 1}, nullptr, out);
    got.push_back(static_cast<int>(std::max_element(out.data(), out.data() + f.decoder->config().vocab_size) - out.data()));
    next = {got.back()};
  }
  EXPECT_EQ(got, want);
}

TEST_P(Parity, SharedPrefixHasTheGradientsOfRepeatedOnes) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  const auto gradients = [&](bool shared) {
    Fixture f(GetParam());
    f.decoder->make_trainable(f.context);
    const auto all = f.golden["long"].get<std::vector<int>>();
    const std::vector<int> prefix(all.begin(), all.begin() + 21);
    const std::vector<std::vector<int>> rests = {{all.begin() + 21, all.begin() + 30}, {all.begin() + 30, all.begin() + 48}};
    Batch batch;
    std::vector<std::unique_ptr<nn::KvSequence>> sequences;
    std::vector<ScoredPosition> scored;
    const auto add = [&](const std::vector<int>& ids, int prefix_row) {
      sequences.push_back(std::make_unique<nn::KvSequence>(f.decoder->kv_shape()));
      batch.rows.push_back({sequences.back().get(), batch.num_tokens(), static_cast<int>(ids.size()), prefix_row});
      batch.tokens.insert(batch.tokens.end(), ids.begin(), ids.end());
    };
    if (shared) add(prefix, -1);
    for (const auto& rest : rests) {
      std::vector<int> ids = rest;
      if (!shared) ids.insert(ids.begin(), prefix.begin(), prefix.end());
      add(ids, shared ? 0 : -1);
      const std::int64_t end = batch.num_tokens();
      for (std::int64_t t = end - 5; t < end - 1; ++t) scored.push_back({t, batch.tokens[static_cast<std::size_t>(t) + 1], {}});
    }
    nn::FloatBuffer h;
    nn::FloatBuffer dh;
    Trace trace;
    f.decoder->forward(f.context, batch, nullptr, h, &trace);
    dh.resize(batch.num_tokens() * f.decoder->config().hidden_size);
    Head head(*f.decoder);
    head.loss(f.context, h, scored, nullptr, 0.125F, &dh);
    f.decoder->backward(f.context, batch, trace, nullptr, dh);
    std::vector<std::vector<float>> out;
    for (const auto* p : f.decoder->parameters()) out.push_back(p->grad);
    return out;
  };
  const auto want = gradients(false);
  const auto got = gradients(true);
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_LT(relative_l2(got[i], want[i]), 1e-5) << i;
}

}  // namespace
}  // namespace onggi::models
