#include "onggi/http/client.h"

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "onggi/core/error.h"

namespace onggi::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxHeadBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kLongestPause{1000};

/// libcurl's own setting up, once a process.
void start_library() {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(kStarted == CURLE_OK, "libcurl does not start", ErrorCode::kInternal);
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

/// One request on its way. It stays where it is: libcurl holds its address.
struct Transfer {
  std::int64_t id = 0;
  ClientRequest request;
  Client::Done done;
  ClientAnswer answer;
  std::size_t head_bytes = 0;
  bool has_first_byte = false, is_too_large = false;
  Clock::time_point first_byte_by;
  std::unique_ptr<curl_slist, FreeList> fields;
  std::unique_ptr<CURL, FreeEasy> easy;
};

std::string_view without_spaces(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::size_t take_head(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.has_first_byte = true;
  const std::string_view line(bytes, size * count);
  transfer.head_bytes += line.size();
  if (transfer.head_bytes > kMaxHeadBytes) {
    transfer.is_too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) transfer.answer.fields.clear();  // What came before was a 1xx.
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  transfer.answer.fields.emplace_back(lower_case(without_spaces(line.substr(0, colon))),
                                      std::string(without_spaces(line.substr(colon + 1))));
  return line.size();
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view piece(bytes, size * count);
  if (piece.size() > transfer.request.max_body_bytes - transfer.answer.body.size()) {
    transfer.is_too_large = true;
    return piece.size() + 1;
  }
  transfer.answer.body += piece;
  return piece.size();
}

ClientFailure failure_of(CURLcode code, const Transfer& transfer) {
  if (transfer.is_too_large) return ClientFailure::kTooLarge;
  switch (code) {
    case CURLE_URL_MALFORMAT: return ClientFailure::kBadRequest;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return ClientFailure::kConnect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CONNECT_ERROR: return ClientFailure::kTls;
    case CURLE_OPERATION_TIMEDOUT: {
      curl_off_t connected_us = 0;
      curl_easy_getinfo(transfer.easy.get(), CURLINFO_PRETRANSFER_TIME_T, &connected_us);
      return connected_us > 0 ? ClientFailure::kTimeout : ClientFailure::kConnect;
    }
    default: return ClientFailure::kBroken;
  }
}

std::string seconds_text(std::chrono::milliseconds time) {
  const auto tenths = time.count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

/// Nothing where the request can be sent.
std::string fault_of(const ClientRequest& request) {
  const auto starts = [&](std::string_view scheme) {
    return equals_ignoring_case(std::string_view(request.url).substr(0, scheme.size()), scheme);
  };
  if (!starts("http://") && !starts("https://")) return "the address does not begin with http:// or https://";
  for (const auto& [name, value] : request.fields) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return "the field " + name + " holds a line break";
    }
  }
  return {};
}

}  // namespace

std::string_view ClientAnswer::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Fields::value_type::first);
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

