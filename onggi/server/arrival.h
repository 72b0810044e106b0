#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
  bool is_of_line() const { return !meter_; }

  /// A line of a batch: it waits for everybody, so that nobody is refused for it, and its times say nothing. `record`
  /// as above.
  static Arrival of_line(Backend& backend, std::shared_ptr<http::Exchange> exchange,
                         std::shared_ptr<CallRecord> record);

  /// After the job's callbacks are set and before it is submitted.
  void attach_meter(runtime::Job& job, const ServedModel& model) const;
  /// Runs `step` unless the client has left; what it throws is the answer.
  void take(const std::function<void()>& step) const;
  /// The same on the worker.
  void on_worker(std::function<void()> step) const;
  /// The model of this name, read if need be. Throws ApiError 404 where there is none, 403 where the key may not use
  /// it.
  ServedModel model(const std::string& name) const;
  /// On the worker: calls `start` with that model, there, once it is read, or throws the same.
  void with_model(const std::string& name, std::function<void(const ServedModel&)> start) const;
  /// Counts this many tokens as open and takes them from the key's budget. What it returns is called once, with how the
  /// request ended ("stop", "length", "error", "late" or "cancelled"): what was not used is given back.
  std::function<void(const std::string& reason)> engage(const ServedModel& model, std::int64_t tokens) const;

 private:
  explicit Arrival(Backend& backend) : backend_(&backend) {}

  Backend* backend_;
  std::shared_ptr<http::Exchange> exchange_;
  std::shared_ptr<CallRecord> record_;
  std::optional<RequestMeter> meter_;     ///< None for a line of a batch.
  std::shared_ptr<OpenTokens> estimate_;  ///< Null for one.
};

}  // namespace onggi::server
