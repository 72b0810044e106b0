#include <array>

#include "onggi/http/query.h"
#include "onggi/server/api_error.h"
#include "onggi/server/batch/batch_calls.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

constexpr std::int64_t kMaxFilesListed = 10'000;

http::Admission take_upload(Backend& backend, const http::Head& head) {
  Batches& batches = batches_of(backend);
  return {.max_body_bytes = batches.max_upload_bytes(), .refusal = {}, .sink = batches.open_upload(head)};
}

http::Response list_files(Batches& batches, const http::Request& request, const Asker& asker) {
  auto query = read_page_query(request, asker, kMaxFilesListed, kMaxFilesListed);
  query.purpose = http::query_value(request.query, "purpose").value_or("");
  const auto page = batches.store().list_files(query);
  Json items = Json::array();
  for (const FileRecord& file : page.items) items.push_back(file_json(file));
  return json_response(page_json(std::move(items), page.has_more));
}

http::Response delete_file(Batches& batches, const std::string& id, const Asker& asker) {
  find_file(batches, id, asker);
  std::string user;
  switch (batches.store().remove_file(id, user)) {
    case BatchStore::Removal::kUnknown:
      throw ApiError(404, "there is no file \"" + id + "\"", "file_not_found", "file_id");
    case BatchStore::Removal::kInUse:
      throw ApiError(409, "the file is the input of " + user + ", which is not done; cancel that first", "file_in_use",
                     "file_id");
    case BatchStore::Removal::kRemoved: break;
  }
  std::error_code error;
  std::filesystem::remove(batches.folder().file(id), error);
  return json_response({{"id", id}, {"object", "file"}, {"deleted", true}});
}

void send_content(Backend& backend, const Call& call) {
  const auto& exchange = call.exchange;
  try {
    Batches& batches = batches_of(backend);
    batches.worker().post([&batches, exchange, id = call.captured[0], asker = asker_of(call)] {
      try {
        const FileRecord file = find_file(batches, id, asker);
        if (exchange->request().method == "HEAD")
          return exchange->respond({.content_type = "application/octet-stream"});
        batches.send_content(file, exchange);
      } catch (const std::exception&) {
        exchange->respond(answer_of([]() -> http::Response { throw; }));
      }
    });
  } catch (const ApiError& e) {
    exchange->respond(error_response(e));
  }
}

}  // namespace

std::span<const Route> file_routes() {
  static constexpr std::array<Route, 5> kRoutes = {{
      {.method = "POST",
       .path = "/v1/files",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [sink = c.exchange->request().sink](Batches& batches, const Asker& asker) {
               return batches.finish_upload(sink, asker.name);
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch,
       .body_type = "multipart/form-data",
       .take_body = take_upload},
      {.method = "GET",
       .path = "/v1/files",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [e = c.exchange](Batches& batches, const Asker& asker) {
               return list_files(batches, e->request(), asker);
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch},
      {.method = "GET",
       .path = "/v1/files/{}",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [id = c.captured[0]](Batches& batches, const Asker& asker) {
               return json_response(file_json(find_file(batches, id, asker)));
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch},
      {.method = "DELETE",
       .path = "/v1/files/{}",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [id = c.captured[0]](Batches& batches, const Asker& asker) {
               return delete_file(batches, id, asker);
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch},
      {.method = "GET", .path = "/v1/files/{}/content", .run = send_content, .needs_key = true, .scope = Scope::kBatch},
  }};
  return kRoutes;
}

}  // namespace onggi::server
