// The encoder against Hugging Face transformers in f32 on a tiny random checkpoint and on MiniLM, and against itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <unistd.h>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/json.h"
#include "onggi/formats/safetensors.h"
#include "onggi/formats/safetensors_writer.h"
#include "onggi/models/bert/bert_encoder.h"
#include "onggi/quant/blocks.h"
#include "tests/support/shared.h"
#include "tests/support/tolerance.h"

namespace onggi::models {
namespace {

namespace fs = std::filesystem;
using Floats = std::vector<float>;
using Ids = std::vector<int>;

fs::path tiny() { return testing::shared_folder() / "fixtures/tiny/bert"; }
fs::path minilm() { return onggi_home() / "models/all-MiniLM-L6-v2"; }

Floats floats(const formats::TensorView& t) {
  Floats out(static_cast<std::size_t>(t.num_elements()));
  quant::decode(t.type, t.data.data(), t.num_elements(), out.data());
  return out;
}

struct Fixture {
  explicit Fixture(const fs::path& folder, Compute compute = Compute::kF32, int threads = 2,
                   const kernels::Kernels& table = kernels::kernels())
      : pool(threads), context(pool, table) {
    encoder = BertEncoder::load(formats::open_checkpoint(folder), context, compute);
  }

  Floats states(const EncoderRow& row) {
    Floats out;
    encoder->encode(context, {&row, 1}, [&](std::size_t, const float* states_SD) {
      out.assign(states_SD, states_SD + row.tokens.size() * static_cast<std::size_t>(encoder->config().hidden_size));
    });
    return out;
  }

  ThreadPool pool;
  nn::Context context;
  std::unique_ptr<BertEncoder> encoder;
};

TEST(Bert, HiddenStatesAreTheReferencesForEveryInstructionSet) {
  ONGGI_NEED_SHARED("fixtures/tiny/bert");
  const Json golden = parse_json(read_file(tiny() / "golden.json"), "golden.json");
  const formats::SafetensorsFile tensors(tiny() / "golden.safetensors");
  Floats first;
  for (const auto* table : kernels::available_kernels()) {
    Fixture f(tiny(), Compute::kF32, 1, *table);
    Floats all;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto ids = golden["input_ids"][i].get<Ids>();
      const auto types = golden["token_type_ids"][i].get<Ids>();
      const auto got = f.states({ids, types});
      const auto want = floats(*tensors.find("hidden." + std::to_string(i)));
      testing::expect_close(std::span<const float>(got), std::span<const float>(want), testing::kLongSum, "hidden");
      all.insert(all.end(), got.begin(), got.end());
    }
    if (first.empty()) first = all;
    testing::expect_equal_bits(all, first, std::string(table->isa).c_str());
  }
}

std::vector<Ids> some_rows(int vocab_size, std::size_t longest) {
  std::vector<Ids> rows;
  unsigned state = 7;
  for (const std::size_t size : {std::size_t{2}, std::size_t{17}, longest, std::size_t{1}, std::size_t{31}, std::size_t{16}, std::size_t{3}, std::size_t{33}}) {
    Ids ids;
    for (std::size_t i = 0; i < size; ++i) {
      state = state * 1664525U + 1013904223U;
      ids.push_back(static_cast<int>((state >> 8) % static_cast<unsigned>(vocab_size)));
    }
    rows.push_back(ids);
  }
  return rows;
}

TEST(Bert, NeighboursAndThreadsChangeNoBit) {
  ONGGI_NEED_SHARED("fixtures/tiny/bert");
  for (const Compute compute : {Compute::kF32, Compute::kInt8}) {
    Fixture one(tiny(), compute, 1), two(tiny(), compute, 2);
    const auto ids = some_rows(320, 64);
    std::vector<EncoderRow> rows;
    for (int copies = 0; copies < 5; ++copies) {
      for (const Ids& row : ids) rows.push_back({row, {}});
    }
    const auto together = two.encoder->pooled(two.context, rows, EncoderPooling::kMean);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto alone = one.encoder->pooled(one.context, {&rows[i], 1}, EncoderPooling::kMean);
      testing::expect_equal_bits(std::span(together).subspan(i * 48, 48), alone);
    }
    const auto first = one.encoder->pooled(one.context, {rows.data(), 1}, EncoderPooling::kFirst);
    testing::expect_equal_bits(first, std::span<const float>(one.states(rows[0])).first(48));
  }
}

