// Chat templates: any source over fixed messages prints or ends with one Error, in bounded time and memory, and its
// spans are the printed text.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "onggi/core/error.h"
#include "onggi/text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const onggi::Json messages = onggi::parse_json(
      R"([{"role": "system", "content": " s "}, {"role": "user", "content": "\uac00 <b>", "n": [1, 2.5, null, true]},
          {"role": "assistant", "content": [{"type": "text", "text": "x\ny"}], "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}])",
      "fuzz");
  onggi::text::ChatTemplate::Options options;
  options.tools = messages[2]["tool_calls"];
  options.bos_token = "<bos>";
  options.date = "2026-11-27";
  try {
    const onggi::text::ChatTemplate chat(std::string(reinterpret_cast<const char*>(bytes), size));
    std::string joined;
    for (const auto& span : chat.render_spans(messages, options)) joined += span.text;
    if (chat.render(messages, options) != joined) std::abort();
  } catch (const onggi::Error& e) {
    if (e.code() != onggi::ErrorCode::kInvalidArgument && e.code() != onggi::ErrorCode::kExhausted) std::abort();
  }
  return 0;
}
