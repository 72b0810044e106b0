#include "onggi/runtime/text_encoder.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "onggi/core/error.h"
#include "onggi/runtime/engine.h"

namespace onggi::runtime {
namespace {

/// Texts of an encoder whose vectors are made between two calls of `done`.
constexpr std::size_t kSlice = 512;

EmbeddingShape checked_shape(EmbeddingShape shape, int width) {
  require(shape.dimensions >= 0 && shape.dimensions <= width, [&] {
    return "--dimensions is " + std::to_string(shape.dimensions) + ", expected 1 to " + std::to_string(width) +
           ", the model's width, or 0 for all";
  });
  if (shape.dimensions == 0) shape.dimensions = width;
  return shape;
}

int checked_max_tokens(int wanted, int least, int most) {
  require(wanted == 0 || (wanted >= least && wanted <= most), [&] {
    return "--max-tokens is " + std::to_string(wanted) + ", expected " + std::to_string(least) + " to " +
           std::to_string(most) + ", or 0 for the model's own limit";
  });
  return wanted;
}

models::EncoderPooling encoder_pooling(const std::string& name, const models::BertConfig& config) {
  if (name.empty()) return config.pooling;
  require(name == "mean" || name == "first",
          [&] { return "pooling is \"" + name + "\", expected mean or first for a text encoder"; });
  return name == "mean" ? models::EncoderPooling::kMean : models::EncoderPooling::kFirst;
}

class BertTextEncoder : public TextEncoder {
 public:
  BertTextEncoder(nn::Context& context, const models::BertEncoder& model,
                  std::shared_ptr<const text::Tokenizer> tokenizer, const TextEncoderOptions& options)
      : context_(context),
        model_(model),
        tokenizer_(std::move(tokenizer)),
        prefix_(options.prefix),
        shape_(checked_shape(options.shape, model.config().hidden_size)),
        pooling_(encoder_pooling(options.pooling, model.config())) {
    require(options.adapter == nullptr, "a text encoder takes no adapter");
    require_encoder_tokenizer(*tokenizer_, model);
    const int wanted = checked_max_tokens(options.max_tokens, 2, model.config().max_positions());
    max_tokens_ = static_cast<std::size_t>(wanted > 0 ? wanted : model.config().max_tokens);
  }

  int dimensions() const override { return shape_.dimensions; }
  std::int64_t num_tokens() const override { return num_tokens_; }

  void encode(std::span<const std::string> texts, const Done& done) override {
    // Each text once, with the places where it stands.
    std::vector<std::vector<std::size_t>> places;
    std::unordered_map<std::string_view, std::size_t> known;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto [it, is_new] = known.try_emplace(texts[i], places.size());
      if (is_new) places.emplace_back();
      places[it->second].push_back(i);
    }
    std::vector<Framed> framed(places.size());
    context_.parallel_for(static_cast<std::int64_t>(places.size()), 64, [&](std::int64_t begin, std::int64_t end, int) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        framed[i] = frame(texts[places[i].front()]);
      }
    });
    std::vector<std::size_t> order(places.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return framed[a].ids.size() > framed[b].ids.size(); });
    for (std::size_t first = 0; first < order.size(); first += kSlice) {
      encode_slice(std::span(order).subspan(first, std::min(kSlice, order.size() - first)), framed, places, done);
    }
  }

 private:
  struct Framed {
    std::vector<int> ids;
    bool is_cut = false;
  };

  Framed frame(const std::string& text) const {
    Framed out;
    out.ids.push_back(tokenizer_->bos_id());
    if (prefix_.empty()) {
      tokenizer_->encode(text, out.ids);
    } else {
      tokenizer_->encode(prefix_ + text, out.ids);
    }
    out.is_cut = out.ids.size() + 1 > max_tokens_;
    if (out.is_cut) out.ids.resize(max_tokens_ - 1);
    out.ids.push_back(tokenizer_->eos_id());
    return out;
  }

  void encode_slice(std::span<const std::size_t> members, std::span<const Framed> framed,
                    std::span<const std::vector<std::size_t>> places, const Done& done) {
    std::vector<models::EncoderRow> rows;
    for (const std::size_t member : members) rows.push_back({framed[member].ids, {}});
    const std::vector<float> pooled = model_.pooled(context_, rows, pooling_);
    const auto width = static_cast<std::size_t>(model_.config().hidden_size);
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto vector = embedding_of(std::span(pooled).subspan(i * width, width), shape_);
      for (const std::size_t place : places[members[i]]) {
        num_tokens_ += static_cast<std::int64_t>(framed[members[i]].ids.size());
        done(place, {.vector = vector, .failure = {}, .is_cut = framed[members[i]].is_cut});
      }
    }
  }

  nn::Context& context_;
  const models::BertEncoder& model_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::string prefix_;
  EmbeddingShape shape_;
  models::EncoderPooling pooling_;
  std::size_t max_tokens_ = 0;
  std::int64_t num_tokens_ = 0;
};

