#include "onggi/review/client_event.h"

#include <algorithm>
#include <array>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::review {
namespace {

constexpr std::size_t kMaxNote = 4000;
constexpr std::int64_t kMaxSpentMs = 24LL * 3600 * 1000;

[[noreturn]] void refuse(const std::string& where, const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message, where);
}

ClientEvent::Kind kind_of(const std::string& name, const std::string& where) {
  using Kind = ClientEvent::Kind;
  static constexpr std::array<std::pair<std::string_view, Kind>, 4> kKinds = {
      {{"decide", Kind::kDecide}, {"undo", Kind::kUndo}, {"settle", Kind::kSettle}, {"accept_set", Kind::kAcceptSet}}};
  const auto found = std::ranges::find(kKinds, name, [](const auto& row) { return row.first; });
  if (found == kKinds.end()) refuse(where, "kind: expected decide, undo, settle or accept_set");
  return found->second;
}

Action action_of(const std::string& name, const std::string& where) {
  for (const auto action : {Action::kAccept, Action::kEdit, Action::kReject, Action::kSkip})
    if (action_name(action) == name) return action;
  refuse(where, "action: expected accept, edit, reject or skip");
}

void read_decision(const Json& body, const std::string& where, ClientEvent& event) {
  const bool is_last_word = event.kind == ClientEvent::Kind::kSettle;
  event.item = text_of(body, "item", where, 64);
  event.version = static_cast<int>(number_of(body, "version", where, 0, 1 << 30, -1));
  event.action = action_of(text_of(body, "action", where, 16), where);
  if (is_last_word && (event.action == Action::kAccept || event.action == Action::kSkip))
    refuse(where, "action: expected edit or reject");
  if (event.action == Action::kEdit) {
    if (!body.contains("answer")) refuse(where, "answer: is missing");
    event.answer = body["answer"];
  }
  if (event.action == Action::kReject) event.reason = static_cast<int>(number_of(body, "reason", where, 1, 9, 9));
  event.spent_ms = number_of(body, "spent_ms", where, 0, kMaxSpentMs, 0);
}

ClientEvent read_event(const Json& body, const std::string& where) {
  if (!body.is_object()) refuse(where, "expected an object");
  ClientEvent event;
  event.id = text_of(body, "id", where, 64);
  if (!is_event_id(event.id)) refuse(where, "id: expected 8 to 64 of A-Z, a-z, 0-9, '_', '-'");
  event.kind = kind_of(text_of(body, "kind", where, 16), where);
  event.note = text_of(body, "note", where, kMaxNote);
  event.guideline = text_of(body, "guideline", where, 64);
  if (event.kind == ClientEvent::Kind::kDecide || event.kind == ClientEvent::Kind::kSettle) {
    read_decision(body, where, event);
  } else {
    event.target = text_of(body, event.kind == ClientEvent::Kind::kUndo ? "target" : "set", where, 64);
  }
  return event;
}

}  // namespace

std::string text_of(const Json& body, const char* name, const std::string& where, std::size_t max_bytes) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return {};
  if (!found->is_string()) refuse(where, std::string(name) + ": expected a text");
  auto text = found->get<std::string>();
  if (text.find('\0') != std::string::npos) refuse(where, std::string(name) + ": a text may not have a NUL character");
  if (text.size() > max_bytes) refuse(where, std::string(name) + ": at most " + std::to_string(max_bytes) + " bytes");
  return text;
}

std::int64_t number_of(const Json& body, const char* name, const std::string& where, std::int64_t least,
                       std::int64_t most, std::int64_t otherwise) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return otherwise;
  // As a real number, which an unsigned one past the range does not wrap around in.
  const bool is_good = found->is_number_integer() && found->get<double>() >= static_cast<double>(least) &&
                       found->get<double>() <= static_cast<double>(most);
  if (!is_good)
    refuse(where,
           std::string(name) + ": expected a whole number of " + std::to_string(least) + " to " + std::to_string(most));
  return found->get<std::int64_t>();
}

std::vector<ClientEvent> parse_client_events(const Json& body) {
  if (!body.is_object() || !body.contains("events") || !body["events"].is_array())
    refuse("body", "expected {\"events\": [...]}");
  const auto& list = body["events"];
  if (list.size() > kMaxEvents) refuse("events", "at most " + std::to_string(kMaxEvents) + " at once");
  std::vector<ClientEvent> events;
  for (std::size_t i = 0; i < list.size(); ++i) events.push_back(read_event(list[i], "events/" + std::to_string(i)));
  return events;
}

bool is_event_id(std::string_view text) {
  return text.size() >= 8 && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

bool is_person_name(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= 64 && text.front() != ' ' && text.back() != ' ' &&
         std::ranges::none_of(text, is_control) && text::is_valid_utf8(text);
}

}  // namespace onggi::review
