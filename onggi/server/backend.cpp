#include "onggi/server/backend.h"

#include <algorithm>
#include <ctime>

namespace onggi::server {
namespace {

constexpr std::size_t kMaxGuides = 256;

std::unique_ptr<const text::ChatTemplate> template_of(const text::Tokenizer& tokenizer) {
  std::string source = text::chat_template_of(tokenizer);
  return source.empty() ? nullptr : std::make_unique<const text::ChatTemplate>(std::move(source));
}

/// What the engine counts itself.
void show_engine(ServerMetrics& metrics, const EngineHost& engine, int max_positions) {
  auto& registry = metrics.registry;
  const auto number = [&engine](auto member) {
    return [&engine, member] { return static_cast<double>(engine.snapshot().*member); };
  };
  const auto count = [&engine](auto member) {
    return [&engine, member] { return static_cast<double>(engine.snapshot().counts.*member); };
  };
  using Snapshot = EngineHost::Snapshot;
  using runtime::EngineCounts;
  const runtime::EngineOptions& options = engine.options();
  registry.gauge_of("vllm:num_requests_running", "Rows in the batch.", number(&Snapshot::num_running));
  registry.gauge_of("vllm:num_requests_waiting", "Requests that wait for a place in it.",
                    number(&Snapshot::num_waiting));
  const double room = static_cast<double>(options.batch_rows) * max_positions;
  registry.gauge_of("vllm:kv_cache_usage_perc", "Tokens that rows hold, as a part of what a full batch could (0 to 1).",
                    [&engine, room] { return static_cast<double>(engine.snapshot().num_held_tokens) / room; });
  registry
      .gauge("vllm:cache_config_info", "How the engine was started.",
             {{"block_size", std::to_string(runtime::PrefixCache::kPieceTokens)},
              {"cache_dtype", "float32"},
              {"enable_prefix_caching", options.cache_tokens > 0 ? "True" : "False"},
              {"num_cpu_blocks", std::to_string(options.cache_tokens / runtime::PrefixCache::kPieceTokens)},
              {"num_gpu_blocks", "0"}})
      .set(1);
  registry.gauges_of(
      "vllm:lora_requests_info", "Adapters of rows that run and of requests that wait; the value is now.",
      [&metrics, most = std::to_string(options.batch_rows)] {
        using State = AdapterUse::State;
        return metrics::Registry::Readings{{{{"max_lora", most},
                                             {"running_lora_adapters", metrics.adapters.names(State::kRunning)},
                                             {"waiting_lora_adapters", metrics.adapters.names(State::kWaiting)}},
                                            static_cast<double>(std::time(nullptr))}};
      });
  registry.counter_of("vllm:prompt_tokens_total", "Prompt tokens, cached ones included.",
                      count(&EngineCounts::prompt_tokens));
  registry.counter_of("vllm:generation_tokens_total", "Tokens generated.", count(&EngineCounts::generated_tokens));
  registry.counter_of("vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.",
                      count(&EngineCounts::prompt_tokens));
  registry.counter_of("vllm:prefix_cache_hits_total", "Of these, found.", count(&EngineCounts::cached_tokens));
  registry.counter_of("onggi_prefix_cached_tokens_total", "The same under our name.",
                      count(&EngineCounts::cached_tokens));
  registry.gauge_of("onggi_prefix_cache_tokens", "Tokens in the prefix cache.", number(&Snapshot::num_cached_tokens));
  registry.counter_of("onggi_forced_tokens_total", "Tokens that a guide left no choice about.",
                      count(&EngineCounts::forced_tokens));
  registry.counter_of("onggi_cancelled_total", "Rows whose client left.", count(&EngineCounts::cancelled_rows));
  registry.counter_of("onggi_steps_total", "Batches computed.", count(&EngineCounts::steps));
  registry.counter_of("onggi_busy_seconds_total", "Time in them.", number(&Snapshot::busy_seconds));
}

}  // namespace

Backend::Backend(EngineHost& engine, ModelRegistry& models, const models::Decoder& decoder,
                 std::shared_ptr<const text::Tokenizer> tokenizer, ServiceOptions options, ServerMetrics& metrics)
    : engine(engine),
      models(models),
      decoder(decoder),
      tokenizer(std::move(tokenizer)),
      options(std::move(options)),
      metrics(metrics),
      chat_template(template_of(*this->tokenizer)),
      guides(this->tokenizer, kMaxGuides, metrics) {
  show_engine(metrics, engine, decoder.config().max_positions);
  metrics.registry.gauge_of("onggi_open_tokens",
                            "Tokens of requests that are not done, as far as they can be foreseen.",
                            [this] { return static_cast<double>(open_tokens); });
  const auto count = [&models](auto member) {
    return [&models, member] { return static_cast<double>(models.counts().*member); };
  };
  using Counts = ModelRegistry::Counts;
  metrics.registry.gauge_of("onggi_adapters", "Adapters that requests may ask for.", count(&Counts::registered));
  metrics.registry.gauge_of("onggi_adapters_loaded", "Of these, in memory.", count(&Counts::loaded));
  metrics.registry.gauge_of("onggi_adapter_bytes", "What they take.", count(&Counts::bytes));
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
