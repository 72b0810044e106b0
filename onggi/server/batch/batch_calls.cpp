#include "onggi/server/batch/batch_calls.h"

#include <charconv>
#include <ctime>

#include "onggi/core/error.h"
#include "onggi/http/query.h"
#include "onggi/server/api_error.h"

namespace onggi::server {

Batches& batches_of(const Backend& backend) {
  if (backend.batches != nullptr) return *backend.batches;
  throw ApiError(404, "this server keeps no files and batches: start it with --state FOLDER to have them", "no_state");
}

Asker asker_of(const Call& call) {
  const auto& caller = call.record->caller;
  if (!caller) return {.name = {}, .sees_all = true};
  return {.name = caller->name, .sees_all = caller->has(Scope::kAdmin)};
}

void answer_on_batches(Backend& backend, const Call& call, std::function<http::Response(Batches&, const Asker&)> make) {
  try {
    Batches& batches = batches_of(backend);
    batches.worker().post([&batches, exchange = call.exchange, asker = asker_of(call), make = std::move(make)] {
      exchange->respond(answer_of([&] { return make(batches, asker); }));
    });
  } catch (const ApiError& e) {
    call.exchange->respond(error_response(e));
  }
}

FileRecord find_file(Batches& batches, const std::string& id, const Asker& asker) {
  auto file = batches.store().find_file(id);
  const bool is_there =
      file && asker.sees(file->owner) && (!file->expires_at || *file->expires_at > std::time(nullptr));
  if (!is_there) throw ApiError(404, "there is no file \"" + id + "\"", "file_not_found", "file_id");
  return *std::move(file);
}

BatchRecord find_batch(Batches& batches, const std::string& id, const Asker& asker) {
  auto batch = batches.store().find_batch(id);
  if (!batch || !asker.sees(batch->owner))
    throw ApiError(404, "there is no batch \"" + id + "\"", "batch_not_found", "batch_id");
  return *std::move(batch);
}

BatchStore::PageQuery read_page_query(const http::Request& request, const Asker& asker, std::int64_t default_limit,
                                      std::int64_t max_limit) {
  BatchStore::PageQuery page{.limit = default_limit, .asker = asker};
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
