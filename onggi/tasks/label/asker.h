#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onggi/core/error.h"
#include "onggi/tasks/label/journal.h"
#include "onggi/tasks/label/pace.h"
#include "onggi/tasks/label/reply.h"
#include "onggi/tasks/label/teacher.h"

namespace onggi::tasks {

/// One answer wanted.
struct AskedQuestion {
  std::int64_t row = 0;
  std::string row_id;
  int sample = 0;
  int num_repairs = 0;  ///< Answers before that could not be read.
  Json messages;
  decode::Slots slots;
};

/// What came of it.
struct AskedAnswer {
  AskedQuestion question;
  std::string key;
  ChatReply reply;  ///< Where `failure` is empty.
  std::string failure;
};

struct AskerOptions {
  Pace::Options pace;
  Prices prices;
  std::optional<MicroDollars> max_cost;  ///< Of all that the journal holds.
  int max_tokens = 1024;
  int max_retries = 8;
};

/// Gets answers out of the journal, or of the teacher: at a pace that it takes, again where it failed in passing, never
/// beyond the money. An answer is durable in the journal before `step` gives it out. Confined to one thread.
class Asker {
 public:
  struct Counts {
    std::int64_t num_answered = 0;  ///< By the teacher.
    std::int64_t num_found = 0;     ///< In the journal.
    std::int64_t num_retries = 0;
  };

  Asker(Teacher& teacher, Journal& journal, AskerOptions options);

  void ask(AskedQuestion question);
  /// Whether more questions would be of use now.
  bool wants_more() const;
  /// Starts what may start and gives out what has come; waits for something to happen. Where no call may follow (no
  /// key, no money, a teacher that is gone), lets those under way end, gives out their answers, and then throws why.
  std::vector<AskedAnswer> step();
  /// No call may follow: `why` is thrown once those under way have ended.
  void stop(Error why);

  int num_in_flight() const { return static_cast<int>(in_flight_.size()); }
  const Counts& counts() const { return counts_; }
  Journal::Totals money() const { return totals_; }

 private:
  struct Waiting {
    AskedQuestion question;
    std::string body, key;
    int num_tries = 0;
    PaceClock::time_point ready;
    MicroDollars most = 0;
    std::int64_t expected_tokens = 0, pace_call = 0;
  };

  void start_calls();
  bool has_money_for(const Waiting& call) const;
  std::chrono::milliseconds longest_wait() const;
  void take_replies(std::vector<TeacherReply> replies);
  void take_answer(Waiting& call, const TeacherReply& reply, Journal::Answer& kept);
  void take_failure(Waiting& call, const TeacherReply& reply);
  void judge_held();
  std::int64_t expected_tokens(const std::string& body) const;

  Teacher& teacher_;
  Journal& journal_;
  const AskerOptions options_;
  Pace pace_;
  Journal::Totals totals_;
  MicroDollars reserved_ = 0;  ///< The most that calls under way may cost.
  Counts counts_;
  std::int64_t last_ticket_ = 0;
  std::deque<Waiting> waiting_;  ///< Those that were never tried, in their order.
  std::vector<Waiting> again_;   ///< Those that wait to be tried again.
  std::map<std::int64_t, Waiting> in_flight_;
  std::vector<AskedAnswer> done_;
  std::optional<Error> stopped_;
  /// Questions without an answer, given out once a later answer shows that it is not the teacher who fails.
  std::vector<AskedAnswer> held_;
  double tokens_per_byte_ = 0.4;  ///< As seen; where nothing was yet, of Korean.
};

}  // namespace onggi::tasks
