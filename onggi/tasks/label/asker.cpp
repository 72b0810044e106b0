#include "onggi/tasks/label/asker.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "onggi/core/hash.h"
#include "onggi/core/random.h"

namespace onggi::tasks {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxHeld = 5;
constexpr std::size_t kWaitingPerPlace = 2;
constexpr milliseconds kLongestWait{500};
constexpr std::uint64_t kJitterStream = 0x6A697474;  // "jitt"

std::string key_of(const std::string& identity, const std::string& body, int sample) {
  return sha256_hex(identity + "\n" + std::to_string(sample) + "\n" + body);
}

}  // namespace

Asker::Asker(Teacher& teacher, Journal& journal, AskerOptions options)
    : teacher_(teacher),
      journal_(journal),
      options_(std::move(options)),
      pace_(options_.pace, PaceClock::now()),
      totals_(journal.totals()) {}

bool Asker::wants_more() const {
  return !stopped_ && done_.empty() &&
         waiting_.size() + again_.size() < static_cast<std::size_t>(pace_.window()) * kWaitingPerPlace;
}

void Asker::stop(Error why) {
  if (!stopped_) stopped_ = std::move(why);
}

void Asker::ask(AskedQuestion question) {
  Waiting call;
  call.body = teacher_.body(question.messages, question.sample);
  call.key = key_of(teacher_.identity(), call.body, question.sample);
  call.question = std::move(question);
  if (const auto body = journal_.find(call.key)) {
    ++counts_.num_found;
    AskedAnswer answer{.question = std::move(call.question), .key = call.key};
    answer.reply = parse_chat_reply(*body);
    done_.push_back(std::move(answer));
    return;
  }
  // A token has at least one byte, so this can't be passed.
  call.most = options_.prices.cost(static_cast<std::int64_t>(call.body.size()), 0, options_.max_tokens);
  call.expected_tokens = expected_tokens(call.body);
  waiting_.push_back(std::move(call));
}

std::int64_t Asker::expected_tokens(const std::string& body) const {
  return 1 + static_cast<std::int64_t>(static_cast<double>(body.size()) * tokens_per_byte_);
}

bool Asker::has_money_for(const Waiting& call) const {
  return !options_.max_cost || totals_.spent + totals_.lost + reserved_ + call.most <= *options_.max_cost;
}

/// Those that were tried before come first: their rows hold up others.
void Asker::start_calls() {
  std::vector<Waiting> starting;
  std::vector<Journal::Call> noted;
  while (!stopped_) {
    const auto now = PaceClock::now();
    const auto start = pace_.next_start(now);
    if (!start || *start > now) break;
    const auto due = std::ranges::find_if(again_, [&](const Waiting& call) { return call.ready <= now; });
    if (due == again_.end() && waiting_.empty()) break;
    Waiting& next = due != again_.end() ? *due : waiting_.front();
    if (!has_money_for(next)) {
      // What is under way may cost less than feared: then there is room after it.
      if (!in_flight_.empty() || !starting.empty()) break;
      stop({ErrorCode::kExhausted,
            "the limit of " + dollars_text(*options_.max_cost) + " could be passed by the next call (at most " +
                dollars_text(next.most) + "): " + dollars_text(totals_.spent) + " is spent" +
                (totals_.lost > 0 ? ", and up to " + dollars_text(totals_.lost) + " on calls that were cut off"
                                  : std::string()) +
                "; raise --max-cost and run the command again to go on"});
      break;
    }
    reserved_ += next.most;
    next.pace_call = pace_.started(now, next.expected_tokens);
    noted.push_back({next.key, next.most});
    starting.push_back(std::move(next));
    if (due != again_.end()) {
      again_.erase(due);
    } else {
      waiting_.pop_front();
    }
  }
  journal_.note_asked(noted);
  for (auto& call : starting) {
    const auto ticket = ++last_ticket_;
    TeacherCall asked{.ticket = ticket,
                      .messages = call.question.messages,
                      .sample = call.question.sample,
                      .body = call.body,
                      .slots = call.question.slots};
    in_flight_.emplace(ticket, std::move(call));
    teacher_.ask(std::move(asked));
  }
}

milliseconds Asker::longest_wait() const {
  const auto now = PaceClock::now();
  auto wait = kLongestWait;
  const auto until = [&](PaceClock::time_point time) {
    wait = std::clamp(std::chrono::ceil<milliseconds>(time - now), milliseconds(0), wait);
  };
  if (const auto start = pace_.next_start(now); start && !(waiting_.empty() && again_.empty())) {
    auto ready = waiting_.empty() ? PaceClock::time_point::max() : *start;
    for (const auto& call : again_) ready = std::min(ready, std::max(*start, call.ready));
    until(ready);
  }
  return wait;
}

