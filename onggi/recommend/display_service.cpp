#include "onggi/recommend/display_service.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "onggi/core/error.h"
#include "onggi/recommend/display_error.h"
#include "onggi/recommend/page_files.h"

namespace onggi::recommend {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;
constexpr std::size_t kMaxTogether = 512;
constexpr std::int64_t kMaxBodyBytes = 4 << 20;

struct Address {
  std::string_view method, path;
  bool is_written = false;  ///< What is asked there is recorded.
};

constexpr std::array<Address, 7> kAddresses = {{
    {"POST", "/v1/slates", true},
    {"POST", "/v1/outcomes", true},
    {"GET", "/v1/stats"},
    {"GET", "/v1/policies"},
    {"GET", "/health"},
    {"GET", "/ready"},
    {"GET", "/metrics"},
}};

// Nothing from elsewhere, nothing inline, in nobody's frame.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

const PageFile* find_page_file(std::string_view path) {
  const auto files = page_files();
  const auto it = std::ranges::find(files, path, &PageFile::path);
  return it == files.end() ? nullptr : &*it;
}

http::Response page_response(const PageFile& file) {
  return {.body = std::string(file.content),
          .content_type = std::string(file.content_type),
          .fields = {{"cache-control", "no-cache"},
                     {"content-security-policy", std::string(kPagePolicy)},
                     {"x-content-type-options", "nosniff"},
                     {"referrer-policy", "no-referrer"}}};
}

http::Response json_response(const Json& json) {
  return {.body = json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

constexpr std::array<double, 14> kSeconds = {0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01,
                                             0.02,   0.05,  0.1,   0.2,   0.5,   1.0,    2.0};

}  // namespace

DisplayService::DisplayService(DisplayDesk& desk, DisplayLog& log)
    : desk_(desk),
      log_(log),
      slates_(registry_.counter("onggi_display_slates_total", "Slates answered.")),
      impressions_(registry_.counter("onggi_display_impressions_total", "Cards in them.")),
      outcomes_(registry_.counter("onggi_display_outcomes_total", "Outcomes taken.")),
      refusals_(registry_.counter("onggi_display_refusals_total", "Requests refused.")),
      commits_(registry_.counter("onggi_display_commits_total", "Transactions: requests that wait share one.")),
      seconds_(registry_.histogram("onggi_display_request_seconds", "From a request's head to its answer's last byte.",
                                   kSeconds)),
      thread_([this] { run(); }) {}

DisplayService::~DisplayService() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void DisplayService::nudge() { changed_.notify_one(); }

http::Admission DisplayService::admit(const http::Head& head) {
  const auto refuse = [&](const DisplayError& error) {
    refusals_.add();
    return http::Admission{.refusal = error.response()};
  };
  const std::string_view method = head.method == "HEAD" ? "GET" : std::string_view(head.method);
  bool is_known = find_page_file(head.path) != nullptr;
  if (is_known && method == "GET") return {};
  for (const Address& address : kAddresses) {
    if (address.path != head.path) continue;
    is_known = true;
    if (address.method != method) continue;
    if (address.is_written) {
      const std::string_view type = head.field("content-type");
      if (!type.empty() && !http::lower_case(type).starts_with("application/json"))
        return refuse(
            {415, "expected a body of application/json, found " + std::string(type), "unsupported_media_type"});
      if (is_draining_) return refuse({503, "the server is stopping", "draining"});
    }
    return {.max_body_bytes = method == "POST" ? kMaxBodyBytes : 0};
  }
  if (is_known) return refuse({405, head.method + " is not for " + head.path, "method_not_allowed"});
  return refuse({404, "there is nothing at " + head.path, "not_found"});
}

void DisplayService::handle(std::shared_ptr<http::Exchange> exchange) {
  const std::string& path = exchange->request().path;
  if (const PageFile* file = find_page_file(path)) return exchange->respond(page_response(*file));
  if (path == "/health") return exchange->respond(json_response({{"status", "ok"}}));
  if (path == "/ready")
    return exchange->respond(is_draining_ ? DisplayError(503, "the server is stopping", "draining").response()
                                          : json_response({{"status", "ready"}}));
  if (path == "/metrics")
    return exchange->respond({.body = registry_.text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"});
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMaxWaiting) {
      refusals_.add();
      return exchange->respond(DisplayError(429, "too many requests wait", "overloaded").response());
    }
    waiting_.push_back(std::move(exchange));
  }
  changed_.notify_one();
}

http::Response DisplayService::protocol_error(int status, std::string_view message) {
  refusals_.add();
  return DisplayError(status, std::string(message), "protocol_error").response();
}

void DisplayService::finished(const http::Record& record) {
  if (record.request->path.starts_with("/v1/"))
    seconds_.observe(std::chrono::duration<double>(record.duration).count());
}

std::int64_t DisplayService::now_ms() {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  return last_ms_ = std::max<std::int64_t>(last_ms_, now.count());
}

void DisplayService::run() {
  while (true) {
    Exchanges exchanges;
    {
      std::unique_lock lock(mutex_);
      constexpr auto kLook =
          std::chrono::milliseconds(250);  // For versions that another process made live, and batches.
      changed_.wait_for(lock, kLook, [&] { return is_stopping_ || !waiting_.empty(); });
      if (is_stopping_ && waiting_.empty()) return;
      while (!waiting_.empty() && exchanges.size() < kMaxTogether) {
        exchanges.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
    }
    try {
      desk_.tick(now_ms());
    } catch (const std::exception&) {  // A full disk: the next tick tries again; requests are told below.
      desk_.forget();
    }
    if (!exchanges.empty()) answer(std::move(exchanges));
  }
}

void DisplayService::answer(Exchanges exchanges) {
  std::vector<http::Response> responses;
  try {
    store::Transaction transaction(log_.database());
    for (const auto& exchange : exchanges) responses.push_back(answer_one(exchange->request(), now_ms()));
    transaction.commit();
    commits_.add();
  } catch (const std::exception& e) {
    // Nothing of this round is in the log: nobody may be told otherwise.
    desk_.forget();
    refusals_.add(static_cast<double>(exchanges.size()));
    const auto* error = dynamic_cast<const Error*>(&e);
    const auto told = error != nullptr ? DisplayError::of(*error) : DisplayError(500, e.what(), "internal");
    responses.assign(exchanges.size(), told.response());
  }
  for (std::size_t i = 0; i < exchanges.size(); ++i) exchanges[i]->respond(std::move(responses[i]));
}

http::Response DisplayService::answer_one(const http::Request& request, std::int64_t now_ms) {
  try {
    if (request.path == "/v1/stats") return json_response(desk_.stats());
    if (request.path == "/v1/policies") return json_response(desk_.policies());
    if (request.path == "/v1/outcomes") {
      const auto outcomes = parse_outcomes(request.body);
      auto response = json_response(desk_.answer_outcomes(outcomes, now_ms));
      outcomes_.add(static_cast<double>(outcomes.size()));
      return response;
    }
    const Json slate = desk_.answer_slate(parse_slate_request(request.body), now_ms);
    slates_.add();
    impressions_.add(static_cast<double>(slate["cards"].size()));
    return json_response(slate);
  } catch (const DisplayError& e) {
    refusals_.add();
    return e.response();
  } catch (const Error& e) {
    // What the log refuses before it writes is this request's own; anything else undoes the round.
    if (e.code() != ErrorCode::kInvalidArgument && e.code() != ErrorCode::kNotFound) throw;
    refusals_.add();
    return DisplayError::of(e).response();
  }
}

}  // namespace onggi::recommend
