#include "onggi/server/batch/batch_calls.h"

#include <charconv>

#include "onggi/core/error.h"
#include "onggi/http/query.h"
#include "onggi/server/api_error.h"

namespace onggi::server {

Batches& batches_of(const Backend& backend) {
  if (backend.batches != nullptr) return *backend.batches;
  throw ApiError(404, "this server keeps no files and batches: start it with --state FOLDER to have them", "no_state");
}

void answer_on_batches(Backend& backend, const Call& call, std::function<http::Response(Batches&)> make) {
  try {
    Batches& batches = batches_of(backend);
    batches.worker().post([&batches, exchange = call.exchange, make = std::move(make)] {
      exchange->respond(answer_of([&] { return make(batches); }));
    });
  } catch (const ApiError& e) {
    call.exchange->respond(error_response(e));
  }
}

BatchStore::PageQuery read_page_query(const http::Request& request, std::int64_t default_limit,
                                      std::int64_t max_limit) {
  BatchStore::PageQuery page{.limit = default_limit};
  page.after = http::query_value(request.query, "after").value_or("");
  if (const auto limit = http::query_value(request.query, "limit")) {
    const auto end = std::from_chars(limit->data(), limit->data() + limit->size(), page.limit);
    const bool is_good =
        end.ec == std::errc() && end.ptr == limit->data() + limit->size() && page.limit >= 1 && page.limit <= max_limit;
    if (!is_good) {
      throw ApiError(
          400, "limit: expected a whole number from 1 to " + std::to_string(max_limit) + ", found \"" + *limit + "\"",
          "invalid_value", "limit");
    }
  }
  if (const auto order = http::query_value(request.query, "order")) {
    if (*order != "asc" && *order != "desc")
      throw ApiError(400, "order: expected asc or desc, found \"" + *order + "\"", "invalid_value", "order");
    page.is_ascending = *order == "asc";
  }
  return page;
}

Json page_json(Json items, bool has_more) {
  const Json first = items.empty() ? Json(nullptr) : items.front().at("id");
  const Json last = items.empty() ? Json(nullptr) : items.back().at("id");
  return {
      {"object", "list"}, {"data", std::move(items)}, {"first_id", first}, {"last_id", last}, {"has_more", has_more}};
}

}  // namespace onggi::server
