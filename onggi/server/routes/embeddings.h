#pragma once

#include <memory>

#include "onggi/http/server.h"
#include "onggi/server/backend.h"
#include "onggi/server/call_record.h"
#include "onggi/server/line_terms.h"

namespace onggi::server {

/// Answers a body of /v1/embeddings. The exchange need not be a socket's. `record` may be null. Returns at once.
void embed(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
           const std::shared_ptr<CallRecord>& record);
/// The same for a line of a batch: all other requests go before it, and it does not count as open work. Everything up
/// to the engine happens on the calling thread.
void embed_line(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, const LineTerms& terms);
/// As `embed` for /v1/score.
void score(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
           const std::shared_ptr<CallRecord>& record);

}  // namespace onggi::server
