// Answers of other servers: any bytes are a reply that is bounded by them, or one Error.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/tasks/label/pace.h"
#include "onggi/tasks/label/reply.h"
#include "onggi/tasks/label/sample.h"
#include "onggi/tasks/label/vectors.h"

namespace {

void read_as_reply(std::string_view text) {
  onggi::tasks::ChatReply reply;
  try {
    reply = onggi::tasks::parse_chat_reply(text);
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt) std::abort();
    return;
  }
  std::size_t at = 0;
  for (const auto& token : reply.tokens) {
    if (token.begin_byte != at || token.end_byte < at) std::abort();
    at = token.end_byte;
  }
  if (!reply.tokens.empty() && at != reply.text.size()) std::abort();
  for (const char* format : {"cards", "json", "text"}) {
    const auto sample = onggi::tasks::read_sample(reply, {.format = format, .column = "label", .required = {"a"}, .names = {}});
    if (sample.columns.is_null() == sample.fault.empty()) std::abort();
    (void)onggi::tasks::join_samples({sample, sample}, 0.5);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  read_as_reply(text);
  if (onggi::tasks::error_words(text).size() > 310) std::abort();
  (void)onggi::tasks::error_kind(text);
  (void)onggi::tasks::retry_after("", text, 0);
  try {
    (void)onggi::tasks::parse_npy(text, "fuzz");
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kCorrupt) std::abort();
  }
  return 0;
}
