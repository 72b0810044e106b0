#pragma once

#include <chrono>

#include "onggi/http/message.h"

namespace onggi::server {

/// When the request's answer is no use any more: its field x-request-timeout-ms, a whole number from 1 to a day; never
/// without one. Throws ApiError 400.
std::chrono::steady_clock::time_point deadline_of(const http::Request& request);

}  // namespace onggi::server
