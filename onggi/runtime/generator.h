#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "onggi/runtime/engine.h"

namespace onggi::runtime {

struct GeneratorOptions {
  int batch_rows = 16;  ///< As EngineOptions.
  int max_new_tokens = 256;
  decode::SamplingOptions sampling;
  std::uint64_t seed = 0;
};

/// Answers whole jobs of rows with one model, one guide or none, and the same settings for all. Confined to one thread.
class Generator {
 public:
  /// `prefix` is computed once an adapter and continued by every row. Every adapter draws the requests' samples, the
  /// second after the first's by number, and so on; none = the base alone. `guide` may be null. What is passed by
  /// reference or pointer must outlive this.
  Generator(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer,
            std::span<const nn::Adapter> adapters, std::shared_ptr<const decode::Guide> guide, std::vector<int> prefix,
            GeneratorOptions options);

  /// Answers all requests; `done` is called once a sample, in order of completion.
  void run(std::span<const Request> requests, const std::function<void(Answer&&)>& done);

  const EngineCounts& counts() const { return engine_.counts(); }

 private:
  struct Reader {
    std::shared_ptr<const AnswerSettings> settings;
    std::shared_ptr<const Prefix> prefix;
  };

  Engine engine_;
  std::vector<int> prefix_;
  std::vector<Reader> readers_;  ///< One an adapter, or the base's.
};

}  // namespace onggi::runtime
