#include "onggi/tasks/label/remote_teacher.h"

#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/http/client.h"
#include "onggi/tasks/label/pace.h"
#include "onggi/tasks/label/reply.h"

namespace onggi::tasks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kPath = "/chat/completions";
constexpr int kFirstInFlight = 4;
constexpr std::size_t kMaxAnswerBytes = std::size_t{4} << 20;

std::string host_of(std::string_view url) {
  const auto start = url.find("://") + 3;
  std::string_view rest = url.substr(start, url.find_first_of("/?#", start) - start);
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  if (rest.starts_with('[')) return std::string(rest.substr(0, rest.find(']') + 1));
  return std::string(rest.substr(0, rest.find(':')));
}

/// A name may begin with 127. too: only an address counts.
bool is_this_machine(const std::string& host) {
  const bool is_address = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "[::1]" || (is_address && host.starts_with("127."));
}

/// 1 where the fields do not say.
double quota_left(const http::ClientAnswer& answer) {
  double least = 1.0;
  for (const std::string kind : {"requests", "tokens"}) {
    const std::string limit(answer.field("x-ratelimit-limit-" + kind)),
        left(answer.field("x-ratelimit-remaining-" + kind));
    const double of = std::strtod(limit.c_str(), nullptr);
    // A quota of a few calls is always nearly used up.
    if (!limit.empty() && !left.empty() && of >= 20)
      least = std::min(least, std::max(0.0, std::strtod(left.c_str(), nullptr) / of));
  }
  return least;
}

class RemoteTeacher : public Teacher {
 public:
  explicit RemoteTeacher(const RemoteTeacherOptions& options)
      : options_(options),
        url_(completions_url(options.url, !options.key.empty())),
        identity_(url_ + "\n" + options.model),
        client_({.max_connections = options.most_in_flight, .certificates = options.certificates}) {}

  const std::string& identity() const override { return identity_; }
  Json description() const override { return {{"endpoint", url_}, {"model", options_.model}}; }
  int most_in_flight() const override { return options_.most_in_flight; }
  int first_in_flight() const override { return kFirstInFlight; }

  std::string body(const Json& messages, int sample) const override {
    Json body = {{"model", options_.model},
                 {"messages", messages},
                 {"temperature", options_.temperature},
                 {"max_tokens", options_.max_tokens},
                 {"seed", options_.seed + sample}};
    if (options_.log_probabilities) body["logprobs"] = true;
    if (!options_.schema.is_null()) {
      body["response_format"] = {{"type", "json_schema"},
                                 {"json_schema", {{"name", "label"}, {"strict", true}, {"schema", options_.schema}}}};
    }
    if (options_.more.is_object()) {
      for (const auto& [name, value] : options_.more.items()) {
        if (value.is_null()) {
          body.erase(name);
        } else {
          body[name] = value;
        }
      }
    }
    return dump_json(body);
  }

  void ask(TeacherCall call) override {
    http::ClientRequest request{
        .url = url_,
        .fields = {{"Content-Type", "application/json"}, {"Accept", "application/json"}, {"User-Agent", "onggi"}},
        .body = std::move(call.body)};
    if (!options_.key.empty()) request.fields.emplace_back("Authorization", "Bearer " + options_.key);
    request.first_byte_timeout = request.total_timeout = seconds(options_.timeout_s);
    request.max_body_bytes = kMaxAnswerBytes;
    client_.send(std::move(request), [this, ticket = call.ticket](http::ClientAnswer&& answer) {
      const std::lock_guard lock(mutex_);
      arrived_.emplace_back(ticket, std::move(answer));
      changed_.notify_one();
    });
  }

