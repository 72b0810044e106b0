#pragma once

#include <functional>
#include <string>

#include "onggi/http/server.h"
#include "onggi/server/batch/batches.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {

/// What the server keeps; ApiError 404, saying how to have it, where it keeps nothing.
Batches& batches_of(const Backend& backend);
Asker asker_of(const Call& call);
/// `make` with the batches on their worker, as the call's answer.
void answer_on_batches(Backend& backend, const Call& call, std::function<http::Response(Batches&, const Asker&)> make);
/// The file or batch, if it is there for the asker. Throws ApiError 404, the same for one that is another's; a file
/// whose time has come is gone, whether or not it is removed.
FileRecord find_file(Batches& batches, const std::string& id, const Asker& asker);
BatchRecord find_batch(Batches& batches, const std::string& id, const Asker& asker);
/// limit, after and order of the asker's query. Throws ApiError 400.
BatchStore::PageQuery read_page_query(const http::Request& request, const Asker& asker, std::int64_t default_limit,
                                      std::int64_t max_limit);
/// OpenAI's list of items that have an id.
Json page_json(Json items, bool has_more);

}  // namespace onggi::server
