// A base held in another type computes what the same base with its weights decoded to f32 computes, bit for bit.
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/random.h"
#include "onggi/formats/safetensors_writer.h"
#include "onggi/models/adapter_io.h"
#include "onggi/models/head.h"
#include "onggi/quant/blocks.h"
#include "tests/support/shared.h"

namespace onggi::models {
namespace {

namespace fs = std::filesystem;

bool is_linear(const std::string& name) { return name.find("_proj.weight") != std::string::npos; }

std::vector<float> through(BaseType type, const formats::TensorView& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.num_elements()));
  quant::decode(tensor.type, tensor.data.data(), tensor.num_elements(), values.data());
  if (type == BaseType::kNF4) {
    const auto encoded = quant::encode_nf4(values);
    quant::decode_nf4(encoded.view(), 0, encoded.num_elements, values.data());
  } else if (type != BaseType::kF32) {
    const auto to = type == BaseType::kBF16 ? quant::DType::kBF16 : quant::DType::kQ8_0;
    std::vector<std::byte> bytes(static_cast<std::size_t>(quant::num_bytes(to, tensor.num_elements())));
    quant::encode(to, values.data(), tensor.num_elements(), bytes.data());
    quant::decode(to, bytes.data(), tensor.num_elements(), values.data());
  }
  return values;
}

/// The same model with its linear layers rounded to `type` and written as F32.
void write_decoded(const fs::path& source, BaseType type, const fs::path& folder) {
  fs::create_directories(folder);
  const auto checkpoint = formats::open_checkpoint(source);
  std::map<std::string, std::vector<float>> values;
  std::vector<formats::TensorToWrite> tensors;
  for (const auto& tensor : checkpoint->tensors()) {
    auto& v = values[tensor.name] = through(is_linear(tensor.name) ? type : BaseType::kF32, tensor);
    tensors.push_back({tensor.name, quant::DType::kF32, tensor.shape, std::as_bytes(std::span(v)), {}});
  }
  formats::write_safetensors(folder / "model.safetensors", tensors, {});
  write_file_atomic(folder / "config.json", read_file(source / "config.json"));
}

struct Result {
  std::vector<float> h;
  std::vector<std::vector<float>> gradients;
};

Result run(Decoder& decoder, nn::Context& context, nn::Adapter& adapter) {
  adapter.zero_gradients();
  nn::KvSequence sequence(decoder.kv_shape());
  Batch batch;
  std::vector<ScoredPosition> scored;
  for (int i = 0; i < 30; ++i) batch.tokens.push_back((i * 37 + 5) % decoder.config().vocab_size);
  for (int i = 10; i + 1 < 30; ++i) scored.push_back({i, batch.tokens[static_cast<std::size_t>(i) + 1], {}});
  batch.rows.push_back({&sequence, 0, 30});
  nn::FloatBuffer h;
  nn::FloatBuffer dh;
  Trace trace;
  decoder.forward(context, batch, &adapter, h, &trace);
  const std::int64_t size = batch.num_tokens() * decoder.config().hidden_size;
  std::memset(dh.resize(size), 0, static_cast<std::size_t>(size) * sizeof(float));
  Head(decoder).loss(context, h, scored, nullptr, 0.1F, &dh);
  Result result{{h.data(), h.data() + size}, {}};
  decoder.backward(context, batch, trace, &adapter, dh);
  for (const auto* p : adapter.parameters()) result.gradients.push_back(p->grad);
  return result;
}

