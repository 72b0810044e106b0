#include "onggi/tasks/label/reply.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"
#include "onggi/core/json.h"
#include "onggi/datasets/characters.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kMaxWords = 300;
constexpr std::string_view kWhere = "the teacher's answer";

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_member(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t count_member(const Json* object, const char* name) {
  const Json* value = object == nullptr ? nullptr : member(*object, name);
  if (value == nullptr || !value->is_number_integer()) return 0;
  return std::clamp<std::int64_t>(
      value->is_number_unsigned()
          ? static_cast<std::int64_t>(std::min<std::uint64_t>(value->get<std::uint64_t>(), std::uint64_t{1} << 40))
          : value->get<std::int64_t>(),
      0, std::int64_t{1} << 40);
}

/// A token's bytes: of its list "bytes" where it has one, as part of a character has no text.
std::optional<std::string> token_bytes(const Json& token) {
  if (const Json* bytes = member(token, "bytes"); bytes != nullptr && bytes->is_array()) {
    std::string text;
    for (const Json& byte : *bytes) {
      if (!byte.is_number_integer()) return std::nullopt;
      text += static_cast<char>(byte.get<std::int64_t>() & 0xFF);
    }
    return text;
  }
  const Json* text = member(token, "token");
  return text != nullptr && text->is_string() ? std::optional(text->get<std::string>()) : std::nullopt;
}

/// Empty where the tokens do not spell the text.
std::vector<ChatReply::Token> read_tokens(const Json& choice, std::string_view text) {
  const Json* logprobs = member(choice, "logprobs");
  const Json* content = logprobs == nullptr ? nullptr : member(*logprobs, "content");
  if (content == nullptr || !content->is_array()) return {};
  std::vector<ChatReply::Token> tokens;
  std::size_t at = 0;
  for (const Json& token : *content) {
    const auto bytes = token_bytes(token);
    const Json* value = member(token, "logprob");
    if (!bytes || value == nullptr || !value->is_number()) return {};
    if (at < text.size() && !text.substr(at).starts_with(*bytes)) return {};
    if (at >= text.size()) break;  // the end token
    const double log_probability = value->get<double>();
    if (!std::isfinite(log_probability) || log_probability > 0) return {};
    tokens.push_back({at, at + bytes->size(), log_probability});
    at += bytes->size();
  }
  if (at != text.size()) tokens.clear();
  return tokens;
}

std::string one_line(std::string_view text) {
  std::string line = datasets::to_utf8(datasets::to_code_points(text.substr(0, 4 * kMaxWords)));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  line = datasets::collapse_spaces(line);
  if (line.size() <= kMaxWords) return line;
  std::size_t end = kMaxWords;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
  return line.substr(0, end) + " ...";
}

/// Null on anything that is no JSON.
Json parsed_or_null(std::string_view body) {
  try {
    return parse_json(body, kWhere, 32);
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

ChatReply parse_chat_reply(std::string_view body) {
  const Json json = parse_json(body, kWhere, 64);
  const Json* choices = member(json, "choices");
  require(choices != nullptr && choices->is_array() && !choices->empty(),
          "expected a list \"choices\" that is not empty", ErrorCode::kCorrupt, kWhere);
  const Json& choice = choices->front();
  const Json* message = member(choice, "message");
  require(message != nullptr && message->is_object(), "expected an object \"message\" in choices[0]",
          ErrorCode::kCorrupt, kWhere);
  ChatReply reply;
  reply.text = text_member(*message, "content");
  reply.refusal = text_member(*message, "refusal");
  reply.finish_reason = text_member(choice, "finish_reason");
  reply.tokens = read_tokens(choice, reply.text);
  const Json* usage = member(json, "usage");
  reply.has_usage =
      usage != nullptr && member(*usage, "prompt_tokens") != nullptr && member(*usage, "completion_tokens") != nullptr;
  reply.prompt_tokens = count_member(usage, "prompt_tokens");
  reply.completion_tokens = count_member(usage, "completion_tokens");
  reply.cached_tokens =
      count_member(usage == nullptr ? nullptr : member(*usage, "prompt_tokens_details"), "cached_tokens");
  return reply;
}

std::string chat_reply_body(const ChatReply& reply) {
  Json content = Json::array();
  for (const auto& token : reply.tokens) {
    Json bytes = Json::array();
    for (std::size_t i = token.begin_byte; i < token.end_byte; ++i)
      bytes.push_back(static_cast<unsigned char>(reply.text[i]));
    content.push_back({{"bytes", std::move(bytes)}, {"logprob", token.log_probability}});
  }
  const Json choice = {{"message", {{"role", "assistant"}, {"content", reply.text}}},
                       {"finish_reason", reply.finish_reason},
                       {"logprobs", {{"content", std::move(content)}}}};
  return Json({{"choices", Json::array({choice})},
               {"usage", {{"prompt_tokens", reply.prompt_tokens}, {"completion_tokens", reply.completion_tokens}}}})
      .dump();
}

std::string error_words(std::string_view body) {
  const Json json = parsed_or_null(body);
  if (const Json* error = member(json, "error")) {
    if (error->is_string()) return one_line(error->get<std::string>());
    if (const auto text = text_member(*error, "message"); !text.empty()) return one_line(text);
  }
  for (const char* name : {"message", "detail"}) {
    if (const auto text = text_member(json, name); !text.empty()) return one_line(text);
  }
  return one_line(body);
}

std::string error_kind(std::string_view body) {
  const Json json = parsed_or_null(body);
  const Json* error = member(json, "error");
  if (error == nullptr) return {};
  const auto code = text_member(*error, "code");
  return code.empty() ? text_member(*error, "type") : code;
}

}  // namespace onggi::tasks