std::vector<AskedAnswer> Asker::step() {
  if (done_.empty()) {
    start_calls();
    if (in_flight_.empty() && waiting_.empty() && again_.empty() && !held_.empty() && !stopped_) judge_held();
    if (!done_.empty()) return std::exchange(done_, {});
    if (stopped_ && in_flight_.empty()) throw *stopped_;
    take_replies(teacher_.wait(longest_wait()));
  }
  return std::exchange(done_, {});
}

void Asker::take_replies(std::vector<TeacherReply> replies) {
  const auto now = PaceClock::now();
  std::vector<Journal::Answer> kept;
  std::vector<std::string> free_calls, lost_calls;
  for (auto& reply : replies) {
    auto found = in_flight_.extract(reply.ticket);
    if (found.empty()) continue;
    Waiting call = std::move(found.mapped());
    reserved_ -= call.most;
    std::int64_t tokens = call.expected_tokens;
    if (reply.kind == TeacherReply::Kind::kAnswer) {
      Journal::Answer answer{.key = call.key, .row = call.question.row_id, .sample = call.question.sample};
      take_answer(call, reply, answer);
      if (answer.prompt_tokens + answer.completion_tokens > 0) tokens = answer.prompt_tokens + answer.completion_tokens;
      kept.push_back(std::move(answer));
    } else {
      (reply.may_be_paid ? lost_calls : free_calls).push_back(call.key);
      if (reply.may_be_paid) totals_.lost += call.most, ++totals_.num_lost;
    }
    const auto reception = reply.is_overloaded                         ? Reception::kOverloaded
                           : reply.kind == TeacherReply::Kind::kAnswer ? Reception::kGood
                                                                       : Reception::kOther;
    pace_.ended(now, call.pace_call, reception, tokens - call.expected_tokens, reply.quota_left);
    if (reply.kind != TeacherReply::Kind::kAnswer) take_failure(call, reply);
  }
  journal_.keep(kept);
  journal_.note_ended(free_calls, Journal::End::kFree);
  journal_.note_ended(lost_calls, Journal::End::kUnknown);
}

void Asker::take_answer(Waiting& call, const TeacherReply& reply, Journal::Answer& kept) {
  ++counts_.num_answered;
  std::ranges::move(held_, std::back_inserter(done_));
  held_.clear();
  AskedAnswer answer{.question = std::move(call.question), .key = call.key};
  answer.reply = parse_chat_reply(reply.body);
  kept.body = reply.body;
  kept.prompt_tokens = answer.reply.prompt_tokens;
  kept.completion_tokens = answer.reply.completion_tokens;
  // A server that does not say what it took may have taken all.
  kept.cost = answer.reply.has_usage
                  ? options_.prices.cost(kept.prompt_tokens, answer.reply.cached_tokens, kept.completion_tokens)
                  : call.most;
  totals_.spent += kept.cost;
  ++totals_.num_answers;
  if (kept.prompt_tokens > 0) {
    const double seen =
        static_cast<double>(kept.prompt_tokens + kept.completion_tokens) / static_cast<double>(call.body.size());
    tokens_per_byte_ += 0.1 * (seen - tokens_per_byte_);
  }
  done_.push_back(std::move(answer));
}

void Asker::take_failure(Waiting& call, const TeacherReply& reply) {
  using Kind = TeacherReply::Kind;
  if (reply.kind == Kind::kStop) return stop({ErrorCode::kUnavailable, reply.reason});
  if (reply.kind == Kind::kRetry && call.num_tries < options_.max_retries) {
    ++counts_.num_retries;
    ++call.num_tries;
    const float draw =
        uniform_float(std::hash<std::string>{}(call.key), kJitterStream, static_cast<std::uint64_t>(call.num_tries));
    const auto delay = retry_delay(call.num_tries, static_cast<double>(draw), reply.retry_after);
    call.ready = PaceClock::now() + delay;
    // A teacher that asks for time asks it of all calls.
    if (reply.is_overloaded && reply.retry_after) pace_.pause_until(PaceClock::now() + *reply.retry_after);
    again_.push_back(std::move(call));
    return;
  }
  AskedAnswer failed{.question = std::move(call.question), .key = call.key, .reply = {}, .failure = reply.reason};
  const bool has_worked = counts_.num_answered + counts_.num_found > 0;
  (reply.kind == Kind::kRefused && has_worked ? done_ : held_).push_back(std::move(failed));
  if (held_.size() >= kMaxHeld) judge_held();
}

/// Nothing worked since these failed: they stay unmarked, for a later call of the command, unless other calls worked
/// before and there was none after.
void Asker::judge_held() {
  const bool has_worked = counts_.num_answered + counts_.num_found > 0;
  if (has_worked && held_.size() < kMaxHeld) {
    std::ranges::move(held_, std::back_inserter(done_));
    held_.clear();
    return;
  }
  stop({ErrorCode::kUnavailable,
        "the teacher answers no call: " + held_.front().failure + "; run the command again to go on"});
}

}  // namespace onggi::tasks
