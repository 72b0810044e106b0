#include "onggi/server/routes/embeddings.h"

#include <array>
#include <bit>

#include "onggi/core/base64.h"
#include "onggi/core/json_numbers.h"
#include "onggi/server/completion_request.h"
#include "onggi/server/embedding_request.h"
#include "onggi/server/prompt_jobs.h"
#include "onggi/server/routes/route.h"
#include "onggi/server/text_inputs.h"

namespace onggi::server {
namespace {

static_assert(std::endian::native == std::endian::little, "clients decode little-endian floats");

/// How vectors are wanted.
struct EmbeddingForm {
  runtime::EmbeddingShape shape;
  bool is_base64 = false;
  bool tells_of_cache = true;  ///< Not in a line of a batch: its answer depends on the line alone.
};

/// Built as text: a tree of a million numbers takes more time than the model does.
http::Response embeddings_response(const PromptReadings& readings, const std::string& model,
                                   const EmbeddingForm& form) {
  std::string body = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < readings.readings.size(); ++i) {
    const auto vector = runtime::embedding_of(readings.readings[i]->pooled, form.shape);
    if (i > 0) body += ',';
    body += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)";
    body += form.is_base64 ? '"' + base64(std::as_bytes(std::span(vector))) + '"' : json_numbers(vector);
    body += '}';
  }
  Json usage = readings.usage();
  if (!form.tells_of_cache) usage.erase("prompt_tokens_details");
  body += R"(],"model":)" + Json(model).dump() + R"(,"usage":)" + usage.dump() + "}";
  return {.body = std::move(body)};
}

bool wants_base64(const Members& members) {
  const std::string format = members.text("encoding_format");
  if (!format.empty() && format != "float" && format != "base64")
    refuse("encoding_format", "expected float or base64, found \"" + format + "\"");
  return format == "base64";
}

void start_embeddings(Backend& backend, const Arrival& arrival, const Json& json, const ServedModel& model) {
  const Members members(json);
  const EmbeddingForm form{
      .shape = read_embedding_shape(members, static_cast<int>(backend.decoder.config().hidden_size)),
      .is_base64 = wants_base64(members),
      .tells_of_cache = !arrival.is_of_line()};
  PromptJobs jobs{.prompts = {},
                  .settings = read_pooling(members, model),
                  .is_urgent = read_urgency(members) && !arrival.is_of_line()};
  jobs.prompts = prompts_of(backend, read_text_inputs(members, "input", kMaxInputs), "input");
  read_prompts(backend, arrival, model, std::move(jobs), [name = model.name, form](const PromptReadings& readings) {
    return embeddings_response(readings, name, form);
  });
}

}  // namespace

void embed(Backend& backend, const std::shared_ptr<http::Exchange>& exchange,
           const std::shared_ptr<CallRecord>& record) {
  read_body(backend, exchange, record, start_embeddings);
}

void embed_line(Backend& backend, const std::shared_ptr<http::Exchange>& exchange, const LineTerms& terms) {
  const auto arrival = Arrival::of_line(backend, exchange, terms.record);
  arrival.take([&] {
    const Json json = read_json_body(exchange->request().body);
    start_embeddings(backend, arrival, json, arrival.model(Members(json).text("model")));
  });
}

std::span<const Route> embedding_routes() {
  static constexpr std::array<Route, 2> kRoutes = {{
      {.method = "POST",
       .path = "/v1/embeddings",
       .run = [](Backend& b, const Call& c) { embed(b, c.exchange, c.record); },
       .is_work = true,
       .needs_key = true,
       .scope = Scope::kEmbed},
      {.method = "POST",
       .path = "/v1/score",
       .run = [](Backend& b, const Call& c) { score(b, c.exchange, c.record); },
       .is_work = true,
       .needs_key = true,
       .scope = Scope::kEmbed},
  }};
  return kRoutes;
}

}  // namespace onggi::server
