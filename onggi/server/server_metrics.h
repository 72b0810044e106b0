#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "onggi/core/metrics.h"
#include "onggi/http/server.h"

namespace onggi::server {

/// Which adapters rows that run and requests that wait are of. Thread-safe.
class AdapterUse {
 public:
  enum class State { kWaiting, kRunning };
  /// The base, an empty name, is not counted.
  void change(const std::string& adapter, State state, int by);
  /// "a,b" of those that have any.
  std::string names(State state) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::array<std::int64_t, 2>> counts_;
};

/// What /metrics shows: vLLM's names where there are such, so that its boards and scalers work, and ours. Thread-safe.
class ServerMetrics {
 public:
  /// `max_positions`: the longest that prompt and answer can be together.
  ServerMetrics(std::string_view model_name, int max_positions);

  /// Of a request that ended: "stop", "length", "error", "late" or "cancelled".
  metrics::Counter& ends(std::string_view reason);
  /// Of a request that was refused for want of room: "overloaded", "draining", "connections" ...
  metrics::Counter& sheds(std::string_view reason);
  /// `route`: the pattern that was taken; empty if none was.
  void count_http(const http::Record& record, std::string_view route);

  /// Of requests that came with a key, by its name.
  void count_key(const std::string& key, std::int64_t prompt_tokens, std::int64_t generated_tokens);

  metrics::Registry registry;
  AdapterUse adapters;

  // Of each prompt that was answered, in seconds.
  metrics::Histogram& time_to_first_token;    ///< From the request's arrival.
  metrics::Histogram& inter_token_latency;    ///< Between the steps that gave tokens.
  metrics::Histogram& time_per_output_token;  ///< The same under its older name.
  metrics::Histogram& time_per_request_token;
  metrics::Histogram& end_to_end;
  metrics::Histogram& request_seconds;  ///< The same in finer buckets.
  metrics::Histogram& queue_time;       ///< From the arrival to a place in the batch ...
  metrics::Histogram& prefill_time;     ///< ... to the first token ...
  metrics::Histogram& decode_time;      ///< ... to the last.
  metrics::Histogram& inference_time;   ///< Prefill and decode.

  // Of each prompt or answer, in tokens.
  metrics::Histogram& prompt_tokens;
  metrics::Histogram& generation_tokens;
  metrics::Histogram& max_generation_tokens;  ///< Of the longest choice of a prompt.
  metrics::Histogram& asked_choices;
  metrics::Histogram& asked_max_tokens;

  metrics::Histogram& iteration_tokens;         ///< Run through the layers in one step.
  metrics::Histogram& mask_seconds;             ///< Asking guides what may follow, a step.
  metrics::Histogram& grammar_compile_seconds;  ///< Guides that were not in the cache.
  metrics::Histogram& adapter_load_seconds;
};

}  // namespace onggi::server