TEST(Bert, RefusesRowsThatItCantTake) {
  ONGGI_NEED_SHARED("fixtures/tiny/bert");
  Fixture f(tiny());
  const auto code = [&](const Ids& ids, const Ids& types = {}) {
    try {
      f.states({ids, types});
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({320}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({-1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1}, {2}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2}, {0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(Ids(65, 1)), ErrorCode::kInvalidArgument);
}

/// The fixture's checkpoint with something changed, in a folder that goes with it.
class BrokenCheckpoint {
 public:
  BrokenCheckpoint() : config(parse_json(read_file(tiny() / "config.json"), "config.json")), source_(tiny() / "model.safetensors") {
    std::string name = (fs::temp_directory_path() / "onggi_bert_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    for (const auto& tensor : source_.tensors()) {
      tensors[tensor.name] = {.name = tensor.name, .type = tensor.type, .shape = tensor.shape, .data = tensor.data};
    }
  }
  ~BrokenCheckpoint() { fs::remove_all(folder_); }

  /// The error's message; empty where it loads.
  std::string load() {
    write_file_atomic(folder_ / "config.json", config.dump());
    std::vector<formats::TensorToWrite> all;
    for (const auto& [name, tensor] : tensors) all.push_back(tensor);
    formats::write_safetensors(folder_ / "model.safetensors", all, {});
    try {
      Fixture f(folder_);
    } catch (const Error& e) {
      return e.code() == ErrorCode::kInternal ? "internal" : e.message();
    }
    return {};
  }

  Json config;
  std::map<std::string, formats::TensorToWrite> tensors;

 private:
  fs::path folder_;
  formats::SafetensorsFile source_;
};

TEST(Bert, ACheckpointThatIsWrongIsRefusedByName) {
  ONGGI_NEED_SHARED("fixtures/tiny/bert");
  const auto expect = [](const char* part, auto&& change) {
    BrokenCheckpoint broken;
    change(broken);
    EXPECT_NE(broken.load().find(part), std::string::npos) << part << ": " << broken.load();
  };
  EXPECT_EQ(BrokenCheckpoint().load(), "");
  expect("encoder.layer.1.output.dense.bias\" is missing", [](auto& b) { b.tensors.erase("encoder.layer.1.output.dense.bias"); });
  expect("[320, 48], the config says [321, 48]", [](auto& b) { b.config["vocab_size"] = 321; });
  expect("[64, 48], the config says [63, 48]", [](auto& b) { b.config["max_position_embeddings"] = 63; });
  expect("encoder.layer.3.", [](auto& b) { b.config["num_hidden_layers"] = 4; });
  expect("5 heads do not divide", [](auto& b) { b.config["num_attention_heads"] = 5; });
  expect("\"hidden_size\" is missing", [](auto& b) { b.config.erase("hidden_size"); });
  expect("\"intermediate_size\" is 0", [](auto& b) { b.config["intermediate_size"] = 0; });
  expect("gelu_new", [](auto& b) { b.config["hidden_act"] = "gelu_new"; });
  expect("relative_key", [](auto& b) { b.config["position_embedding_type"] = "relative_key"; });
  const std::vector<float> bad(48, std::numeric_limits<float>::infinity());
  for (const char* name : {"embeddings.LayerNorm.weight", "encoder.layer.0.attention.self.query.bias"}) {
    expect("not finite", [&](auto& b) { b.tensors[name].data = std::as_bytes(std::span(bad)); });
  }
  const std::vector<float> bad_matrix(48 * 48, std::numeric_limits<float>::quiet_NaN());
  expect("not finite", [&](auto& b) { b.tensors["encoder.layer.2.attention.self.key.weight"].data = std::as_bytes(std::span(bad_matrix)); });
}

TEST(Bert, XlmRobertaBeginsAfterThePaddingPosition) {
  ONGGI_NEED_SHARED("fixtures/tiny/bert");
  const Ids ids = {5, 6, 7};
  Fixture plain(tiny());
  // The same model with two rows of positions put before: what XLM-RoBERTa's files have there is never read.
  BrokenCheckpoint shifted;
  const auto& positions = shifted.tensors["embeddings.position_embeddings.weight"];
  std::vector<float> moved(2 * 48, 1e6F);
  Floats own(64 * 48);
  std::memcpy(own.data(), positions.data.data(), positions.data.size());
  moved.insert(moved.end(), own.begin(), own.end());
  shifted.tensors["embeddings.position_embeddings.weight"].shape = {66, 48};
  shifted.tensors["embeddings.position_embeddings.weight"].data = std::as_bytes(std::span(moved));
  shifted.config["model_type"] = "xlm-roberta";
  shifted.config["max_position_embeddings"] = 66;
  shifted.config["pad_token_id"] = 1;
  std::string name = (fs::temp_directory_path() / "onggi_xlmr_XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  write_file_atomic(folder / "config.json", shifted.config.dump());
  std::vector<formats::TensorToWrite> all;
  for (const auto& [key, tensor] : shifted.tensors) all.push_back(tensor);
  formats::write_safetensors(folder / "model.safetensors", all, {});
  Fixture f(folder);
  EXPECT_EQ(f.encoder->config().max_positions(), 64);
  testing::expect_equal_bits(f.states({ids, {}}), plain.states({ids, {}}));
  fs::remove_all(folder);
}

double cosine_of(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

TEST(Bert, MiniLmVectorsAreTheReferences) {
  ONGGI_NEED_SHARED("fixtures/minilm-l6-v2");
  if (!fs::exists(minilm())) GTEST_SKIP() << "needs " << minilm().string() << ", which is not here";
  const fs::path folder = testing::shared_folder() / "fixtures/minilm-l6-v2";
  const Json golden = parse_json(read_file(folder / "golden.json"), "golden.json");
  const formats::SafetensorsFile tensors(folder / "golden.safetensors");
  for (const auto& [compute, least] : {std::pair(Compute::kF32, 0.99999), std::pair(Compute::kInt8, 0.998)}) {
    Fixture f(minilm(), compute);
    EXPECT_EQ(f.encoder->config().max_tokens, 256);
    std::vector<Ids> ids;
    for (const Json& row : golden["input_ids"]) ids.push_back(row.get<Ids>());
    std::vector<EncoderRow> rows;
    for (const Ids& row : ids) rows.push_back({row, {}});
    const auto vectors = f.encoder->pooled(f.context, rows, EncoderPooling::kMean);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto want = floats(*tensors.find("embedding." + std::to_string(i)));
      EXPECT_GE(cosine_of(std::span(vectors).subspan(i * 384, 384), want), least) << i;
    }
  }
}

}  // namespace
}  // namespace onggi::models