class BaseTypes : public ::testing::TestWithParam<const char*> {
 protected:
  BaseTypes() : folder_(fs::path(::testing::TempDir()) / ("onggi_base_type_" + std::to_string(::getpid()))) { fs::remove_all(folder_); }
  ~BaseTypes() override { fs::remove_all(folder_); }
  fs::path folder_;
};
INSTANTIATE_TEST_SUITE_P(Tiny, BaseTypes, ::testing::Values("gemma3", "llama", "qwen2", "qwen3"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(BaseTypes, ComputeWhatTheDecodedWeightsCompute) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  const fs::path source = testing::shared_folder() / "fixtures/tiny" / GetParam();
  for (const auto* table : kernels::available_kernels()) {
    for (const BaseType type : {BaseType::kF32, BaseType::kBF16, BaseType::kNF4, BaseType::kQ8_0}) {
      ThreadPool pool(2);
      nn::Context context(pool, *table);
      std::unique_ptr<Decoder> held;
      try {
        held = Decoder::load(formats::open_checkpoint(source), context, Compute::kF32, type);
      } catch (const Error& e) {
        // Widths of 48 are no multiple of Q8_0's block.
        EXPECT_EQ(type, BaseType::kQ8_0);
        EXPECT_NE(e.message().find("no multiple of the block of q8_0"), std::string::npos) << e.message();
        continue;
      }
      write_decoded(source, type, folder_ / "decoded");
      const auto decoded = Decoder::load(formats::open_checkpoint(folder_ / "decoded"), context, Compute::kF32);
      for (const char* adapter_name : {"adapter-lora", "adapter-dora"}) {
        auto files = nn::read_adapter(source / adapter_name);
        auto reference = adapter_from_files(context, *decoded, files, adapter_name);
        EXPECT_THROW(adapter_from_files(context, *held, files, adapter_name), Error) << "it was trained on another type";
        files.origin = {{"base_type", std::string(base_type_name(type))}};
        auto adapter = adapter_from_files(context, *held, files, adapter_name);
        const Result want = run(*decoded, context, reference);
        const Result got = run(*held, context, adapter);
        EXPECT_EQ(got.h, want.h) << table->isa << " " << base_type_name(type) << " " << adapter_name;
        EXPECT_EQ(got.gradients, want.gradients) << table->isa << " " << base_type_name(type) << " " << adapter_name;
      }
    }
  }
}

TEST_P(BaseTypes, TakeTheSameBitsWithAnyNumberOfThreads) {
  ONGGI_NEED_SHARED("fixtures/tiny");
  const fs::path source = testing::shared_folder() / "fixtures/tiny" / GetParam();
  std::vector<Result> results;
  for (const int threads : {1, 2}) {
    ThreadPool pool(threads);
    nn::Context context(pool);
    const auto decoder = Decoder::load(formats::open_checkpoint(source), context, Compute::kInt8, BaseType::kNF4);
    auto files = nn::read_adapter(source / "adapter-lora");
    files.origin = {{"base_type", "nf4"}};
    auto adapter = adapter_from_files(context, *decoder, files, "adapter");
    results.push_back(run(*decoder, context, adapter));
  }
  EXPECT_EQ(results[0].h, results[1].h);
}

TEST(BaseType, NamesGoBothWays) {
  for (const char* name : {"keep", "f32", "bf16", "q8_0", "nf4"}) EXPECT_EQ(base_type_name(base_type_from_name(name)), name);
  EXPECT_THROW(base_type_from_name("int4"), Error);
}

/// Wide enough that a product takes several panels and pieces of depth, with a width that cuts NF4's blocks.
TEST(BaseType, Nf4ProductsEqualThoseOfTheDecodedMatrix) {
  ThreadPool pool(2);
  for (const auto* table : kernels::available_kernels()) {
    nn::Context context(pool, *table);
    for (const std::int64_t columns : {64, 65, 600, 1111}) {
      const std::int64_t rows = 70, tokens = 5;
      std::vector<float> values(static_cast<std::size_t>(rows * columns));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = uniform_float(1, 2, i) - 0.5F;
      const auto encoded = quant::encode_nf4(values);
      const auto view = encoded.view();
      quant::decode_nf4(view, 0, encoded.num_elements, values.data());
      const nn::WeightMatrix dense = nn::f32_matrix(values.data(), rows, columns);
      nn::WeightMatrix packed = dense;
      packed.type = quant::DType::kNF4;
      packed.row_bytes = 0;
      packed.data = nullptr;
      packed.nf4 = &view;
      nn::FloatBuffer x;
      float* in = x.resize(tokens * std::max(rows, columns));
      for (std::int64_t i = 0; i < tokens * std::max(rows, columns); ++i) in[i] = uniform_float(1, 3, static_cast<std::uint64_t>(i)) - 0.5F;
      std::vector<std::vector<float>> out;
      for (const nn::WeightMatrix& w : {dense, packed}) {
        std::vector<float> y(static_cast<std::size_t>(tokens * rows));
        const nn::LinearTarget target{.x = in, .x_stride = columns, .weight = w, .y = y.data(), .y_stride = rows};
        nn::matmul_transposed(context, tokens, {&target, 1});
        std::vector<float> z(static_cast<std::size_t>(tokens * columns));
        nn::matmul(context, in, rows, tokens, w, z.data(), columns, false);
        y.insert(y.end(), z.begin(), z.end());
        out.push_back(std::move(y));
      }
      EXPECT_EQ(out[0], out[1]) << table->isa << " " << columns;
    }
  }
}

}  // namespace
}  // namespace onggi::models