class Client::Loop {
 public:
  explicit Loop(ClientOptions options) : options_(std::move(options)) {
    start_library();
    multi_.reset(curl_multi_init());
    require(multi_ != nullptr, "libcurl has no room for a client", ErrorCode::kInternal);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options_.max_connections));
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options_.max_connections));
    thread_ = std::thread([this] { run(); });
  }

  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  std::int64_t send(ClientRequest&& request, Done&& done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    std::int64_t id = 0;
    {
      const std::lock_guard lock(mutex_);
      id = transfer->id = ++last_id_;
      arriving_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_.get());
    return id;
  }

  void cancel(std::int64_t id) {
    {
      const std::lock_guard lock(mutex_);
      unwanted_.push_back(id);
    }
    curl_multi_wakeup(multi_.get());
  }

 private:
  void run() {
    while (take_orders()) {
      int num_running = 0;
      curl_multi_perform(multi_.get(), &num_running);
      finish_done();
      const auto pause = end_late();
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(pause.count()), nullptr);
    }
    while (!running_.empty()) end(running_.begin()->first, ClientFailure::kCancelled, "cancelled");
  }

  /// False when the client is to end.
  bool take_orders() {
    std::deque<std::unique_ptr<Transfer>> arrived;
    std::vector<std::int64_t> unwanted;
    bool is_stopping = false;
    {
      const std::lock_guard lock(mutex_);
      arrived.swap(arriving_);
      unwanted.swap(unwanted_);
      is_stopping = is_stopping_;
    }
    for (auto& transfer : arrived) begin(std::move(transfer));
    for (const auto id : unwanted) end(id, ClientFailure::kCancelled, "cancelled");
    return !is_stopping;
  }

  void begin(std::unique_ptr<Transfer> owned) {
    Transfer& transfer = *owned;
    running_.emplace(transfer.id, std::move(owned));
    if (const auto fault = fault_of(transfer.request); !fault.empty()) {
      return end(transfer.id, ClientFailure::kBadRequest, fault);
    }
    transfer.first_byte_by = Clock::now() + transfer.request.first_byte_timeout;
    transfer.easy.reset(curl_easy_init());
    set_up(transfer);
    if (transfer.easy == nullptr || curl_multi_add_handle(multi_.get(), transfer.easy.get()) != CURLM_OK) {
      end(transfer.id, ClientFailure::kBroken, "libcurl has no room for the request");
    }
  }

  void set_up(Transfer& transfer) const {
    CURL* easy = transfer.easy.get();
    const ClientRequest& request = transfer.request;
    curl_slist* list = nullptr;
    for (const auto& [name, value] : request.fields) {
      // A field without value is spelt with a semicolon, or libcurl takes it for one to leave out.
      list = curl_slist_append(list, (value.empty() ? name + ";" : name + ": " + value).c_str());
    }
    list = curl_slist_append(list, "Expect:");  // No round trip before the body.
    transfer.fields.reset(list);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    if (!request.body.empty() || request.method == "POST") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (request.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.certificates.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.certificates.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &take_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  }

  void finish_done() {
    int num_left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &num_left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      char* user = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
      auto& transfer = *reinterpret_cast<Transfer*>(user);
      if (code != CURLE_OK) {
        const std::string text = transfer.is_too_large ? "the answer is larger than " +
                                                             std::to_string(transfer.request.max_body_bytes) + " bytes"
                                                       : curl_easy_strerror(code);
        end(transfer.id, failure_of(code, transfer), text);
        continue;
      }
      long status = 0;
      curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
      transfer.answer.status = static_cast<int>(status);
      end(transfer.id, ClientFailure::kNone, {});
    }
  }

  /// Ends what waits too long for its first byte; returns the time to the next such end.
  std::chrono::milliseconds end_late() {
    const auto now = Clock::now();
    auto pause = kLongestPause;
    std::vector<std::int64_t> late;
    for (const auto& [id, transfer] : running_) {
      if (transfer->has_first_byte) continue;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(transfer->first_byte_by - now);
      if (left.count() <= 0) late.push_back(id);
      pause = std::clamp(left, std::chrono::milliseconds(1), pause);
    }
    for (const auto id : late) {
      end(id, ClientFailure::kTimeout, "no answer within " + seconds_text(running_.at(id)->request.first_byte_timeout));
    }
    return pause;
  }

  void end(std::int64_t id, ClientFailure failure, std::string message) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    const auto transfer = std::move(found->second);
    running_.erase(found);
    if (transfer->easy != nullptr) curl_multi_remove_handle(multi_.get(), transfer->easy.get());
    transfer->answer.failure = failure;
    transfer->answer.message = std::move(message);
    transfer->done(std::move(transfer->answer));
  }

  const ClientOptions options_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> arriving_;
  std::vector<std::int64_t> unwanted_;
  std::int64_t last_id_ = 0;
  bool is_stopping_ = false;
  // Of the thread alone. The handle outlives the transfers, which libcurl wants gone first.
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::map<std::int64_t, std::unique_ptr<Transfer>> running_;
  std::thread thread_;
};

Client::Client(ClientOptions options) : loop_(std::make_unique<Loop>(std::move(options))) {}
Client::~Client() = default;

std::int64_t Client::send(ClientRequest request, Done done) { return loop_->send(std::move(request), std::move(done)); }

void Client::cancel(std::int64_t id) { loop_->cancel(id); }

ClientAnswer Client::ask(ClientRequest request) {
  // Shared: the client's thread may still be inside set_value when the answer is here.
  const auto promise = std::make_shared<std::promise<ClientAnswer>>();
  auto answer = promise->get_future();
  send(std::move(request), [promise](ClientAnswer&& got) { promise->set_value(std::move(got)); });
  return answer.get();
}

}  // namespace onggi::http
