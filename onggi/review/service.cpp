#include "onggi/review/service.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/http/query.h"
#include "onggi/review/web_files.h"

namespace onggi::review {
namespace {

constexpr std::size_t kMaxGuidelineBytes = 1 << 20;
constexpr int kMaxLeased = 100;
constexpr std::size_t kMaxHave = 2000;

http::Response json_response(const Json& body, int status = 200) {
  return {.status = status,
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace),
          .fields = {{"cache-control", "no-store"}, {"x-content-type-options", "nosniff"}}};
}

http::Response error_response(int status, std::string_view message, std::string_view code = {}) {
  return json_response({{"error", {{"message", message}, {"code", code.empty() ? Json(nullptr) : Json(code)}}}},
                       status);
}

int status_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kCorrupt:
    case ErrorCode::kExhausted: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kUnavailable: return 503;
    default: return 500;
  }
}

std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  return colon == std::string_view::npos || host.ends_with(']') ? host : host.substr(0, colon);
}

std::vector<std::string> keys_of(const Json& body, const char* name) {
  std::vector<std::string> keys;
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return keys;
  require(found->is_array() && found->size() <= kMaxHave, std::string(name) + ": expected a list of keys");
  for (const auto& key : *found) {
    require(key.is_string() && key.get_ref<const std::string&>().size() <= 64,
            std::string(name) + ": expected a list of keys");
    keys.push_back(key);
  }
  return keys;
}

/// A header may hold ASCII alone: names come with their bytes percent-encoded.
std::string decoded_name(std::string_view field) {
  return http::query_value("n=" + std::string(field), "n").value_or("");
}

}  // namespace

/// What a route is given, on the worker.
struct Service::Call {
  std::shared_ptr<http::Exchange> exchange;
  Person person;
  Json body;         ///< Of a POST.
  std::string last;  ///< What stands in place of {} at the path's end.
};

struct Service::Route {
  std::string_view method, path;
  Json (*run)(Desk& desk, const Call& call) = nullptr;  ///< Null: the stream.
  bool needs_settler = false;
};

const std::vector<Service::Route>& Service::routes() {
  static const std::vector<Route> kRoutes = {
      {"GET", "/api/session", [](Desk& d, const Call& c) { return d.session(c.person); }},
      {"GET", "/api/progress", [](Desk& d, const Call& c) { return d.progress(c.person); }},
      {"GET", "/api/guidelines/{}",
       [](Desk& d, const Call& c) {
         return Json{{"text", d.guidelines(c.last)}};
       }},
      {"GET", "/api/sets", [](Desk& d, const Call& c) { return d.sets(c.person); }},
      {"GET", "/api/disputes", [](Desk& d, const Call&) { return d.disputes(); }, true},
      {"GET", "/api/disputes/{}", [](Desk& d, const Call& c) { return d.dispute(c.last); }, true},
      {"GET", "/api/stream"},
      {"POST", "/api/lease",
       [](Desk& d, const Call& c) {
         const int count = static_cast<int>(number_of(c.body, "count", "body", 0, kMaxLeased, 20));
         return d.lease(c.person, count, keys_of(c.body, "have"));
       }},
      {"POST", "/api/events", [](Desk& d, const Call& c) { return d.submit(c.person, parse_client_events(c.body)); }},
      {"POST", "/api/check",
       [](Desk& d, const Call& c) {
         require(c.body.contains("answer"), "answer: is missing");
         return d.check(text_of(c.body, "item", "body", 64), c.body["answer"]);
       }},
      {"POST", "/api/sets/{}", [](Desk& d, const Call& c) { return d.open_set(c.person, c.last); }},
  };
  return kRoutes;
}

Service::Service(Desk& desk, ServiceOptions options)
    : desk_(desk), options_(std::move(options)), ticker_([this](std::stop_token stop) { tick(std::move(stop)); }) {}

Service::~Service() { stop(); }

void Service::stop() {
  ticker_.request_stop();
  tick_.notify_all();
  std::promise<void> done;
  worker_.post([&] {
    is_stopped_ = true;
    for (const auto& stream : streams_) stream.exchange->finish();
    streams_.clear();
    done.set_value();
  });
  done.get_future().wait();
}

const Service::Route* Service::find_route(const http::Head& head, bool& is_path_known) const {
  const Route* found = nullptr;
  for (const Route& route : routes()) {
    const bool has_last = route.path.ends_with("{}");
    const std::string_view stem = has_last ? route.path.substr(0, route.path.size() - 2) : route.path;
    const std::string_view path = head.path;
    const bool is_this = has_last ? path.starts_with(stem) && path.size() > stem.size() &&
                                        path.find('/', stem.size()) == std::string_view::npos
                                  : path == stem;
    if (!is_this) continue;
    is_path_known = true;
    if (route.method == head.method) found = &route;
  }
  return found;
}

std::unique_ptr<Person> Service::person_of(const http::Head& head) const {
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view field = head.field("authorization");
  const bool has_token =
      field.size() > kBearer.size() && http::equals_ignoring_case(field.substr(0, kBearer.size()), kBearer);
  return options_.people.find(decoded_name(head.field("x-onggi-person")),
                              has_token ? field.substr(kBearer.size()) : std::string_view());
}

