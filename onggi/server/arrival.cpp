#include "onggi/server/arrival.h"

#include <utility>

#include "onggi/server/api_error.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {

/// Counts tokens as open while it lives.
class OpenTokens {
 public:
  OpenTokens(Backend& backend, std::int64_t tokens) : backend_(backend), tokens_(tokens) {
    backend_.open_tokens += tokens_;
  }
  ~OpenTokens() { backend_.open_tokens -= tokens_; }
  OpenTokens(const OpenTokens&) = delete;
  OpenTokens& operator=(const OpenTokens&) = delete;

 private:
  Backend& backend_;
  const std::int64_t tokens_;
};

namespace {

/// Gives back what the request did not use.
void settle(ServerMetrics& metrics, CallRecord& record, const std::string& reason, std::int64_t charged) {
  std::int64_t prompt = 0, generated = 0;
  record.update([&](CallFacts& facts) {
    facts.finish_reason = reason;
    prompt = facts.prompt_tokens;
    generated = facts.generated_tokens;
  });
  if (!record.caller) return;
  record.caller->budget->charge(prompt + generated - charged);
  metrics.count_key(record.caller->name, prompt, generated);
}

std::int64_t tokens_of_body(const http::Exchange& exchange) {
  constexpr std::int64_t kBytesPerToken = 3;
  return static_cast<std::int64_t>(exchange.request().body.size()) / kBytesPerToken;
}

}  // namespace

Arrival::Arrival(Backend& backend, std::shared_ptr<http::Exchange> exchange, std::shared_ptr<CallRecord> record)
    : backend_(&backend),
      exchange_(std::move(exchange)),
      record_(std::move(record)),
      meter_(RequestMeter(backend.metrics, record_, RequestMeter::Clock::now())),
      estimate_(std::make_shared<OpenTokens>(backend, tokens_of_body(*exchange_))) {
  exchange_->on_gone([&backend] { backend.engine.notify(); });
  exchange_->on_relieved([&backend] { backend.engine.notify(); });
}

Arrival Arrival::of_line(Backend& backend, std::shared_ptr<http::Exchange> exchange,
                         std::shared_ptr<CallRecord> record) {
  Arrival line(backend);
  line.record_ = std::move(record);
  line.exchange_ = std::move(exchange);
  line.exchange_->on_gone([&backend] { backend.engine.notify(); });
  return line;
}

void Arrival::attach_meter(runtime::Job& job, const ServedModel& model) const {
  if (meter_) {
    meter_->attach(job, model.adapter ? model.name : std::string());
  } else if (record_) {
    count_tokens(job, record_);
  }
}

void Arrival::take(const std::function<void()>& step) const {
  if (exchange_->is_gone()) return;
  try {
    step();
  } catch (const std::exception&) {
    exchange_->respond(answer_of([]() -> http::Response { throw; }));
  }
}

void Arrival::on_worker(std::function<void()> step) const {
  backend_->worker.post([self = *this, step = std::move(step)] { self.take(step); });
}

ServedModel Arrival::model(const std::string& name) const {
  ServedModel model = backend_->models.find(name);
  if (record_ && record_->caller && !record_->caller->may_use(model.name))
    throw ApiError(403, "this key may not use the model \"" + model.name + "\"", "model_not_allowed", "model");
  return model;
}

void Arrival::with_model(const std::string& name, std::function<void(const ServedModel&)> start) const {
  const auto begin = [self = *this, name, start = std::move(start)] { start(self.model(name)); };
  if (backend_->models.is_ready(name)) return begin();
  backend_->loader.post([self = *this, name, begin] {
    self.take([&] {
      self.backend_->models.find(name);
      self.on_worker(begin);
    });
  });
}

std::function<void(const std::string& reason)> Arrival::engage(const ServedModel& model, std::int64_t tokens) const {
  if (record_) {
    record_->update([&](CallFacts& facts) {
      facts.model = model.base_name;
      if (model.adapter) facts.adapter = model.name;
    });
    if (record_->caller) record_->caller->budget->charge(tokens);
  }
  const auto open = estimate_ ? std::make_shared<OpenTokens>(*backend_, tokens) : nullptr;
  return [&backend = *backend_, open, record = record_, tokens](const std::string& reason) {
    backend.metrics.ends(reason).add();
    if (record) settle(backend.metrics, *record, reason, tokens);
  };
}

}  // namespace onggi::server
