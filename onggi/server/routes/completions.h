#pragma once

#include <memory>

#include "onggi/http/server.h"
#include "onggi/server/backend.h"
#include "onggi/server/call_record.h"

namespace onggi::server {

/// Answers a body of /v1/chat/completions or /v1/completions, streamed or whole. The exchange need not be a socket's:
/// what it does is all that the answer depends on. `record` says whose budget and models it is; null: nobody's. Returns
/// at once.
void complete(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, bool is_chat,
              const std::shared_ptr<CallRecord>& record = nullptr);

}  // namespace onggi::server
