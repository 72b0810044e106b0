#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "onggi/http/server.h"
#include "onggi/runtime/request.h"
#include "onggi/server/arrival.h"
#include "onggi/server/backend.h"

namespace onggi::server {

/// Prompts of one request that are read, not answered.
struct PromptJobs {
  std::vector<std::vector<int>> prompts;
  std::shared_ptr<const runtime::AnswerSettings> settings;
  bool is_urgent = true;
};

/// What came of them.
struct PromptReadings {
  std::vector<std::shared_ptr<const runtime::PromptReading>> readings;  ///< One a prompt, in their order.
  std::int64_t prompt_tokens = 0;
  std::int64_t cached_tokens = 0;

  /// {"prompt_tokens", "total_tokens", "prompt_tokens_details"}.
  Json usage() const;
};

/// Reads a body whose member `model` names one, and hands both to `start` on the worker; what that throws is the
/// answer.
void read_body(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
               const std::shared_ptr<CallRecord>& record,
               void (*start)(Backend&, const Arrival&, const Json&, const ServedModel&));

/// Puts the jobs in the engine's queue. Once all are read the exchange is answered with what `make` makes of them, on
/// the worker; before that with an error where one fails, or with 408 after the request's deadline.
void read_prompts(Backend& backend, const Arrival& arrival, const ServedModel& model, PromptJobs jobs,
                  std::function<http::Response(const PromptReadings&)> make);

}  // namespace onggi::server
