#include "onggi/server/backend.h"

#include <algorithm>

namespace onggi::server {
namespace {

constexpr std::size_t kMaxGuides = 256;

std::unique_ptr<const text::ChatTemplate> template_of(const text::Tokenizer& tokenizer) {
  std::string source = text::chat_template_of(tokenizer);
  return source.empty() ? nullptr : std::make_unique<const text::ChatTemplate>(std::move(source));
}

}  // namespace

Backend::Backend(EngineHost& engine, ModelRegistry& models, const models::Decoder& decoder,
                 std::shared_ptr<const text::Tokenizer> tokenizer, ServiceOptions options)
    : engine(engine),
      models(models),
      decoder(decoder),
      tokenizer(std::move(tokenizer)),
      options(std::move(options)),
      chat_template(template_of(*this->tokenizer)),
      guides(this->tokenizer, kMaxGuides) {}

void Backend::count_end(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++ends_[reason];
}

std::map<std::string, std::int64_t> Backend::ends() const {
  const std::lock_guard lock(mutex_);
  return ends_;
}

int Backend::retry_after_ms() const {
  // A quarter of the time that the open tokens take at the rate so far: some requests end much sooner than the last.
  constexpr double kLeastRate = 50.0;
  const auto s = engine.snapshot();
  const double rate =
      static_cast<double>(s.counts.prompt_tokens + s.counts.generated_tokens) / std::max(0.001, s.busy_seconds);
  return static_cast<int>(
      std::clamp(250.0 * static_cast<double>(open_tokens) / std::max(rate, kLeastRate), 100.0, 30'000.0));
}

}  // namespace onggi::server
