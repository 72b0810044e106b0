#pragma once

#include <functional>
#include <string>

#include "onggi/http/server.h"
#include "onggi/server/batch/batches.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {

/// What the server keeps; ApiError 404, saying how to have it, where it keeps nothing.
Batches& batches_of(const Backend& backend);
/// `make` with the batches on their worker, as the call's answer.
void answer_on_batches(Backend& backend, const Call& call, std::function<http::Response(Batches&)> make);
/// limit, after and order of a query. Throws ApiError 400.
BatchStore::PageQuery read_page_query(const http::Request& request, std::int64_t default_limit, std::int64_t max_limit);
/// OpenAI's list of items that have an id.
Json page_json(Json items, bool has_more);

}  // namespace onggi::server