http::Admission Service::admit(const http::Head& head) {
  const auto refuse = [](int status, const std::string& message, std::string_view code) {
    return http::Admission{.refusal = error_response(status, message, code)};
  };
  const std::string_view host = without_port(head.field("host"));
  if (!options_.hosts.empty() &&
      std::ranges::none_of(options_.hosts, [&](const auto& h) { return http::equals_ignoring_case(h, host); }))
    return refuse(421, "this server is not " + std::string(host) + "; --allow-host would let it be", "wrong_host");
  if (http::find_file(web_files(), head.path) != nullptr) {
    if (head.method == "GET" || head.method == "HEAD") return {};
    return refuse(405, head.method + " is not for " + head.path, "method_not_allowed");
  }
  bool is_path_known = false;
  const Route* route = find_route(head, is_path_known);
  if (route == nullptr)
    return is_path_known ? refuse(405, head.method + " is not for " + head.path, "method_not_allowed")
                         : refuse(404, "there is nothing at " + head.path, "not_found");
  // A page of another site may send a request along with what it knows of this one, but not as JSON, not with a field
  // of its own, and not without saying where it comes from.
  const std::string_view site = head.field("sec-fetch-site"), origin = head.field("origin");
  const auto scheme = origin.find("://");
  const bool is_foreign =
      (!site.empty() && site != "same-origin" && site != "none") ||
      (!origin.empty() && (scheme == std::string_view::npos || origin.substr(scheme + 3) != head.field("host")));
  if (is_foreign) return refuse(403, "pages of other sites may not ask here", "foreign_origin");
  const auto person = person_of(head);
  if (!person)
    return refuse(401,
                  options_.people.is_open() ? "who are you? The field x-onggi-person names you"
                                            : "expected somebody of --people: the name, or authorization: Bearer TOKEN",
                  "unknown_person");
  if (route->needs_settler && !person->may_settle) return refuse(403, "this is for adjudicators", "not_adjudicator");
  if (route->method != "POST") return {};
  std::string type = http::lower_case(head.field("content-type"));
  type.resize(std::min(type.find(';'), type.size()));
  if (type != "application/json") return refuse(415, "expected a body of application/json", "unsupported_media_type");
  return {.max_body_bytes = options_.max_body_bytes};
}

void Service::handle(std::shared_ptr<http::Exchange> exchange) {
  const http::Request& request = exchange->request();
  if (const auto* file = http::find_file(web_files(), request.path))
    return exchange->respond(http::file_response(*file, request));
  bool is_path_known = false;
  const Route* route = find_route(request, is_path_known);
  const auto person = person_of(request);
  auto call = std::make_shared<Call>(Call{.exchange = exchange, .person = *person, .body = {}, .last = {}});
  if (route->path.ends_with("{}")) call->last = request.path.substr(route->path.size() - 2);
  worker_.post([this, route, call] {
    try {
      if (is_stopped_) return call->exchange->respond(error_response(503, "the server is stopping", "stopping"));
      if (route->run == nullptr) return open_stream(*call);
      if (route->method == "POST") {
        call->body = parse_json(call->exchange->request().body, "body");
        require(call->body.is_object(), "the body is no object");
      }
      call->exchange->respond(json_response(route->run(desk_, *call)));
    } catch (const Error& e) {
      call->exchange->respond(error_response(status_of(e), e.what()));
    } catch (const std::exception& e) {
      call->exchange->respond(error_response(500, e.what()));
    }
  });
}

http::Response Service::protocol_error(int status, std::string_view message) { return error_response(status, message); }

void Service::open_stream(const Call& call) {
  call.exchange->start_stream({.content_type = "text/event-stream", .fields = {{"cache-control", "no-store"}}});
  call.exchange->write("data: " + dump_json(desk_.progress(call.person)) + "\n\n");
  streams_.push_back({call.exchange, call.person});
}

void Service::tell_all() {
  std::erase_if(streams_, [](const Stream& stream) { return stream.exchange->is_gone(); });
  const auto seq = desk_.state().last_seq();
  if (seq == told_seq_ && desk_.guideline() == told_guideline_) return;
  told_seq_ = seq;
  told_guideline_ = desk_.guideline();
  for (const auto& stream : streams_) {
    if (!stream.exchange->is_congested())
      stream.exchange->write("data: " + dump_json(desk_.progress(stream.person)) + "\n\n");
  }
}

void Service::read_guidelines() {
  if (options_.guidelines.empty()) return;
  std::string text = read_file(options_.guidelines, kMaxGuidelineBytes);
  if (text == seen_guidelines_) return;
  desk_.set_guidelines(text);
  seen_guidelines_ = std::move(text);
}

void Service::look_around() {
  try {
    read_guidelines();
    if (desk_.take_new_items()) told_seq_ = -1;
    tell_all();
  } catch (const std::exception&) {
    // A file that is being written, a disk that is full: looked at again in a second.
  }
}

void Service::tick(std::stop_token stop) {
  while (!stop.stop_requested()) {
    worker_.post([this] { look_around(); });
    std::unique_lock lock(mutex_);
    tick_.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
  }
}

}  // namespace onggi::review
