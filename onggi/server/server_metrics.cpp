#include "onggi/server/server_metrics.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace onggi::server {
namespace {

// vLLM's own buckets (vllm/v1/metrics/loggers.py): its boards draw them.
constexpr std::array kFirstTokenSeconds = {.001, .005, .01, .02, .04, .06, .08, .1,  .25,  .5,   .75,
                                           1.,   2.5,  5.,  7.5, 10., 20., 40., 80., 160., 640., 2560.};
constexpr std::array kTokenSeconds = {.01, .025, .05, .075, .1,  .15, .2,  .3,  .4, .5,
                                      .75, 1.,   2.5, 5.,   7.5, 10., 20., 40., 80.};
constexpr std::array kRequestSeconds = {.3,  .5,  .8,  1.,  1.5,  2.,   2.5,  5.,   10.,   15.,  20.,
                                        30., 40., 50., 60., 120., 240., 480., 960., 1920., 7680.};
constexpr std::array kStepTokens = {1., 8., 16., 32., 64., 128., 256., 512., 1024., 2048., 4096., 8192., 16384.};
constexpr std::array kChoices = {1., 2., 5., 10., 20.};
// Ours: a model of some hundred million parameters answers within the first of those.
constexpr std::array kFineSeconds = {.001, .002, .005, .01, .02, .05, .1, .2, .5, 1., 2., 5., 10., 20., 60.};
constexpr std::array kTinySeconds = {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, .001, .002, .005, .01, .02, .05, .1, .5, 2.};

/// A method that is none is one: names from outside must not fill the memory.
std::string_view known_method(std::string_view method) {
  static constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
  const auto* found = std::ranges::find(kMethods, method);
  return found == std::end(kMethods) ? "other" : *found;
}

}  // namespace

ServerMetrics::ServerMetrics(std::string_view model_name, int max_positions)
    : registry(metrics::Labels{{"model_name", std::string(model_name)}, {"engine", "0"}}),
      time_to_first_token(registry.histogram("vllm:time_to_first_token_seconds",
                                             "From a request's arrival to its first token.", kFirstTokenSeconds)),
      inter_token_latency(registry.histogram("vllm:inter_token_latency_seconds",
                                             "Between the steps that gave an answer tokens.", kTokenSeconds)),
      time_per_output_token(registry.histogram("vllm:time_per_output_token_seconds",
                                               "vllm:inter_token_latency_seconds under its older name.",
                                               kTokenSeconds)),
      time_per_request_token(registry.histogram("vllm:request_time_per_output_token_seconds",
                                                "Mean time between the tokens of a prompt's longest answer.",
                                                kTokenSeconds)),
      end_to_end(registry.histogram("vllm:e2e_request_latency_seconds", "From a request's arrival to its last token.",
                                    kRequestSeconds)),
      request_seconds(registry.histogram("onggi_request_seconds", "The same in finer buckets.", kFineSeconds)),
      queue_time(registry.histogram("vllm:request_queue_time_seconds", "From the arrival to a place in the batch.",
                                    kRequestSeconds)),
      prefill_time(
          registry.histogram("vllm:request_prefill_time_seconds", "From there to the first token.", kRequestSeconds)),
      decode_time(
          registry.histogram("vllm:request_decode_time_seconds", "From the first token to the last.", kRequestSeconds)),
      inference_time(registry.histogram("vllm:request_inference_time_seconds", "Prefill and decode.", kRequestSeconds)),
      prompt_tokens(registry.histogram("vllm:request_prompt_tokens", "Tokens of a prompt.",
                                       metrics::one_two_five(max_positions))),
      generation_tokens(registry.histogram("vllm:request_generation_tokens", "Tokens of an answer.",
                                           metrics::one_two_five(max_positions))),
      max_generation_tokens(registry.histogram("vllm:request_max_num_generation_tokens",
                                               "Tokens of the longest of a prompt's answers.",
                                               metrics::one_two_five(max_positions))),
      asked_choices(registry.histogram("vllm:request_params_n", "Answers asked for.", kChoices)),
      asked_max_tokens(registry.histogram("vllm:request_params_max_tokens", "Longest answer asked for.",
                                          metrics::one_two_five(max_positions))),
      iteration_tokens(
          registry.histogram("vllm:iteration_tokens_total", "Tokens run through the layers in one step.", kStepTokens)),
      mask_seconds(registry.histogram("onggi_mask_seconds", "Asking guides what may follow, a step.", kTinySeconds)),
      grammar_compile_seconds(
          registry.histogram("onggi_grammar_compile_seconds", "Guides that were not in the cache.", kFineSeconds)),
      adapter_load_seconds(
          registry.histogram("onggi_adapter_load_seconds", "Reading and packing an adapter.", kFineSeconds)) {
  // There from the start: a rate needs the zero before the first.
  for (const auto* reason : {"stop", "length", "error", "late", "cancelled"}) ends(reason);
  for (const auto* reason : {"overloaded", "draining", "connections"}) sheds(reason);
  registry.counter("vllm:num_preemptions_total", "Rows put back into the queue: this engine never does.");
}

metrics::Counter& ServerMetrics::ends(std::string_view reason) {
  return registry.counter("vllm:request_success_total", "Requests by how they ended.",
                          {{"finished_reason", std::string(reason)}});
}

metrics::Counter& ServerMetrics::sheds(std::string_view reason) {
  return registry.counter("onggi_shed_total", "Requests refused for want of room.", {{"reason", std::string(reason)}});
}

void ServerMetrics::count_key(const std::string& key, std::int64_t prompt_tokens, std::int64_t generated_tokens) {
  registry.counter("onggi_key_requests_total", "Requests answered, by key.", {{"key", key}}).add();
  for (const auto& [kind, number] : {std::pair("prompt", prompt_tokens), std::pair("generated", generated_tokens)}) {
    registry.counter("onggi_key_tokens_total", "Tokens, by key.", {{"key", key}, {"kind", kind}})
        .add(static_cast<double>(number));
  }
}

void AdapterUse::change(const std::string& adapter, State state, int by) {
  if (adapter.empty()) return;
  const std::lock_guard lock(mutex_);
  auto& counts = counts_[adapter];
  counts[static_cast<std::size_t>(state)] += by;
  if (counts == std::array<std::int64_t, 2>{}) counts_.erase(adapter);
}

std::string AdapterUse::names(State state) const {
  const std::lock_guard lock(mutex_);
  std::string names;
  for (const auto& [name, counts] : counts_) {
    if (counts[static_cast<std::size_t>(state)] > 0) names += (names.empty() ? "" : ",") + name;
  }
  return names;
}

void ServerMetrics::count_http(const http::Record& record, std::string_view route) {
  const std::string handler(route.empty() ? "none" : route);
  const std::string method(known_method(record.request->method));
  registry
      .counter("http_requests_total", "Requests by address, method and class of status.",
               {{"handler", handler}, {"method", method}, {"status", std::to_string(record.status / 100) + "xx"}})
      .add();
  registry
      .histogram("http_request_duration_seconds", "From a request's head to the last byte of its answer.", kFineSeconds,
                 {{"handler", handler}, {"method", method}})
      .observe(std::chrono::duration<double>(record.duration).count());
}

}  // namespace onggi::server
