#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "onggi/http/server.h"
#include "onggi/server/line_terms.h"

namespace onggi::server {

class Backend;

/// What a batch's lines may ask for.
struct BatchEndpoint {
  std::string_view url;
  void (*answer)(Backend&, const std::shared_ptr<http::Exchange>&, const LineTerms&);
  /// About what a line with this body takes while it is on its way.
  std::int64_t (*num_bytes)(const Backend&, std::string_view body);
};

/// Null: batches can't ask for it.
const BatchEndpoint* find_endpoint(std::string_view url);
/// As "/v1/a, /v1/b", for messages.
std::string endpoint_names();

}  // namespace onggi::server
