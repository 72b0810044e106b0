#pragma once

#include <memory>

#include "onggi/http/server.h"
#include "onggi/server/backend.h"
#include "onggi/server/call_record.h"
#include "onggi/server/line_terms.h"

namespace onggi::server {

/// Answers a body of /v1/chat/completions or /v1/completions, streamed or whole. The exchange need not be a socket's:
/// what it does is all that the answer depends on. `record` says whose budget and models it is; null: nobody's. Returns
/// at once.
void complete(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, bool is_chat,
              const std::shared_ptr<CallRecord>& record = nullptr);

/// The same for a line of a batch: all other requests go before it, and it does not count as open work. Everything up
/// to the engine happens on the calling thread.
void complete_line(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, bool is_chat,
                   const LineTerms& terms);

}  // namespace onggi::server
