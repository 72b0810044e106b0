#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "onggi/http/message.h"

namespace onggi::http {

/// Takes a body piece by piece, where it may be too large for memory. Dropped unfinished when the client leaves.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// The next piece, on the I/O thread: must not block. The following one is read when `taken` has been called, once,
  /// from any thread: with nothing, or with the answer that ends the request here.
  virtual void write(std::string piece, std::function<void(std::optional<Response>)> taken) = 0;
};

/// What the service says when it has seen a request's head.
struct Admission {
  std::int64_t max_body_bytes = 0;
  std::optional<Response> refusal;  ///< Sent at once; the body is not read.
  std::shared_ptr<BodySink> sink;   ///< Null: the body is kept in memory.
};

/// One request and the way to answer it: `respond` once, or `start_stream`, any number of `write`, `finish`. Every
/// method may be called from any thread; after the client has left they do nothing. Dropping it unanswered answers 500.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  virtual void respond(Response response) = 0;
  /// The head of an answer whose body comes in pieces (chunked).
  virtual void start_stream(Response head) = 0;
  virtual void write(std::string bytes) = 0;
  virtual void finish() = 0;
  /// The client left, or was dropped because it read nothing for `write_timeout`.
  virtual bool is_gone() const = 0;
  /// More than `max_queued_bytes` wait for the client: whoever writes should stop until it is false again.
  virtual bool is_congested() const = 0;
  /// Called once on the I/O thread when the client leaves before the answer's end, or at once if it has left.
  virtual void on_gone(std::function<void()> callback) = 0;
  /// Called on the I/O thread each time that congestion ends.
  virtual void on_relieved(std::function<void()> callback) = 0;
};

/// How an exchange ended: a line of the access log.
struct Record {
  const Request* request = nullptr;
  int status = 0;  ///< 499 where the client left first.
  std::int64_t sent_bytes = 0;
  std::chrono::nanoseconds duration{0};  ///< From the head's arrival to the last byte handed to the system.
};

/// What answers. All methods run on the I/O thread and must not block; exceptions answer 500.
class Service {
 public:
  virtual ~Service() = default;
  virtual Admission admit(const Head& head) = 0;
  virtual void handle(std::shared_ptr<Exchange> exchange) = 0;
  /// The body of an error that the protocol part found itself (a bad request line, a body too large).
  virtual Response protocol_error(int status, std::string_view message) = 0;
  virtual void finished(const Record& record) = 0;
};

struct Options {
  std::string host = "127.0.0.1";
  int port = 8080;  ///< 0 takes a free one.
  int max_connections = 4096;
  std::int64_t max_header_bytes = 16 << 10;
  std::int64_t max_queued_bytes = 64 << 10;
  std::chrono::milliseconds header_timeout{10'000};  ///< From the first byte of a head to its last.
  std::chrono::milliseconds body_timeout{60'000};  ///< For a body; one that goes to a sink earns more with each byte.
  std::chrono::milliseconds idle_timeout{75'000};   ///< Between requests.
  std::chrono::milliseconds write_timeout{30'000};  ///< Without a byte taken by the client.
  std::chrono::milliseconds heartbeat{15'000};      ///< An event stream that says nothing sends a comment line.
};

/// HTTP/1.1 on one I/O thread of its own (Boost.Beast parses; RFC 9112). Thread-safe.
class Server {
 public:
  /// Listens at once; throws kUnavailable naming the address if that fails. `service` must outlive the server.
  Server(Service& service, Options options);
  /// Closes everything that is open.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  /// Takes no further connections; open ones finish the request that they are at.
  void stop_accepting();
  int num_connections() const;
  int num_exchanges() const;  ///< Requests read and not yet answered to the end.

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace onggi::http
