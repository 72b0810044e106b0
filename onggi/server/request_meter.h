#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "onggi/runtime/request.h"
#include "onggi/server/call_record.h"
#include "onggi/server/server_metrics.h"

namespace onggi::server {

/// Measures the jobs of a request through their callbacks: whoever answers need not know of it.
class RequestMeter {
 public:
  using Clock = std::chrono::steady_clock;

  /// `metrics` must outlive the jobs; `record` may be null.
  RequestMeter(ServerMetrics& metrics, std::shared_ptr<CallRecord> record, Clock::time_point arrived)
      : metrics_(metrics), record_(std::move(record)), arrived_(arrived) {}

  /// After the job's callbacks are set and before it is submitted. `adapter`: its served name, empty for the base.
  void attach(runtime::Job& job, const std::string& adapter) const;

 private:
  ServerMetrics& metrics_;
  std::shared_ptr<CallRecord> record_;
  Clock::time_point arrived_;
};

/// Counts a job's tokens in the record, where its times say nothing. When to call it: as `attach`.
void count_tokens(runtime::Job& job, const std::shared_ptr<CallRecord>& record);

}  // namespace onggi::server
