#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace onggi::review {

/// What answers are: a list of review themes, any JSON, or plain text.
enum class AnswerKind { kThemes, kJson, kText };
std::string_view kind_name(AnswerKind kind);
/// Throws kInvalidArgument on another name than themes, json or text.
AnswerKind kind_from_name(std::string_view name);

/// What the queue must know of an item, kept in memory.
struct ItemHead {
  std::int64_t number = 0;  ///< From 1, in the order of import.
  std::string key;          ///< What pages call it: says nothing of the row.
  double priority = 0;      ///< Higher ones come first.
  int wanted = 1;           ///< People who are asked. A gold item is asked of everybody.
  bool is_gold = false;
  std::string set;     ///< Items alike in what is shown have the same; empty where a fault was found.
  std::string labels;  ///< JSON list: what those have in common, for people.
};

/// The rest of it, read when it is shown. JSON texts.
struct ItemContent {
  std::string id;
  std::string row;          ///< All columns.
  std::string source_hash;  ///< SHA-256 of `row`.
  std::string shown;        ///< The answer to judge, in its normal form.
  std::string gold;         ///< The right one; empty where it is not known.
};

struct Item {
  ItemHead head;
  ItemContent content;
};

enum class EventKind {
  kDecide,  ///< One person's decision on an item.
  kUndo,    ///< Takes back what `target` did.
  kSettle,  ///< The last word on an item that people disagree about.
};
std::string_view event_name(EventKind kind);

enum class Action { kAccept, kEdit, kReject, kSkip };
std::string_view action_name(Action action);

/// A line of the log: only ever added. The state is what these make, in their order.
struct Event {
  std::int64_t seq = 0;  ///< From 1; given by the store.
  std::string id;        ///< Made where the decision was made, so that sending it twice does it once.
  EventKind kind = EventKind::kDecide;
  std::int64_t item = 0;  ///< Number.
  std::string person;
  std::int64_t at_ms = 0;  ///< Unix time at which the server took it.
  Action action = Action::kAccept;
  std::string answer;         ///< JSON text in normal form; empty for a rejection, a skip or an undo.
  int reason = 0;             ///< 1 to 9 for a rejection.
  std::string note;           ///< What the person wrote beside it.
  std::string guideline;      ///< Hash of the version that stood beside the item.
  std::string faults;         ///< JSON list of the codes of rules that the answer breaks all the same.
  std::string target;         ///< Of an undo: the event's id. Of a decision made for many: the bulk's id.
  std::int64_t spent_ms = 0;  ///< From being shown to the decision, as the page measured it.
};

/// An item that one person has before them. Others are given other items until then.
struct Lease {
  std::int64_t item = 0;
  std::string person;
  std::int64_t until_ms = 0;
};

/// A text that events refer to by its hash: a version of the guidelines, or of the guide.
struct Document {
  std::string kind;  ///< "guidelines" or "guide".
  std::string hash;  ///< SHA-256 of the text.
  std::string text;
  std::int64_t at_ms = 0;
};

}  // namespace onggi::review
