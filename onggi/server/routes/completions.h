#pragma once

#include <memory>

#include "onggi/http/server.h"
#include "onggi/server/backend.h"

namespace onggi::server {

/// Answers a body of /v1/chat/completions or /v1/completions, streamed or whole. The exchange need not be a socket's:
/// what it does is all that the answer depends on. Returns at once.
void complete(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, bool is_chat);

}  // namespace onggi::server
