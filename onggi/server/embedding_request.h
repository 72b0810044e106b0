#pragma once

#include <memory>

#include "onggi/runtime/embedding.h"
#include "onggi/server/members.h"
#include "onggi/server/model_registry.h"

namespace onggi::server {

/// Inputs of one request.
inline constexpr std::size_t kMaxInputs = 2048;

/// The members "dimensions", "normalize" of a body whose vectors have `size` values. Throws ApiError 400.
runtime::EmbeddingShape read_embedding_shape(const Members& members, int size);
/// Settings that pool prompts as the member "pooling" says, by default their mean. Throws ApiError 400.
std::shared_ptr<runtime::AnswerSettings> read_pooling(const Members& members, const ServedModel& model);
/// Settings that read prompts and nothing more.
std::shared_ptr<runtime::AnswerSettings> reading_settings(const ServedModel& model);
/// Priority 0 and less; as completions have it.
bool read_urgency(const Members& members);

}  // namespace onggi::server
