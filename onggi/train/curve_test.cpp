// Twenty AdamW steps of PEFT adapters on tiny models: first logits, loss and gradient norm of each step, weights after.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/formats/safetensors.h"
#include "onggi/models/adapter_io.h"
#include "onggi/models/head.h"
#include "onggi/quant/blocks.h"
#include "onggi/train/optimizer.h"
#include "onggi/train/sft_step.h"
#include "tests/support/shared.h"

namespace onggi::train {
namespace {

std::vector<float> floats(const formats::TensorView& t) {
  std::vector<float> out(static_cast<std::size_t>(t.num_elements()));
  quant::decode(t.type, t.data.data(), t.num_elements(), out.data());
  return out;
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

class AdapterCurve : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Tiny, AdapterCurve,
                         ::testing::Combine(::testing::Values("gemma3", "llama", "qwen2", "qwen3"),
                                            ::testing::Values("lora", "rslora", "dora", "patterns")),
                         [](const auto& info) { return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param); });

TEST_P(AdapterCurve, IsPefts) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  const auto [name, kind] = GetParam();
  const auto folder = onggi::testing::shared_folder() / "fixtures/tiny" / name;
  const auto adapter_folder = folder / (std::string("adapter-") + kind);
  ThreadPool pool(2);
  nn::Context context(pool);
  const std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(folder);
  const auto decoder = models::Decoder::load(checkpoint, context, models::Compute::kF32);
  auto adapter = models::adapter_from_files(context, *decoder, nn::read_adapter(adapter_folder), adapter_folder.string());
  const Json golden = parse_json(read_file(folder / "golden.json"), "golden.json");
  const formats::SafetensorsFile tensors(adapter_folder / "golden.safetensors");

  models::Head head(*decoder);
  nn::KvSequence sequence(decoder->kv_shape());
  models::Batch batch;
  batch.tokens = golden["long"].get<std::vector<int>>();
  batch.rows.push_back({&sequence, 0, static_cast<int>(batch.tokens.size())});
  nn::FloatBuffer h;
  nn::FloatBuffer logits;
  decoder->forward(context, batch, &adapter, h);
  std::vector<std::int64_t> all(batch.tokens.size());
  std::iota(all.begin(), all.end(), 0);
  head.logits(context, h, all, nullptr, logits);
  const auto want = floats(*tensors.find("logits.long"));
  EXPECT_LT(relative_l2({logits.data(), want.size()}, want), 1e-5);

  AdamW optimizer(adapter.parameters(), {.weight_decay = 0.01});
  SupervisedStep step(context, *decoder, &adapter, nullptr);
  const Json& expected = golden[std::string("adapter-") + kind];
  for (std::size_t i = 0; i < expected["steps"].size(); ++i) {
    ExampleSet set;
    std::int64_t scored = 0;
    for (const auto& row : expected["steps"][i]) {
      const auto ids = row["input_ids"].get<std::vector<int>>();
      const auto labels = row["labels"].get<std::vector<int>>();
      std::size_t prompt = 0;
      while (labels[prompt] < 0) ++prompt;
      set.examples.push_back({{ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(prompt)}, {ids.begin() + static_cast<std::ptrdiff_t>(prompt), ids.end()}, {}, 0});
      scored += static_cast<std::int64_t>(ids.size() - prompt);
    }
    adapter.zero_gradients();
    std::vector<std::size_t> rows(set.examples.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    const double loss = step.accumulate(set, rows, scored) / static_cast<double>(scored);
    const double norm = clip_gradients(optimizer.parameters(), 1.0);
    optimizer.step(1e-2);
    decoder->pack_adapter(context, adapter);
    const double want_loss = expected["loss_and_norm"][i][0].get<double>();
    const double want_norm = expected["loss_and_norm"][i][1].get<double>();
    EXPECT_NEAR(loss, want_loss, 1e-3 * want_loss) << "step " << i;
    EXPECT_NEAR(norm, want_norm, 1e-3 * want_norm) << "step " << i;
  }
  for (const auto* p : optimizer.parameters()) {
    const nn::Parameter& parameter = *p;
    std::string key = "after.base_model.model." + parameter.name;
    for (const char* part : {".lora_A", ".lora_B", ".lora_magnitude_vector"}) {
      if (const auto at = key.find(part); at != std::string::npos) key.insert(at + std::string(part).size(), ".default");
    }
    const auto* after = tensors.find(key);
    if (after == nullptr) after = tensors.find(key + ".weight");
    ASSERT_NE(after, nullptr) << key;
    EXPECT_LT(relative_l2(parameter.value, floats(*after)), 1e-3) << key;
  }
}

}  // namespace
}  // namespace onggi::train
