// Bodies of chat and completion requests: read, or refused with a status of 400 to 499. What tools of a body become is a
// guide or a refusal; texts of its messages are read as answers, whole and in pieces, to the same calls.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "onggi/core/error.h"
#include "onggi/server/api_error.h"
#include "onggi/server/call_form.h"
#include "onggi/server/call_reader.h"
#include "onggi/server/completion_request.h"

namespace {

using onggi::Json;
using onggi::server::CallForm;
using onggi::server::CallReader;

std::string heard(const CallForm& form, std::string_view answer, std::size_t size) {
  CallReader reader(form, true);
  std::string text;
  for (std::size_t end = size;; end += size) {
    const bool is_end = end >= answer.size();
    for (const auto& piece : reader.read(answer.substr(0, end), is_end))
      text += (piece.kind == CallReader::Piece::Kind::kName ? "\n\n\n" : "") + piece.text;
    if (is_end) return text;
  }
}

void use(const onggi::server::CompletionRequest& request) {
  for (const char* source : {"", "tools", "tools <tool_call>"}) {
    const CallForm form = onggi::server::call_form_of(source);
    onggi::server::messages_with_tools(request.messages, request.tools.shown, form);
    if (request.tools.may_call()) onggi::server::answers_guide(request.tools, form, request.guide);
    for (const Json& message : request.messages) {
      const auto& answer = message.at("content").get_ref<const std::string&>();
      if (heard(form, answer, 1) != heard(form, answer, answer.size() + 1)) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  for (const bool is_chat : {true, false}) {
    try {
      const auto request = onggi::server::read_completion_request(body, is_chat);
      if (is_chat) use(request);
    } catch (const onggi::server::ApiError& e) {
      if (e.status() < 400 || e.status() > 499) std::abort();
    }
  }
  return 0;
}
