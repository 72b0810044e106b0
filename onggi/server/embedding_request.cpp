#include "onggi/server/embedding_request.h"

#include "onggi/core/error.h"

namespace onggi::server {

runtime::EmbeddingShape read_embedding_shape(const Members& members, int size) {
  return {.dimensions = static_cast<int>(members.whole("dimensions", 1, size, size)),
          .normalizes = members.truth("normalize", true)};
}

std::shared_ptr<runtime::AnswerSettings> reading_settings(const ServedModel& model) {
  auto settings = std::make_shared<runtime::AnswerSettings>();
  settings->adapter = model.adapter;
  settings->cache_key = model.content_hash;
  settings->max_new_tokens = 0;
  return settings;
}

std::shared_ptr<runtime::AnswerSettings> read_pooling(const Members& members, const ServedModel& model) {
  auto settings = reading_settings(model);
  const std::string name = members.text("pooling");
  try {
    settings->prompt.pooling = runtime::pooling_from_name(name.empty() ? "mean" : name);
  } catch (const Error&) {
    refuse("pooling", "expected mean or last, found \"" + name + "\"");
  }
  return settings;
}

bool read_urgency(const Members& members) {
  return members.whole("priority", -1'000'000, 1'000'000, 0) <= 0 && members.text("service_tier") != "flex";
}

}  // namespace onggi::server
