// Bodies of the completion routes: any bytes give a request within its bounds or one ApiError of status 400.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "onggi/server/api_error.h"
#include "onggi/server/completion_request.h"

namespace {

void check(std::string_view body, bool is_chat) {
  try {
    const auto request = onggi::server::read_completion_request(body, is_chat);
    const bool is_bounded = request.num_choices >= 1 && request.max_new_tokens >= 0 &&
                            request.sampling.temperature >= 0.0F && request.sampling.temperature <= 2.0F &&
                            request.sampling.top_p > 0.0F && request.sampling.top_p <= 1.0F &&
                            request.num_alternatives >= 0 && request.repetition_penalty > 0.0F;
    const bool has_prompt =
        is_chat ? !request.messages.empty() : !request.prompts.empty() || !request.prompt_ids.empty();
    if (!is_bounded || !has_prompt) std::abort();
  } catch (const onggi::server::ApiError& e) {
    if (e.status() != 400 || e.message().empty()) std::abort();
    onggi::server::error_response(e);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check(text, true);
  check(text, false);
  return 0;
}
