#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "onggi/http/message.h"

namespace onggi::http {

/// A request to somebody else's server.
struct ClientRequest {
  std::string method = "POST";
  std::string url;  ///< http:// or https://.
  Fields fields;    ///< Sent as they are; a value with a line break is refused.
  std::string body;
  std::chrono::milliseconds connect_timeout{10'000};      ///< Name, connection and TLS.
  std::chrono::milliseconds first_byte_timeout{120'000};  ///< From the start to the answer's first byte.
  std::chrono::milliseconds total_timeout{600'000};       ///< From the start to the answer's last byte.
  std::size_t max_body_bytes = std::size_t{16} << 20;     ///< Of the answer, unpacked.
};

/// Why there is no answer.
enum class ClientFailure {
  kNone,        ///< There is one.
  kBadRequest,  ///< The URL or a field can't be sent.
  kConnect,     ///< No such name, nobody listens, or no connection in time.
  kTls,         ///< The other side could not prove who it is.
  kTimeout,     ///< No first byte, or no last one, in time.
  kBroken,      ///< The connection ended, or what came is no HTTP.
  kTooLarge,    ///< The answer passes a bound.
  kCancelled,
};

struct ClientAnswer {
  ClientFailure failure = ClientFailure::kNone;
  std::string message;  ///< What failed, in words; empty where there is an answer.
  int status = 0;
  Fields fields;  ///< Names in lower case.
  std::string body;

  bool is_answer() const { return failure == ClientFailure::kNone; }
  /// Value of the first field of this lower-case name; empty if there is none.
  std::string_view field(std::string_view name) const;
};

struct ClientOptions {
  int max_connections = 64;  ///< Kept open and used again; further requests wait for one.
  /// PEM file of certificates to trust in place of the system's; empty: the system's.
  std::string certificates;
};

/// Asks HTTP servers, many requests at once over connections that are kept open, on one thread of its own. Redirects
/// are not followed: a key in a field goes to the URL's server and nowhere else. No cookies, no .netrc; a proxy where
/// the environment names one (https_proxy, no_proxy ...). A request may reach the server twice where a kept connection
/// turns out to be closed before any byte of an answer. Thread-safe.
class Client {
 public:
  using Done = std::function<void(ClientAnswer&&)>;

  explicit Client(ClientOptions options = {});
  /// Cancels what is under way, and has its `done` called.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Begins a request; `done` is called once, on the client's thread, and must not block or throw. Returns a number to
  /// cancel it by.
  std::int64_t send(ClientRequest request, Done done);
  /// The request's `done` gets kCancelled, unless it had its answer before.
  void cancel(std::int64_t id);
  /// Sends and waits. Not from a `done`.
  ClientAnswer ask(ClientRequest request);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace onggi::http
