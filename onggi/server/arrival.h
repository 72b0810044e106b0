#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "onggi/http/server.h"
#include "onggi/server/backend.h"
#include "onggi/server/call_record.h"
#include "onggi/server/request_meter.h"

namespace onggi::server {

class OpenTokens;

/// A request on its way to the engine: who asks, since when, what it may cost. Copies are the same request.
class Arrival {
 public:
  /// From now on the request's body counts as open tokens, so that what waits for its tokens to be counted fills the
  /// queue as well, and a client that leaves or reads again is noticed. `record` may be null: nobody's budget, no line
  /// in the log.
  Arrival(Backend& backend, std::shared_ptr<http::Exchange> exchange, std::shared_ptr<CallRecord> record);

  const std::shared_ptr<http::Exchange>& exchange() const { return exchange_; }
  const RequestMeter& meter() const { return meter_; }

  /// Runs `step` on the worker unless the client has left; what it throws is the answer.
  void on_worker(std::function<void()> step) const;
  /// On the worker: calls `start` with the model of this name, there, once it is read. Throws ApiError 404 where there
  /// is none, 403 where the key may not use it.
  void with_model(const std::string& name, std::function<void(const ServedModel&)> start) const;
  /// Counts this many tokens as open and takes them from the key's budget. What it returns is called once, with how the
  /// request ended ("stop", "length", "error", "late" or "cancelled"): what was not used is given back.
  std::function<void(const std::string& reason)> engage(const ServedModel& model, std::int64_t tokens) const;

 private:
  void take(const std::function<void()>& step) const;
  void check_may_use(const std::string& name) const;

  Backend* backend_;
  std::shared_ptr<http::Exchange> exchange_;
  std::shared_ptr<CallRecord> record_;
  RequestMeter meter_;
  std::shared_ptr<OpenTokens> estimate_;
};

}  // namespace onggi::server
