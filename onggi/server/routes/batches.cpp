#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "onggi/server/api_error.h"
#include "onggi/server/batch/batch_calls.h"
#include "onggi/server/batch/batch_endpoint.h"
#include "onggi/server/completion_request.h"
#include "onggi/server/routes/route.h"

namespace onggi::server {
namespace {

constexpr std::int64_t kMaxListed = 100;
constexpr std::int64_t kDefaultListed = 20;
constexpr std::size_t kMaxPairs = 16;
constexpr std::size_t kMaxNameBytes = 64 * 4;  // OpenAI counts characters
constexpr std::size_t kMaxValueBytes = 512 * 4;
constexpr std::int64_t kLongestWindow_s = 14 * 86'400;
constexpr std::int64_t kLeastExpiry_s = 3600;
constexpr std::int64_t kMostExpiry_s = 2'592'000;

[[noreturn]] void refuse(const std::string& param, const std::string& message) {
  throw ApiError(400, param + ": " + message, "invalid_value", param);
}

/// "24h", as OpenAI has it; any number of s, m, h or d up to two weeks is as good.
std::int64_t window_seconds(const std::string& text) {
  constexpr std::array<std::pair<char, std::int64_t>, 4> kUnits = {{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}}};
  std::int64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto end = std::from_chars(text.data(), last, number);
  for (const auto& [unit, seconds] : kUnits) {
    const bool is_good = end.ec == std::errc() && end.ptr + 1 == last && *end.ptr == unit && number >= 1 &&
                         number <= kLongestWindow_s / seconds;
    if (is_good) return number * seconds;
  }
  refuse("completion_window", "expected a time as \"24h\", up to \"14d\", found \"" + text + "\"");
}

Json read_metadata(const Json& json) {
  const auto it = json.find("metadata");
  if (it == json.end() || it->is_null()) return nullptr;
  if (!it->is_object() || it->size() > kMaxPairs)
    refuse("metadata", "expected an object of at most " + std::to_string(kMaxPairs) + " members");
  for (const auto& [name, value] : it->items()) {
    if (name.size() > kMaxNameBytes) refuse("metadata", "a name is longer than 64 characters");
    if (!value.is_string() || value.get<std::string>().size() > kMaxValueBytes)
      refuse("metadata." + name, "expected a text of at most 512 characters");
  }
  return *it;
}

std::optional<std::int64_t> read_output_expiry(const Json& json) {
  const auto it = json.find("output_expires_after");
  if (it == json.end() || it->is_null()) return std::nullopt;
  const bool is_good = it->is_object() && it->value("anchor", Json()) == "created_at" &&
                       it->value("seconds", Json()).is_number_integer() && (*it)["seconds"] >= kLeastExpiry_s &&
                       (*it)["seconds"] <= kMostExpiry_s;
  if (!is_good) {
    refuse("output_expires_after", "expected {\"anchor\": \"created_at\", \"seconds\": " +
                                       std::to_string(kLeastExpiry_s) + " to " + std::to_string(kMostExpiry_s) + "}");
  }
  return (*it)["seconds"].get<std::int64_t>();
}

http::Response create_batch(Batches& batches, const http::Request& request, const Asker& asker) {
  const Json json = read_json_body(request.body);
  BatchRecord batch{.id = random_id("batch_"), .endpoint = text_member(json, "endpoint")};
  if (find_endpoint(batch.endpoint) == nullptr)
    refuse("endpoint", "expected one of " + endpoint_names() + ", found \"" + batch.endpoint + "\"");
  batch.input_file_id = text_member(json, "input_file_id");
  batch.completion_window = text_member(json, "completion_window");
  batch.created_at = std::time(nullptr);
  batch.expires_at = batch.created_at + window_seconds(batch.completion_window);
  batch.metadata = read_metadata(json);
  batch.output_expires_after = read_output_expiry(json);
  batch.owner = asker.name;
  const auto file = batches.store().find_file(batch.input_file_id);
  if (!file || !asker.sees(file->owner) || (file->expires_at && *file->expires_at <= batch.created_at)) {
    throw ApiError(404, "input_file_id: there is no file \"" + batch.input_file_id + "\"", "file_not_found",
                   "input_file_id");
  }
  if (file->purpose != "batch")
    refuse("input_file_id", "expected a file of purpose \"batch\", found \"" + file->purpose + "\"");
  batches.store().add_batch(batch);
  batches.notify();
  return json_response(batch_json(batch));
}

http::Response list_batches(Batches& batches, const http::Request& request, const Asker& asker) {
  const auto page = batches.store().list_batches(read_page_query(request, asker, kDefaultListed, kMaxListed));
  Json items = Json::array();
  for (const BatchRecord& batch : page.items) items.push_back(batch_json(batch));
  return json_response(page_json(std::move(items), page.has_more));
}

http::Response cancel_batch(Batches& batches, const std::string& id, const Asker& asker) {
  BatchRecord batch = find_batch(batches, id, asker);
  if (batch.status == batch_status::kCancelling || batch.status == batch_status::kCancelled)
    return json_response(batch_json(batch));
  if (!batches.store().request_cancel(id, std::time(nullptr))) {
    batch = find_batch(batches, id, asker);
    throw ApiError(409, "the batch is " + batch.status + " already", "batch_not_cancellable", "batch_id");
  }
  batches.notify();
  return json_response(batch_json(find_batch(batches, id, asker)));
}

}  // namespace

std::span<const Route> batch_routes() {
  static constexpr std::array<Route, 4> kRoutes = {{
      {.method = "POST",
       .path = "/v1/batches",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [e = c.exchange](Batches& batches, const Asker& asker) {
               return create_batch(batches, e->request(), asker);
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch},
      {.method = "GET",
       .path = "/v1/batches",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [e = c.exchange](Batches& batches, const Asker& asker) {
               return list_batches(batches, e->request(), asker);
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch},
      {.method = "GET",
       .path = "/v1/batches/{}",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [id = c.captured[0]](Batches& batches, const Asker& asker) {
               return json_response(batch_json(find_batch(batches, id, asker)));
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch},
      {.method = "POST",
       .path = "/v1/batches/{}/cancel",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_batches(b, c, [id = c.captured[0]](Batches& batches, const Asker& asker) {
               return cancel_batch(batches, id, asker);
             });
           },
       .needs_key = true,
       .scope = Scope::kBatch},
  }};
  return kRoutes;
}

}  // namespace onggi::server