class CausalTextEncoder : public TextEncoder {
 public:
  CausalTextEncoder(nn::Context& context, models::Decoder& model, std::shared_ptr<const text::Tokenizer> tokenizer,
                    const TextEncoderOptions& options)
      : tokenizer_(std::move(tokenizer)),
        shape_(checked_shape(options.shape, model.config().hidden_size)),
        max_tokens_(checked_max_tokens(options.max_tokens, 1, model.config().max_positions)),
        engine_(context, model, *tokenizer_, EngineOptions{.batch_rows = options.batch_rows}) {
    auto settings = std::make_shared<AnswerSettings>();
    settings->adapter = options.adapter;
    settings->prompt.pooling = pooling_from_name(options.pooling.empty() ? "mean" : options.pooling);
    settings->max_new_tokens = 0;
    settings_ = settings;
    std::vector<int> ids;
    if (tokenizer_->adds_bos() && tokenizer_->bos_id() >= 0) ids.push_back(tokenizer_->bos_id());
    tokenizer_->encode(options.prefix, ids);
    if (!ids.empty()) prefix_ = engine_.compute_prefix(std::move(ids), options.adapter.get());
  }

  int dimensions() const override { return shape_.dimensions; }
  std::int64_t num_tokens() const override { return engine_.counts().prompt_tokens; }

  void encode(std::span<const std::string> texts, const Done& done) override {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::vector<int> ids;
      tokenizer_->encode(texts[i], ids);
      const std::size_t before = prefix_ == nullptr ? 0 : prefix_->tokens.size();
      const std::size_t most =
          static_cast<std::size_t>(max_tokens_) > before ? static_cast<std::size_t>(max_tokens_) - before : 1;
      const bool is_cut = max_tokens_ > 0 && ids.size() > most;
      if (is_cut) ids.resize(most);
      jobs.push_back({.request = {.index = static_cast<std::int64_t>(i), .prompt = std::move(ids)},
                      .settings = settings_,
                      .prefix = prefix_,
                      .done = [this, i, is_cut, &done](Answer&& answer) { done(i, encoded(answer, is_cut)); }});
    }
    engine_.submit(std::move(jobs));
    while (engine_.step() != Step::kIdle) {
    }
  }

 private:
  EncodedText encoded(const Answer& answer, bool is_cut) const {
    // The prompt was read to its end where the answer, of which nothing is wanted, is cut.
    if (!answer.is_cut) return {.vector = {}, .failure = answer.failure, .is_cut = is_cut};
    return {.vector = embedding_of(answer.reading->pooled, shape_), .failure = {}, .is_cut = is_cut};
  }

  std::shared_ptr<const text::Tokenizer> tokenizer_;
  EmbeddingShape shape_;
  int max_tokens_;
  Engine engine_;
  std::shared_ptr<const AnswerSettings> settings_;
  std::shared_ptr<const Prefix> prefix_;
};

}  // namespace

void require_encoder_tokenizer(const text::Tokenizer& tokenizer, const models::BertEncoder& model) {
  const std::string where = model.checkpoint().path().string();
  require(tokenizer.bos_id() >= 0 && tokenizer.eos_id() >= 0,
          "the tokenizer does not say which tokens stand around a text ([CLS] and [SEP], or <s> and </s>)",
          ErrorCode::kCorrupt, where);
  require(
      tokenizer.vocab_size() <= model.config().vocab_size,
      [&] {
        return "the tokenizer has " + std::to_string(tokenizer.vocab_size()) + " tokens, the encoder knows " +
               std::to_string(model.config().vocab_size) + ": they do not belong together";
      },
      ErrorCode::kCorrupt, where);
}

std::vector<std::vector<float>> encode_all(TextEncoder& encoder, std::span<const std::string> texts) {
  std::vector<std::vector<float>> vectors(texts.size());
  encoder.encode(texts, [&](std::size_t i, EncodedText&& text) {
    require(text.failure.empty(), [&] { return "text " + std::to_string(i) + " has no vector: " + text.failure; });
    vectors[i] = std::move(text.vector);
  });
  return vectors;
}

std::unique_ptr<TextEncoder> make_text_encoder(nn::Context& context, const models::BertEncoder& model,
                                               std::shared_ptr<const text::Tokenizer> tokenizer,
                                               const TextEncoderOptions& options) {
  return std::make_unique<BertTextEncoder>(context, model, std::move(tokenizer), options);
}

std::unique_ptr<TextEncoder> make_text_encoder(nn::Context& context, models::Decoder& model,
                                               std::shared_ptr<const text::Tokenizer> tokenizer,
                                               const TextEncoderOptions& options) {
  return std::make_unique<CausalTextEncoder>(context, model, std::move(tokenizer), options);
}

OpenedTextEncoder::OpenedTextEncoder(nn::Context& context, const std::filesystem::path& path, models::Compute compute,
                                     const TextEncoderOptions& options) {
  std::shared_ptr<const formats::Checkpoint> checkpoint = formats::open_checkpoint(path);
  std::shared_ptr<const text::Tokenizer> tokenizer = text::open_tokenizer(*checkpoint);
  if (models::is_bert(*checkpoint)) {
    bert_ = models::BertEncoder::load(checkpoint, context, compute);
    encoder_ = make_text_encoder(context, *bert_, tokenizer, options);
  } else {
    decoder_ = models::Decoder::load(checkpoint, context, compute);
    encoder_ = make_text_encoder(context, *decoder_, tokenizer, options);
  }
}

}  // namespace onggi::runtime