  std::vector<TeacherReply> wait(milliseconds longest) override {
    std::deque<std::pair<std::int64_t, http::ClientAnswer>> arrived;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, longest, [&] { return !arrived_.empty(); });
      arrived.swap(arrived_);
    }
    std::vector<TeacherReply> replies;
    for (auto& [ticket, answer] : arrived) {
      replies.push_back(judge(std::move(answer)));
      replies.back().ticket = ticket;
    }
    return replies;
  }

 private:
  TeacherReply judge(http::ClientAnswer&& answer) const {
    if (!answer.is_answer()) {
      TeacherReply reply{.reason = without_key(url_ + ": " + answer.message)};
      using http::ClientFailure;
      if (answer.failure == ClientFailure::kBadRequest || answer.failure == ClientFailure::kTls)
        reply.kind = TeacherReply::Kind::kStop;
      if (answer.failure == ClientFailure::kTooLarge) reply.kind = TeacherReply::Kind::kRefused;
      reply.may_be_paid = answer.failure == ClientFailure::kTimeout || answer.failure == ClientFailure::kBroken ||
                          answer.failure == ClientFailure::kTooLarge;
      return reply;
    }
    TeacherReply reply = judge_status(answer.status, answer.body);
    reply.reason = without_key(std::move(reply.reason));
    reply.retry_after = retry_after(answer.field("retry-after-ms"), answer.field("retry-after"),
                                    static_cast<std::int64_t>(std::time(nullptr)));
    reply.quota_left = quota_left(answer);
    return reply;
  }

  /// Servers quote a wrong key in what they say of it.
  std::string without_key(std::string text) const {
    for (auto at = options_.key.empty() ? std::string::npos : text.find(options_.key); at != std::string::npos;
         at = text.find(options_.key)) {
      text.replace(at, options_.key.size(), "***");
    }
    return text;
  }

  const RemoteTeacherOptions options_;
  const std::string url_, identity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::int64_t, http::ClientAnswer>> arrived_;
  http::Client client_;  // Last: its thread calls into what is above.
};

}  // namespace

std::string completions_url(const std::string& url, bool has_key) {
  const bool is_open = url.starts_with("http://");
  require(is_open || url.starts_with("https://"),
          [&] { return "the teacher's address \"" + url + "\" does not begin with http:// or https://"; });
  require(url.find_first_of("?#") == std::string::npos && url.find('@') == std::string::npos,
          "the teacher's address has a query, a fragment or a user; expected as in https://host/v1");
  const std::string host = host_of(url);
  require(!host.empty(), [&] { return "the teacher's address \"" + url + "\" names no host"; });
  require(!is_open || !has_key || is_this_machine(host), [&] {
    return "a key would go to " + host + " over an open connection: use https://, or unset the key's variable";
  });
  std::string whole = url;
  while (whole.ends_with('/')) whole.pop_back();
  if (whole.ends_with(kPath)) return whole;
  if (whole.find('/', whole.find("://") + 3) == std::string::npos) whole += "/v1";
  return whole + std::string(kPath);
}

TeacherReply judge_status(int status, const std::string& body) {
  using Kind = TeacherReply::Kind;
  if (status == 200) {
    try {
      (void)parse_chat_reply(body);
    } catch (const Error& e) {
      return {.kind = Kind::kRetry, .reason = e.message(), .may_be_paid = true};
    }
    return {.kind = Kind::kAnswer, .body = body};
  }
  TeacherReply reply{.reason = "the teacher answered " + std::to_string(status) + ": " + error_words(body)};
  const bool is_empty_purse = status == 429 && error_kind(body) == "insufficient_quota";
  if (is_empty_purse) {
    reply.kind = Kind::kStop;
  } else if (status == 408 || status == 409 || status == 425 || status == 429 || status >= 500) {
    reply.is_overloaded = status == 429 || status == 503 || status == 529;
    reply.may_be_paid = status == 408 || status == 504;
  } else if (status == 400 || status == 413 || status == 422) {
    reply.kind = Kind::kRefused;
  } else {
    reply.kind = Kind::kStop;
    if (status >= 300 && status < 400)
      reply.reason = "the teacher answered " + std::to_string(status) +
                     ", a redirect, which is not followed: give --teacher the address that it names";
  }
  return reply;
}

std::unique_ptr<Teacher> make_remote_teacher(const RemoteTeacherOptions& options) {
  return std::make_unique<RemoteTeacher>(options);
}

}  // namespace onggi::tasks
