#include <array>

#include "onggi/server/completion_request.h"
#include "onggi/server/routes/route.h"
#include "onggi/server/token_ids.h"
#include "onggi/text/utf8.h"

namespace onggi::server {
namespace {

http::Response tokenize(const Backend& backend, const http::Request& request) {
  const Json json = read_json_body(request.body);
  const auto ids =
      text_ids(*backend.tokenizer, text_member(json, "prompt"), json.value("add_special_tokens", Json(true)) == true);
  return json_response(
      {{"count", ids.size()}, {"max_model_len", backend.decoder.config().max_positions}, {"tokens", ids}});
}

http::Response detokenize(const Backend& backend, const http::Request& request) {
  const Json json = read_json_body(request.body);
  std::vector<int> ids;
  const Json list = json.value("tokens", Json());
  if (!list.is_array()) throw ApiError(400, "tokens: expected a list of ids", "invalid_value", "tokens");
  for (const Json& id : list) {
    if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() >= backend.tokenizer->vocab_size())
      throw ApiError(400, "tokens: " + id.dump() + " is not in the vocabulary", "invalid_value", "tokens");
    ids.push_back(id.get<int>());
  }
  return json_response({{"prompt", text::repair_utf8(backend.tokenizer->decode(ids, true))}});
}

}  // namespace

std::span<const Route> token_routes() {
  static constexpr std::array<Route, 2> kRoutes = {{
      {.method = "POST",
       .path = "/tokenize",
       .run = [](Backend& b,
                 const Call& c) { answer_on_worker(b, c, [&b, e = c.exchange] { return tokenize(b, e->request()); }); },
       .needs_key = true,
       .scope = Scope::kAny},
      {.method = "POST",
       .path = "/detokenize",
       .run =
           [](Backend& b, const Call& c) {
             answer_on_worker(b, c, [&b, e = c.exchange] { return detokenize(b, e->request()); });
           },
       .needs_key = true,
       .scope = Scope::kAny},
  }};
  return kRoutes;
}

}  // namespace onggi::server
