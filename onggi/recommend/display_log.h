#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onggi/recommend/slate.h"
#include "onggi/store/sqlite.h"

namespace onggi::recommend {

struct PolicyVersion {
  std::int64_t version = 0;
  PolicySpec spec;
  std::string note;
  std::int64_t created_at_ms = 0;
};

struct Promotion {
  std::int64_t version = 0;
  bool is_rollback = false;
  std::int64_t at_ms = 0;
};

/// What was asked and shown.
struct SlateRecord {
  std::string request_id;
  std::string unit;
  std::vector<double> features;
  std::vector<int> candidates;  ///< Ascending.
  std::int64_t version = 0, batch = 0;
  std::int64_t shown_at_ms = 0, closes_at_ms = 0;
  std::vector<ShownCard> cards;
  int num_slots = 0;  ///< Asked for.
};

/// What a batch has learnt: impressions whose windows closed since the one before.
struct ClosedBatch {
  struct Count {
    int arm = 0, slot = 0;
    double clicks = 0.0, misses = 0.0;
    std::vector<double> features;  ///< Where they were asked for: then a count is one impression.
  };
  std::int64_t number = 0;
  std::vector<Count> counts;
};

enum class OutcomeStatus {
  kRecorded,
  kLate,      ///< Recorded, but its window has closed: it changes no policy.
  kKnown,     ///< The same was there.
  kConflict,  ///< Another outcome was there and stays.
  kUnknown,   ///< There is no such impression.
};

struct CardCounts {
  std::int64_t shown = 0, clicks = 0;  ///< Of impressions that a batch has counted.
  std::int64_t open = 0;               ///< Of those that none has.
};

/// Policies, impressions and their outcomes, in one SQLite file (docs/formats/display_log.md). Nothing in it is changed
/// but that an impression is counted, once. Confined to one thread at a time; several processes may have it open.
/// Methods that write are to be called within a `store::Transaction` on `database()`, so that many share a commit.
class DisplayLog {
 public:
  /// Opens or makes the file. Throws as store::Sqlite.
  explicit DisplayLog(const std::filesystem::path& path);

  store::Sqlite& database() { return database_; }

  std::int64_t add_policy(const PolicySpec& spec, std::string_view note, std::int64_t now_ms);
  /// Throws kNotFound.
  PolicyVersion policy(std::int64_t version);
  std::vector<PolicyVersion> policies();
  /// Makes a version live. Throws kNotFound for one that is not there, kInvalidArgument for the one that is live.
  void promote(std::int64_t version, std::int64_t now_ms);
  /// Back to the version that was live before; returns it. Throws kNotFound where there is none.
  std::int64_t roll_back(std::int64_t now_ms);
  std::vector<Promotion> promotions();
  std::optional<std::int64_t> live();

  /// The arm of a theme, which is given a number if it has none.
  int arm(const std::string& theme_id);
  std::vector<std::string> theme_ids();
  /// Forgets what a transaction that was not committed may have put into memory.
  void forget() {
    arms_.clear();
    candidate_sets_.clear();
  }

  /// Writes a slate. Where the request's id is known its slate stays and is returned: a request that is sent again is
  /// shown once. Throws kInvalidArgument where that id was of another request; nothing is written then.
  SlateRecord record(SlateRecord slate);
  OutcomeStatus record_outcome(const std::string& impression_id, bool is_clicked, std::int64_t now_ms);
  /// Counts the impressions whose windows have closed; nothing if there are none.
  std::optional<ClosedBatch> close_batch(std::int64_t now_ms, bool with_features);

  std::int64_t last_batch();
  /// Every closed batch from `after` (not with it) to `last`, in order.
  void replay(std::int64_t after, std::int64_t last, bool with_features,
              const std::function<void(const ClosedBatch&)>& take);
  /// Every slate, by the batch that its policy knew.
  void each_slate(const std::function<void(const SlateRecord&)>& take);
  /// Every impression as a line of the exported log, without its end, in the order in which they were shown.
  void each_line(const std::function<void(const std::string&)>& take);
  /// Sums over arms and slots.
  CardCounts counted();
  /// Of each arm: impressions whose window is open.
  std::vector<std::pair<int, std::int64_t>> open_counts();
  /// Changes whenever another connection has committed.
  std::int64_t data_version();

 private:
  int candidate_set(const std::vector<int>& candidates);
  std::optional<SlateRecord> find_slate(const std::string& request_id);

  store::Sqlite database_;
  std::unordered_map<std::string, int> arms_;
  std::unordered_map<std::string, int> candidate_sets_;
};

/// Whether a spec's policy learns from features.
inline bool uses_features(const PolicySpec& spec) { return spec.kind.starts_with("lin_"); }
/// Gives a policy a batch and closes it.
void teach(Policy& policy, const ClosedBatch& batch);

struct Verification {
  std::int64_t num_impressions = 0;
  std::vector<std::string> differing;  ///< Ids of impressions whose arm or propensity is not what is computed again.
};
/// Computes every slate of a log again, from the policies' specs and what they had learnt by then.
Verification verify(DisplayLog& log);

}  // namespace onggi::recommend
