// Rows of one batch with different adapters: each has the bits that it has alone.
#include <gtest/gtest.h>

#include "onggi/models/adapter_io.h"
#include "onggi/models/head.h"
#include "tests/support/shared.h"

namespace onggi::models {
namespace {

struct Served {
  explicit Served(const std::string& model, Compute compute, int threads) : pool(threads), context(pool) {
    const auto folder = testing::shared_folder() / "fixtures/tiny" / model;
    decoder = Decoder::load(formats::open_checkpoint(folder), context, compute);
    for (const char* kind : {"lora", "dora"}) {
      const auto path = folder / (std::string("adapter-") + kind);
      for (const auto type : {nn::AdapterType::kF32, nn::AdapterType::kInt8}) {
        adapters.push_back(serving_adapter(context, *decoder, nn::read_adapter(path), path.string(), type));
      }
    }
  }

  /// Logits of the last token of each row, row r of `lengths[r]` tokens.
  std::vector<std::vector<float>> logits(std::span<const int> rows, std::span<const nn::Adapter* const> row_adapters,
                                         bool is_pruned) {
    Batch batch;
    std::vector<nn::KvSequence> sequences(rows.size(), nn::KvSequence(decoder->kv_shape()));
    std::vector<std::int64_t> last;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const int count = 1 + 5 * rows[i];
      batch.rows.push_back({&sequences[i], batch.num_tokens(), count});
      for (int t = 0; t < count; ++t) batch.tokens.push_back(3 + (rows[i] * 31 + t * 17) % 300);
      last.push_back(batch.num_tokens() - 1);
    }
    batch.row_adapters.assign(row_adapters.begin(), row_adapters.end());
    if (is_pruned) batch.needed = last;
    nn::FloatBuffer h, out;
    decoder->forward(context, batch, nullptr, h);
    Head(*decoder).logits(context, h, last, nullptr, out);
    const auto columns = static_cast<std::size_t>(decoder->head().rows);
    std::vector<std::vector<float>> all;
    for (std::size_t i = 0; i < rows.size(); ++i)
      all.emplace_back(out.data() + i * columns, out.data() + (i + 1) * columns);
    return all;
  }

  ThreadPool pool;
  nn::Context context;
  std::unique_ptr<Decoder> decoder;
  std::vector<nn::Adapter> adapters;
};

class RowAdapters : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tiny, RowAdapters, ::testing::Values("gemma3", "llama", "qwen2", "qwen3"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(RowAdapters, HaveTheBitsThatTheyHaveAlone) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  for (const Compute compute : {Compute::kF32, Compute::kInt8}) {
    Served f(GetParam(), compute, 2);
    const nn::Adapter* lora = &f.adapters[0];
    const nn::Adapter* int8_lora = &f.adapters[1];
    const nn::Adapter* dora = &f.adapters[2];
    const nn::Adapter* int8_dora = &f.adapters[3];
    const std::vector<int> rows = {0, 1, 2, 3, 4, 5, 6, 7};
    const std::vector<const nn::Adapter*> mixed = {lora, nullptr, dora, int8_dora, int8_lora, nullptr, int8_lora, lora};
    for (const bool is_pruned : {false, true}) {
      const auto together = f.logits(rows, mixed, is_pruned);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto alone = f.logits(std::span(rows).subspan(i, 1), std::span(mixed).subspan(i, 1), is_pruned);
        EXPECT_EQ(together[i], alone[0]) << "row " << i << " pruned " << is_pruned;
      }
      const std::vector<const nn::Adapter*> none(rows.size(), nullptr);
      EXPECT_NE(together[0], f.logits(rows, none, is_pruned)[0]);  // the adapters do something
    }
  }
}

}  // namespace
}  // namespace onggi::models
