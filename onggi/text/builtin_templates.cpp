// Templates for checkpoints that have the turn tokens but no template of their own, written from the rules in
// docs/formats/tokenizers.md.
#include "onggi/core/error.h"
#include "onggi/text/chat_template.h"

namespace onggi::text {
namespace {

// Gemma: no system turn (its text goes before the first user turn's), roles alternate, contents are trimmed.
constexpr std::string_view kGemma = R"({{ bos_token }}
{%- set ns = namespace(system='', turns=messages) %}
{%- if messages and messages[0].role == 'system' %}
    {%- set ns.turns = messages[1:] %}
    {%- if messages[0].content is string %}
        {%- set ns.system = messages[0].content + '\n\n' %}
    {%- else %}
        {%- set ns.system = messages[0].content[0].text + '\n\n' %}
    {%- endif %}
{%- endif %}
{%- for message in ns.turns %}
    {%- if message.role != ['user', 'assistant'][loop.index0 % 2] %}
        {{- raise_exception('roles must alternate: user, assistant, user, assistant ...') }}
    {%- endif %}
    {{- '<start_of_turn>' }}
    {{- 'model' if message.role == 'assistant' else 'user' }}
    {{- '\n' }}
    {%- if loop.first %}{{ ns.system }}{% endif %}
    {%- if message.content is string %}
        {{- message.content | trim }}
    {%- else %}
        {%- for part in message.content %}
            {%- if part.type == 'text' %}
                {{- part.text | trim }}
            {%- elif part.type == 'image' %}
                {{- '<start_of_image>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
    {{- '<end_of_turn>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<start_of_turn>model\n' }}
{%- endif %}
)";

// ChatML: every turn, system too, between its own marks; contents as they are.
constexpr std::string_view kChatMl = R"({% for message in messages %}
    {{- '<|im_start|>' }}{{ message.role }}{{ '\n' }}{{ message.content }}{{ '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
)";

// Llama 3: role in a header, contents trimmed.
constexpr std::string_view kLlama3 = R"({{ bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' }}{{ message.role }}{{ '<|end_header_id|>\n\n' }}{{ message.content | trim }}{{ '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
)";

}  // namespace

std::string_view builtin_chat_template(std::string_view name) {
  if (name == "gemma") return kGemma;
  if (name == "chatml") return kChatMl;
  if (name == "llama3") return kLlama3;
  throw Error(ErrorCode::kNotFound,
              "there is no built-in chat template \"" + std::string(name) + "\"; expected gemma, chatml or llama3");
}

std::string chat_template_of(const Tokenizer& tokenizer) {
  if (!tokenizer.chat_template().empty()) return tokenizer.chat_template();
  const auto has = [&](std::string_view token) {
    const int id = tokenizer.id_of(token);
    return id >= 0 && tokenizer.is_control(id);
  };
  if (has("<start_of_turn>")) return std::string(builtin_chat_template("gemma"));
  if (has("<|start_header_id|>")) return std::string(builtin_chat_template("llama3"));
  if (has("<|im_start|>")) return std::string(builtin_chat_template("chatml"));
  return {};
}

ChatTemplate::Options chat_options_of(const Tokenizer& tokenizer) {
  ChatTemplate::Options options;
  if (tokenizer.bos_id() >= 0) options.bos_token = tokenizer.token_bytes(tokenizer.bos_id());
  if (tokenizer.eos_id() >= 0) options.eos_token = tokenizer.token_bytes(tokenizer.eos_id());
  return options;
}

}  // namespace onggi::text
