#include "onggi/server/batch/batch_endpoint.h"

#include <algorithm>
#include <array>

#include "onggi/server/backend.h"
#include "onggi/server/embedding_request.h"
#include "onggi/server/routes/completions.h"
#include "onggi/server/routes/embeddings.h"

namespace onggi::server {
namespace {

template <bool kIsChat>
void answer_completion(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, const LineTerms& terms) {
  complete_line(backend, exchange, kIsChat, terms);
}

std::int64_t body_bytes(const Backend& /*backend*/, std::string_view body) {
  return static_cast<std::int64_t>(body.size());
}

/// A few bytes of ids become a whole vector each: there are at most as many inputs as commas let be.
std::int64_t embedding_bytes(const Backend& backend, std::string_view body) {
  const auto num_inputs =
      std::min<std::int64_t>(std::ranges::count(body, ',') + 1, static_cast<std::int64_t>(kMaxInputs));
  return body_bytes(backend, body) +
         num_inputs * backend.decoder.config().hidden_size * static_cast<std::int64_t>(sizeof(float));
}

constexpr std::array<BatchEndpoint, 3> kEndpoints = {{
    {"/v1/chat/completions", answer_completion<true>, body_bytes},
    {"/v1/completions", answer_completion<false>, body_bytes},
    {"/v1/embeddings", embed_line, embedding_bytes},
}};

}  // namespace

const BatchEndpoint* find_endpoint(std::string_view url) {
  const auto* const found = std::ranges::find(kEndpoints, url, &BatchEndpoint::url);
  return found == kEndpoints.end() ? nullptr : found;
}

std::string endpoint_names() {
  std::string names;
  for (const auto& endpoint : kEndpoints) names += (names.empty() ? "" : ", ") + std::string(endpoint.url);
  return names;
}

}  // namespace onggi::server
