#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/review/records.h"

namespace onggi::review {

/// An event as a page sends it: nothing of it has been compared with the state yet.
struct ClientEvent {
  enum class Kind { kDecide, kUndo, kSettle, kAcceptSet };
  Kind kind = Kind::kDecide;
  std::string id;
  std::string item;  ///< Key; of kDecide and kSettle.
  int version = -1;  ///< Of the item when it was shown; -1: whatever it is.
  Action action = Action::kAccept;
  Json answer;     ///< Of an edit or a settlement that keeps the item.
  int reason = 0;  ///< Of a rejection.
  std::string note;
  std::string guideline;
  std::string target;  ///< Of kUndo: the event's id. Of kAcceptSet: the set.
  std::int64_t spent_ms = 0;
};

/// The body {"events": [...]} of a page, at most kMaxEvents of them. Throws kInvalidArgument or kCorrupt naming event
/// and member for anything that is not one.
inline constexpr std::size_t kMaxEvents = 200;
std::vector<ClientEvent> parse_client_events(const Json& body);

/// 8 to 64 of [A-Za-z0-9_-].
bool is_event_id(std::string_view text);
/// A name that people may have: 1 to 64 bytes of UTF-8 without control characters, or spaces at its ends.
bool is_person_name(std::string_view text);

/// A member of a body. Throw kInvalidArgument naming `where` and the member.
std::string text_of(const Json& body, const char* name, const std::string& where, std::size_t max_bytes);
std::int64_t number_of(const Json& body, const char* name, const std::string& where, std::int64_t least,
                       std::int64_t most, std::int64_t otherwise);

}  // namespace onggi::review
