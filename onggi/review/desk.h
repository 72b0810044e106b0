#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/review/agreement.h"
#include "onggi/review/checker.h"
#include "onggi/review/client_event.h"
#include "onggi/review/people.h"
#include "onggi/review/review_store.h"
#include "onggi/review/state.h"

namespace onggi::review {

struct DeskOptions {
  std::int64_t lease_ms = 15 * 60 * 1000;
  double width = 0.05;  ///< Progress says how many labels are left until the acceptance rate's interval is narrower.
  int gold_every = 20;  ///< One of so many items is a gold one, while there are any; 0: none.
  std::function<std::int64_t()> now_ms;  ///< Unix time.
};

/// What a store was made with and does not change.
struct Job {
  std::string store_id;  ///< Random: pages keep what they have not sent yet under it.
  AnswerKind kind = AnswerKind::kThemes;
  std::string answer_column;
  bool is_json_text = false;         ///< The column holds JSON as a text.
  std::vector<std::string> columns;  ///< What is shown beside an answer.
  std::uint64_t seed = 0;
};
/// Throws kInvalidArgument where no rows have been imported yet.
Job read_job(ReviewStore& store);

/// All of the log, folded.
State load_state(ReviewStore& store);

/// People at work on a store: gives out items, takes decisions, knows how far they are. Bodies are JSON as
/// docs/formats/review.md has it. Confined to one thread.
class Desk {
 public:
  /// Locks the store. `guide` null: none.
  Desk(ReviewStore& store, const Json& guide, DeskOptions options);

  /// From now on this version stands beside the items.
  void set_guidelines(const std::string& text);
  const std::string& guideline() const { return guideline_; }
  /// The text of a version. Throws kNotFound.
  const std::string& guidelines(std::string_view hash) const;
  /// Takes in what another process has imported; true if there was something.
  bool take_new_items();

  Json session(const Person& person) const;
  /// {"items": [...]}: `count` items that are not among `have`, which are kept for the person.
  Json lease(const Person& person, int count, const std::vector<std::string>& have);
  /// {"results": [{"id", "outcome", ...}]}, one an event: ok, again (it was here before), stale or refused. What is ok
  /// is durable when this returns.
  Json submit(const Person& person, const std::vector<ClientEvent>& events);
  /// {"faults": [...]} of an answer to an item, or {"malformed": "why"}.
  Json check(std::string_view item, const Json& answer) const;
  Json progress(const Person& person) const;
  Json disputes() const;
  Json dispute(std::string_view item) const;
  Json sets(const Person& person) const;
  /// Opens a set: what must be looked at one by one before the rest may be accepted at once.
  Json open_set(const Person& person, std::string_view set);
  std::vector<GoldScore> gold_scores() const;

  const State& state() const { return state_; }
  const Job& job() const { return job_; }

 private:
  struct Result {
    std::string outcome;
    std::string message;
    int count = 0;  ///< Decisions made.
  };
  struct Audit {
    std::vector<std::int64_t> waiting;    ///< Of the sample, not judged yet.
    std::vector<std::int64_t> remaining;  ///< Of the set, not judged by anybody, the sample left out.
    std::int64_t size = 0;
    std::int64_t failed = 0;  ///< Of the sample, not accepted as they were.
  };
  /// The state of the log, where it has been lost or was never read.
  void load_if_needed();
  const ItemState& item_of(std::string_view key) const;
  Json payload(const ItemState& item, const std::string& person) const;
  Json fields_of(const ItemContent& content) const;
  Event new_event(const ClientEvent& event, const Person& person) const;
  Result take(const ClientEvent& event, const Person& person, std::vector<Event>& fresh);
  Result take_decision(const ClientEvent& event, const Person& person, std::vector<Event>& fresh);
  Result take_undo(const ClientEvent& event, const Person& person, std::vector<Event>& fresh);
  Result take_set(const ClientEvent& event, const Person& person, std::vector<Event>& fresh);
  Result judged(const Event& event, int version, std::vector<Event>& fresh);
  void fill_answer(const ClientEvent& client, const ItemState& item, Event& event) const;
  Audit audit(std::string_view set, std::string_view person) const;

  ReviewStore& store_;
  const DeskOptions options_;
  const Job job_;
  const Checker checker_;
  State state_;
  bool is_loaded_ = false;
  std::map<std::string, Document, std::less<>> guidelines_;
  std::string guideline_;
  std::map<std::int64_t, std::string> gold_answers_;
  mutable std::pair<std::int64_t, std::vector<FieldAgreement>> agreement_{-1, {}};  ///< With the seq that it is of.
  mutable std::int64_t agreement_at_ms_ = 0;
};

/// The reasons 1 to 9 for a rejection.
std::vector<std::string> reject_reasons(AnswerKind kind);

}  // namespace onggi::review
