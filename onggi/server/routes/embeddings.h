#pragma once

#include <memory>

#include "onggi/http/server.h"
#include "onggi/server/backend.h"
#include "onggi/server/call_record.h"

namespace onggi::server {

/// Answers a body of /v1/embeddings. The exchange need not be a socket's. `record` may be null. Returns at once.
void embed(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
           const std::shared_ptr<CallRecord>& record);
/// The same for /v1/score.
void score(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
           const std::shared_ptr<CallRecord>& record);

}  // namespace onggi::server
