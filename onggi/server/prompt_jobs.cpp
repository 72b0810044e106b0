#include "onggi/server/prompt_jobs.h"

#include <chrono>
#include <string>

#include "onggi/server/api_error.h"
#include "onggi/server/completion_request.h"
#include "onggi/server/deadline.h"
#include "onggi/server/members.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

/// One request on its way through the engine; confined to the engine's thread once its jobs are submitted.
class PromptReply : public std::enable_shared_from_this<PromptReply> {
 public:
  using Clock = std::chrono::steady_clock;

  PromptReply(Backend& backend, std::shared_ptr<http::Exchange> exchange, std::size_t count, std::int64_t num_tokens,
              std::function<http::Response(const PromptReadings&)> make, std::function<void(const std::string&)> ended)
      : backend_(backend),
        exchange_(std::move(exchange)),
        deadline_(deadline_of(exchange_->request())),
        make_(std::move(make)),
        ended_(std::move(ended)),
        num_left_(count) {
    readings_.readings.resize(count);
    readings_.prompt_tokens = num_tokens;
  }

  void attach(runtime::Job& job, std::size_t i) {
    const auto self = shared_from_this();
    job.done = [self, i](runtime::Answer&& answer) { self->on_done(i, std::move(answer)); };
    job.started = [self](int num_cached) { self->readings_.cached_tokens += num_cached; };
    job.wish = [self] {
      self->is_late_ = self->is_late_ || Clock::now() > self->deadline_;
      const bool is_wanted = !self->has_failed_ && !self->is_late_ && !self->exchange_->is_gone();
      return is_wanted ? runtime::Wish::kGoOn : runtime::Wish::kStop;
    };
  }

 private:
  void fail(const std::string& reason, const ApiError& error) {
    has_failed_ = true;
    reason_ = reason;
    exchange_->respond(error_response(error));
  }

  void on_done(std::size_t i, runtime::Answer&& answer) {
    if (!has_failed_ && answer.is_cancelled) {
      fail(is_late_ ? "late" : "cancelled",
           ApiError(408, "the answer was not there in the time that the request gave", "deadline_exceeded"));
    } else if (!has_failed_ && !answer.is_cut) {
      fail("error", ApiError(500, answer.failure));
    }
    readings_.readings[i] = std::move(answer.reading);
    if (--num_left_ > 0) return;
    ended_(reason_);
    if (has_failed_) return;
    backend_.worker.post([self = shared_from_this()] {
      self->exchange_->respond(answer_of([&] { return self->make_(self->readings_); }));
    });
  }

  Backend& backend_;
  const std::shared_ptr<http::Exchange> exchange_;
  const Clock::time_point deadline_;
  const std::function<http::Response(const PromptReadings&)> make_;
  const std::function<void(const std::string&)> ended_;
  PromptReadings readings_;
  std::size_t num_left_ = 0;
  std::string reason_ = "stop";
  bool has_failed_ = false, is_late_ = false;
};

}  // namespace

Json PromptReadings::usage() const {
  return {{"prompt_tokens", prompt_tokens},
          {"total_tokens", prompt_tokens},
          {"prompt_tokens_details", {{"cached_tokens", cached_tokens}}}};
}

void read_body(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
               const std::shared_ptr<CallRecord>& record,
               void (*start)(Backend&, const Arrival&, const Json&, const ServedModel&)) {
  const Arrival arrival(backend, exchange, record);
  arrival.on_worker([&backend, arrival, start] {
    const auto json = std::make_shared<const Json>(read_json_body(arrival.exchange()->request().body));
    arrival.with_model(Members(*json).text("model"), [&backend, arrival, json, start](const ServedModel& model) {
      start(backend, arrival, *json, model);
    });
  });
}

void read_prompts(Backend& backend, const Arrival& arrival, const ServedModel& model, PromptJobs jobs,
                  std::function<http::Response(const PromptReadings&)> make) {
  std::int64_t num_tokens = 0;
  for (const auto& prompt : jobs.prompts) num_tokens += static_cast<std::int64_t>(prompt.size());
  const auto reply = std::make_shared<PromptReply>(backend, arrival.exchange(), jobs.prompts.size(), num_tokens,
                                                   std::move(make), arrival.engage(model, num_tokens));
  std::vector<runtime::Job> queued;
  for (std::size_t i = 0; i < jobs.prompts.size(); ++i) {
    queued.push_back({.request = {.index = static_cast<std::int64_t>(i), .prompt = std::move(jobs.prompts[i])},
                      .settings = jobs.settings,
                      .is_urgent = jobs.is_urgent});
    reply->attach(queued.back(), i);
    arrival.attach_meter(queued.back(), model);
  }
  backend.engine.submit(std::move(queued));
}

}  // namespace onggi::server
