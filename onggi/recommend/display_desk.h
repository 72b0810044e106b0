#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "onggi/core/json.h"
#include "onggi/recommend/cards.h"
#include "onggi/recommend/display_log.h"
#include "onggi/recommend/display_request.h"

namespace onggi::recommend {

struct DeskOptions {
  std::int64_t window_ms = 3'600'000;  ///< How long after an impression its click counts.
  std::int64_t batch_ms = 60'000;      ///< Between updates of the policy.
  int num_slots = 3;                   ///< Of a request that names no number.
};

/// What `display serve` does, without HTTP: chooses, records, learns. Confined to one thread. `answer` methods write
/// within a transaction that the caller commits before anybody is told; after a rollback it calls `forget`.
class DisplayDesk {
 public:
  /// Where no policy is live the default spec's becomes so. `log` must outlive this.
  DisplayDesk(DisplayLog& log, std::vector<Card> cards, const DeskOptions& options, std::int64_t now_ms);

  /// Throw DisplayError 400 or 404 for what can't be asked; nothing is written then.
  Json answer_slate(const SlateRequest& request, std::int64_t now_ms);
  Json answer_outcomes(const std::vector<OutcomeRequest>& outcomes, std::int64_t now_ms);

  /// Takes over a version that has become live, and closes a batch when it is due. Makes its own transaction.
  void tick(std::int64_t now_ms);
  std::int64_t next_batch_ms() const { return next_batch_ms_; }
  void forget() { log_.forget(); }

  const LivePolicy& live() const { return live_; }
  /// Cards with counts, click rates and their intervals, posteriors; the live policy; the history.
  Json stats();
  Json policies();
  std::size_t num_cards() const { return cards_.size(); }

 private:
  void go_live(std::int64_t version, std::int64_t now_ms);
  void learn(const ClosedBatch& batch);
  void publish(std::int64_t now_ms);
  std::vector<int> candidates_of(const SlateRequest& request) const;

  /// The chance of each card to be first among all, when it was published.
  struct Moment {
    std::int64_t at_ms, version, batch;
    std::vector<double> chances;
  };

  DisplayLog& log_;
  const std::vector<Card> cards_;
  const DeskOptions options_;
  std::unordered_map<std::string, std::size_t> card_of_id_;
  std::vector<int> arm_of_card_;  ///< By place in `cards_`.
  std::unordered_map<int, std::size_t> card_of_arm_;
  std::vector<int> all_arms_;       ///< Ascending.
  std::unique_ptr<Policy> policy_;  ///< What learns.
  std::optional<Beliefs> beliefs_;  ///< The same, to be shown; none for linear policies.
  std::vector<CardCounts> totals_;  ///< By arm, of impressions that are counted.
  LivePolicy live_;
  std::deque<Moment> history_;
  std::int64_t next_batch_ms_ = 0, data_version_ = -1;
};

}  // namespace onggi::recommend
