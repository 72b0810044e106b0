#include "onggi/runtime/generator.h"

#include <algorithm>

#include "onggi/core/error.h"

namespace onggi::runtime {

Generator::Generator(nn::Context& context, models::Decoder& decoder, const text::Tokenizer& tokenizer,
                     std::span<const nn::Adapter> adapters, std::shared_ptr<const decode::Guide> guide,
                     std::vector<int> prefix, GeneratorOptions options)
    : engine_(context, decoder, tokenizer, {.batch_rows = options.batch_rows}), prefix_(std::move(prefix)) {
  require(options.max_new_tokens >= 1, "max new tokens must be at least 1");
  for (std::size_t i = 0; i < std::max<std::size_t>(1, adapters.size()); ++i) {
    // The caller's, not ours to free.
    std::shared_ptr<const nn::Adapter> adapter;
    if (!adapters.empty()) adapter = std::shared_ptr<const nn::Adapter>(std::shared_ptr<void>(), &adapters[i]);
    readers_.push_back({std::make_shared<AnswerSettings>(AnswerSettings{.adapter = std::move(adapter),
                                                                        .guide = guide,
                                                                        .sampling = options.sampling,
                                                                        .max_new_tokens = options.max_new_tokens,
                                                                        .seed = options.seed}),
                        nullptr});
  }
}

void Generator::run(std::span<const Request> requests, const std::function<void(Answer&&)>& done) {
  for (Reader& reader : readers_) {
    if (!prefix_.empty() && !reader.prefix)
      reader.prefix = engine_.compute_prefix(prefix_, reader.settings->adapter.get());
  }
  std::vector<Job> jobs;
  for (const Request& request : requests) {
    int first_sample = request.first_sample;
    for (const Reader& reader : readers_) {
      jobs.push_back({.request = request, .settings = reader.settings, .prefix = reader.prefix, .done = done});
      jobs.back().request.first_sample = first_sample;
      first_sample += request.num_samples;
    }
  }
  engine_.submit(std::move(jobs));
  while (engine_.step() != Step::kIdle) {
  }
}

}  // namespace onggi::runtime
