#include "onggi/http/server.h"

#include <utility>  // before asio: Boost 1.74's coroutines use std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <atomic>
#include <ctime>
#include <limits>
#include <mutex>
#include <thread>
#include <unordered_set>

#include <sys/socket.h>

#include "onggi/core/error.h"
#include "onggi/core/quick_thread.h"
#include "onggi/core/system_random.h"
#include "onggi/http/outbox.h"

// g++ 12 takes Boost 1.74's coroutine frames for memory of the plain operator new.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace onggi::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::redirect_error;
using asio::use_awaitable;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr Clock::time_point kNever = Clock::time_point::max();
/// What the input buffer may hold beside a head: pieces of a body on their way.
constexpr std::size_t kBufferBytes = 64 << 10;
/// After a refusal the rest of the body is read and thrown away, so that the client sees the answer and no reset.
constexpr std::int64_t kMostDiscardedBytes = 256 << 20;
constexpr std::chrono::seconds kDiscardTimeout{2};
/// A client that sends a large body slower than this is dropped in the end.
constexpr std::int64_t kLeastBytesPerSecond = 32 << 10;

class Session;

/// What a body's sink calls back and the session share: whether the last piece is taken.
class Receipt {
 public:
  Receipt(std::weak_ptr<Session> session, asio::io_context& io) : session_(std::move(session)), io_(&io) {}
  void give(std::optional<Response> refusal);  ///< From any thread.

  // The session's side, on the I/O thread.
  bool is_given();
  std::optional<Response> refusal() { return std::move(refusal_); }  ///< Once it is given.
  void detach();                                                     ///< Nobody waits any more.

 private:
  std::mutex mutex_;
  const std::weak_ptr<Session> session_;
  asio::io_context* io_;
  bool is_given_ = false;
  std::optional<Response> refusal_;
};

/// The service's end of an outbox.
class Handle : public Exchange {
 public:
  Handle(std::shared_ptr<Outbox> outbox, Service& service) : outbox_(std::move(outbox)), service_(service) {}
  ~Handle() override {
    if (!outbox_->has_ended()) outbox_->abandon(service_.protocol_error(500, "the request was not answered"));
  }
  const Request& request() const override { return outbox_->request(); }
  void respond(Response response) override { outbox_->respond(response); }
  void start_stream(Response head) override { outbox_->start_stream(head); }
  void write(std::string bytes) override { outbox_->write(bytes); }
  void finish() override { outbox_->finish(); }
  bool is_gone() const override { return outbox_->is_gone(); }
  bool is_congested() const override { return outbox_->is_congested(); }
  void on_gone(std::function<void()> callback) override { outbox_->on_gone(std::move(callback)); }
  void on_relieved(std::function<void()> callback) override { outbox_->on_relieved(std::move(callback)); }

 private:
  std::shared_ptr<Outbox> outbox_;
  Service& service_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(Service& service, Options options);
  ~Impl();

  Service& service_;
  const Options options_;
  int port_ = 0;
  std::atomic<bool> is_accepting_{true};
  std::atomic<int> num_connections_{0}, num_exchanges_{0};
  std::unordered_set<Session*> sessions_;  ///< On the I/O thread; those that run.
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer sweep_timer_{io_};
  std::thread thread_;

 private:
  void listen();
  asio::awaitable<void> accept();
  asio::awaitable<void> sweep();
};

namespace {

/// One connection. Confined to the I/O thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Server::Impl& server, tcp::socket socket, std::string peer)
      : server_(server), socket_(std::move(socket)), signal_(server.io_), peer_(std::move(peer)) {
    server_.sessions_.insert(this);
    ++server_.num_connections_;
  }
  ~Session() {
    server_.sessions_.erase(this);
    --server_.num_connections_;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// `self` keeps the session alive from here on.
  asio::awaitable<void> run(std::shared_ptr<Session> self);
  void wake() { signal_.cancel(); }
  /// What the clock asks for.
  void tick(Clock::time_point now);
  void close();
  void close_if_idle() {
    if (is_idle_) close();
  }
  /// The server goes: nobody may wake this any more.
  void detach();

 private:
  enum class Next { kGoOn, kClose, kDiscard };
  asio::awaitable<bool> await_first_byte();
  asio::awaitable<Next> serve_one();
  asio::awaitable<Next> answer(Request request, Clock::time_point began);
  asio::awaitable<Next> refuse(const Head& head, Response response, Clock::time_point began, bool is_body_gone);
  bool drop_body_that_is_here(const Head& head);
  static bool is_silent(error_code ec);
  Response protocol_error(error_code ec, std::int64_t max_body_bytes);
  std::optional<Response> admit(const Head& head, Admission& admission);
  asio::awaitable<void> read_into(BodySink& sink, std::optional<Response>& refusal, error_code& ec);
  asio::awaitable<void> watch(std::shared_ptr<Outbox> outbox);
  asio::awaitable<bool> send(std::string bytes);
  asio::awaitable<void> wait();
  asio::awaitable<void> discard();
  Head make_head(bool is_whole) const;
  bool keeps_alive() const { return parser_->get().keep_alive() && server_.is_accepting_; }

  Server::Impl& server_;
  tcp::socket socket_;
  asio::steady_timer signal_;
  const std::string peer_;
  boost::beast::flat_buffer buffer_;
  std::optional<beast_http::request_parser<beast_http::string_body>> parser_;
  std::shared_ptr<Outbox> outbox_;
  std::shared_ptr<Receipt> receipt_;
  bool is_idle_ = false, is_watching_ = false, is_sending_ = false;
  Clock::time_point deadline_ = kNever;
  Clock::time_point last_sent_ = Clock::now();
};

void Receipt::give(std::optional<Response> refusal) {
  const std::lock_guard lock(mutex_);
  if (is_given_) return;
  is_given_ = true;
  refusal_ = std::move(refusal);
  if (io_ == nullptr) return;
  asio::post(*io_, [weak = session_] {
    if (const auto session = weak.lock()) session->wake();
  });
}

bool Receipt::is_given() {
  const std::lock_guard lock(mutex_);
  return is_given_;
}

void Receipt::detach() {
  const std::lock_guard lock(mutex_);
  io_ = nullptr;
}

void Session::tick(Clock::time_point now) {
  if (now > deadline_) {
    close();
  } else if (outbox_ && !is_sending_ && now - last_sent_ > server_.options_.heartbeat) {
    outbox_->heartbeat();
  }
}

void Session::close() {
  error_code ec;
  socket_.close(ec);
  if (outbox_) outbox_->mark_gone();
  wake();
}

void Session::detach() {
  if (outbox_) outbox_->mark_gone();
  if (receipt_) receipt_->detach();
}

asio::awaitable<void> Session::wait() {
  signal_.expires_at(kNever);
  error_code ec;
  co_await signal_.async_wait(redirect_error(use_awaitable, ec));
}

/// False if the client is gone, or has taken nothing for the write timeout.
asio::awaitable<bool> Session::send(std::string bytes) {
  is_sending_ = true;
  error_code ec;
  for (std::size_t done = 0; done < bytes.size() && !ec;) {
    deadline_ = Clock::now() + server_.options_.write_timeout;
    const std::size_t count = co_await socket_.async_write_some(asio::buffer(bytes.data() + done, bytes.size() - done),
                                                                redirect_error(use_awaitable, ec));
    done += count;
    if (outbox_) outbox_->sent(static_cast<std::int64_t>(count));
  }
  last_sent_ = Clock::now();
  deadline_ = kNever;
  is_sending_ = false;
  co_return !ec;
}

asio::awaitable<void> Session::run(std::shared_ptr<Session> /*self*/) {
  try {
    while (co_await await_first_byte()) {
      const Next next = co_await serve_one();
      parser_.reset();
      outbox_.reset();
      if (next == Next::kDiscard) co_await discard();
      if (next != Next::kGoOn) break;
    }
  } catch (const std::exception&) {  // Out of memory, or a service that threw where it must not: this connection ends.
  }
  close();
}

asio::awaitable<bool> Session::await_first_byte() {
  if (buffer_.size() > 0) co_return true;
  buffer_ = boost::beast::flat_buffer(static_cast<std::size_t>(server_.options_.max_header_bytes) + kBufferBytes);
  deadline_ = Clock::now() + server_.options_.idle_timeout;
  error_code ec;
  is_idle_ = true;
  co_await socket_.async_wait(tcp::socket::wait_read, redirect_error(use_awaitable, ec));
  is_idle_ = false;
  co_return !ec && (server_.is_accepting_ || socket_.available(ec) > 0);
}

// In the coroutines below what is awaited has no temporary with a destructor: g++ 12 may destroy such a one twice.
asio::awaitable<Session::Next> Session::serve_one() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(server_.options_.max_header_bytes));
  parser_->body_limit(
      std::numeric_limits<std::uint64_t>::max());  // until it is known; "none" refuses every body in Boost 1.74
  deadline_ = Clock::now() + server_.options_.header_timeout;
  error_code ec;
  co_await beast_http::async_read_header(socket_, buffer_, *parser_, redirect_error(use_awaitable, ec));
  const auto began = Clock::now();
  if (is_silent(ec)) co_return Next::kClose;
  Head head = make_head(!ec);
  Admission admission;
  std::optional<Response> refusal = ec ? protocol_error(ec, 0) : admit(head, admission);
  const bool is_body_gone = refusal && !ec && drop_body_that_is_here(head);
  if (!refusal && !parser_->is_done()) {
    parser_->body_limit(static_cast<std::uint64_t>(admission.max_body_bytes));
    if (equals_ignoring_case(head.field("expect"), "100-continue")) {
      std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      const bool is_sent = co_await send(std::move(go_on));
      if (!is_sent) co_return Next::kClose;
    }
    deadline_ = Clock::now() + server_.options_.body_timeout;
    if (admission.sink) {
      co_await read_into(*admission.sink, refusal, ec);
    } else {
      co_await beast_http::async_read(socket_, buffer_, *parser_, redirect_error(use_awaitable, ec));
    }
    if (is_silent(ec)) co_return Next::kClose;
    if (ec) refusal = protocol_error(ec, admission.max_body_bytes);
  }
  if (refusal) {
    Response response = std::move(*refusal);
    co_return co_await refuse(head, std::move(response), began, is_body_gone);
  }
  Request request{std::move(head), std::move(parser_->get().body()), std::move(admission.sink)};
  co_return co_await answer(std::move(request), began);
}

/// Hands the body on in pieces. A client may take as long as a body in memory may, and more with what it has sent.
asio::awaitable<void> Session::read_into(BodySink& sink, std::optional<Response>& refusal, error_code& ec) {
  auto budget = Clock::duration(server_.options_.body_timeout);
  buffer_.reserve(kBufferBytes);
  while (!parser_->is_done() && !refusal) {
    const auto began = Clock::now();
    deadline_ = began + budget;
    co_await beast_http::async_read_some(socket_, buffer_, *parser_, redirect_error(use_awaitable, ec));
    if (ec) break;
    std::string piece = std::exchange(parser_->get().body(), {});
    if (piece.empty()) continue;
    const auto earned = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(static_cast<double>(piece.size()) / static_cast<double>(kLeastBytesPerSecond)));
    budget = std::min<Clock::duration>(server_.options_.body_timeout, budget - (Clock::now() - began) + earned);
    deadline_ = kNever;  // the disk's time is not the client's
    receipt_ = std::make_shared<Receipt>(weak_from_this(), server_.io_);
    sink.write(std::move(piece),
               [receipt = receipt_](std::optional<Response> answer) { receipt->give(std::move(answer)); });
    while (!receipt_->is_given()) co_await wait();
    refusal = receipt_->refusal();
    receipt_.reset();
  }
}

/// Nothing to be said: the client left, or the clock closed the socket.
bool Session::is_silent(error_code ec) {
  const bool is_of_protocol = ec.category() == make_error_code(beast_http::error::bad_method).category();
  return ec && (!is_of_protocol || ec == beast_http::error::end_of_stream || ec == beast_http::error::partial_message);
}

Response Session::protocol_error(error_code ec, std::int64_t max_body_bytes) {
  if (ec == beast_http::error::header_limit || ec == beast_http::error::buffer_overflow) {
    return server_.service_.protocol_error(
        431, "the request's head is longer than " + std::to_string(server_.options_.max_header_bytes) + " bytes");
  }
  if (ec == beast_http::error::body_limit) {
    return server_.service_.protocol_error(
        413, "the request's body is longer than " + std::to_string(max_body_bytes) + " bytes");
  }
  return server_.service_.protocol_error(400, "the request is not HTTP/1.1: " + ec.message());
}

/// What is said before the body is read, if the request ends here.
std::optional<Response> Session::admit(const Head& head, Admission& admission) {
  const auto& message = parser_->get();
  if (!head.path.starts_with('/'))
    return server_.service_.protocol_error(400, "the request's path does not begin with /");
  if (message.version() != 10 && message.version() != 11)
    return server_.service_.protocol_error(400, "the request is not HTTP/1.1 or 1.0");
  if (message.version() == 11 && message.count(beast_http::field::host) != 1)
    return server_.service_.protocol_error(400, "the request needs one Host field");
  admission = server_.service_.admit(head);
  if (admission.refusal) return std::move(admission.refusal);
  if (parser_->is_done() || head.content_length <= admission.max_body_bytes) return std::nullopt;
  return protocol_error(beast_http::error::body_limit, admission.max_body_bytes);
}

Head Session::make_head(bool is_whole) const {
  Head head;
  head.peer = peer_;
  head.id = "req_" + system_random_hex(12);
  if (!is_whole) return head;
  const auto& message = parser_->get();
  head.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const auto question = target.find('?');
  head.path = target.substr(0, question);
  if (question != std::string_view::npos) head.query = target.substr(question + 1);
  for (const auto& field : message) {
    head.fields.emplace_back(lower_case({field.name_string().data(), field.name_string().size()}),
                             std::string(field.value()));
  }
  if (const auto length = parser_->content_length())
    head.content_length = static_cast<std::int64_t>(std::min<std::uint64_t>(*length, INT64_MAX));
  if (is_request_id(head.field("x-request-id"))) head.id = std::string(head.field("x-request-id"));
  return head;
}

/// So that a client that is refused with a small body, of which nothing was read, keeps its connection.
bool Session::drop_body_that_is_here(const Head& head) {
  if (parser_->is_done()) return true;
  if (!parser_->content_length() || std::cmp_less(buffer_.size(), head.content_length)) return false;
  buffer_.consume(static_cast<std::size_t>(head.content_length));
  return true;
}

asio::awaitable<Session::Next> Session::refuse(const Head& head, Response response, Clock::time_point began,
                                               bool is_body_gone) {
  // Who is misunderstood starts again.
  const bool goes_on = (is_body_gone || parser_->is_done()) && keeps_alive() && response.status != 400;
  std::string text = head_text(response, head.id, static_cast<std::int64_t>(response.body.size()), goes_on);
  if (head.method != "HEAD") text += response.body;
  const auto size = static_cast<std::int64_t>(text.size());
  const bool is_sent = co_await send(std::move(text));
  const Request request{head, {}, nullptr};
  server_.service_.finished({&request, is_sent ? response.status : 499, is_sent ? size : 0, Clock::now() - began});
  if (!is_sent) co_return Next::kClose;
  co_return goes_on ? Next::kGoOn : Next::kDiscard;
}

asio::awaitable<Session::Next> Session::answer(Request request, Clock::time_point began) {
  const bool is_chunked = parser_->get().version() == 11;
  const bool goes_on = keeps_alive();
  parser_.reset();
  if (buffer_.size() == 0) buffer_.shrink_to_fit();
  auto wake = [weak = weak_from_this(), io = &server_.io_] {
    asio::post(*io, [weak] {
      if (const auto session = weak.lock()) session->wake();
    });
  };
  outbox_ = std::make_shared<Outbox>(std::move(request), is_chunked, goes_on, server_.options_.max_queued_bytes,
                                     std::move(wake));
  const auto outbox = outbox_;
  deadline_ = kNever;
  ++server_.num_exchanges_;
  auto exchange = std::make_shared<Handle>(outbox, server_.service_);
  try {
    server_.service_.handle(exchange);
  } catch (const std::exception& e) {
    outbox->abandon(server_.service_.protocol_error(500, e.what()));
  }
  exchange.reset();
  is_watching_ = true;
  asio::co_spawn(server_.io_, watch(outbox), [self = shared_from_this()](const std::exception_ptr&) {
    self->is_watching_ = false;
    self->wake();
  });
  std::int64_t sent_bytes = 0;
  bool is_cut = false;
  while (!outbox->is_gone()) {
    Outbox::Batch batch = outbox->take();
    const auto size = static_cast<std::int64_t>(batch.bytes.size());
    if (size > 0) {
      if (!co_await send(std::move(batch.bytes))) {
        outbox->mark_gone();
        break;
      }
      sent_bytes += size;
    }
    is_cut = batch.is_cut;
    if (batch.is_last) break;
    if (size == 0) co_await wait();
  }
  --server_.num_exchanges_;
  const bool is_gone = outbox->is_gone();
  server_.service_.finished({&outbox->request(), is_gone ? 499 : outbox->status(), sent_bytes, Clock::now() - began});
  if (is_gone || is_cut) co_return Next::kClose;
  error_code ec;
  if (is_watching_) socket_.cancel(ec);
  while (is_watching_) co_await wait();
  co_return goes_on&& server_.is_accepting_ ? Next::kGoOn : Next::kDiscard;
}

/// Notices a client that leaves. One that sends its next request early is no longer watched: those bytes stay where
/// they are.
asio::awaitable<void> Session::watch(std::shared_ptr<Outbox> outbox) {
  const auto self = shared_from_this();
  error_code ec;
  co_await socket_.async_wait(tcp::socket::wait_read, redirect_error(use_awaitable, ec));
  if (ec) co_return;
  char byte = 0;
  const auto count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) outbox->mark_gone();
}

asio::awaitable<void> Session::discard() {
  error_code ec;
  socket_.shutdown(tcp::socket::shutdown_send, ec);
  deadline_ = Clock::now() + kDiscardTimeout;
  std::string space(16 << 10, '\0');
  for (std::int64_t total = 0; !ec && total < kMostDiscardedBytes;) {
    total += static_cast<std::int64_t>(
        co_await socket_.async_read_some(asio::buffer(space), redirect_error(use_awaitable, ec)));
  }
}

}  // namespace

Server::Impl::Impl(Service& service, Options options) : service_(service), options_(std::move(options)) {
  listen();
  asio::co_spawn(io_, accept(), asio::detached);
  asio::co_spawn(io_, sweep(), asio::detached);
  thread_ = std::thread([this] {
    make_this_thread_quick();
    io_.run();
  });
}

Server::Impl::~Impl() {
  io_.stop();
  thread_.join();
  for (Session* session : sessions_) session->detach();
}

void Server::Impl::listen() {
  const std::string where = options_.host + ":" + std::to_string(options_.port);
  error_code ec;
  const auto address = asio::ip::make_address(options_.host, ec);
  require(!ec, "expected an address as 127.0.0.1 or ::1 to listen on", ErrorCode::kInvalidArgument, where);
  require(options_.port >= 0 && options_.port <= 65535, "expected a port from 0 to 65535", ErrorCode::kInvalidArgument,
          where);
  const tcp::endpoint endpoint(address, static_cast<unsigned short>(options_.port));
  acceptor_.open(endpoint.protocol(), ec);
  if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(1024, ec);
  require(
      !ec,
      [&] {
        return "can't listen: " + ec.message() + "; is another server there? Take another port, or 0 for a free one";
      },
      ErrorCode::kUnavailable, where);
  port_ = acceptor_.local_endpoint().port();
}

asio::awaitable<void> Server::Impl::accept() {
  while (true) {
    error_code ec;
    tcp::socket socket = co_await acceptor_.async_accept(redirect_error(use_awaitable, ec));
    if (ec == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (ec) {  // Out of file descriptors, most likely: others will close theirs.
      asio::steady_timer pause(io_, std::chrono::milliseconds(50));
      co_await pause.async_wait(redirect_error(use_awaitable, ec));
      continue;
    }
    if (num_connections_ >= options_.max_connections) {
      Response response = service_.protocol_error(
          503, "the server holds " + std::to_string(options_.max_connections) + " connections already");
      response.fields.emplace_back("retry-after", "1");
      response.fields.emplace_back("retry-after-ms", "500");
      const std::string text =
          head_text(response, "req_" + system_random_hex(12), static_cast<std::int64_t>(response.body.size()), false) +
          response.body;
      socket.write_some(asio::buffer(text), ec);
      continue;
    }
    socket.set_option(tcp::no_delay(true), ec);
    const auto peer = socket.remote_endpoint(ec).address().to_string();
    auto session = std::make_shared<Session>(*this, std::move(socket), peer);
    asio::co_spawn(io_, session->run(session), asio::detached);
  }
}

asio::awaitable<void> Server::Impl::sweep() {
  const auto shortest = std::min({options_.header_timeout, options_.body_timeout, options_.idle_timeout,
                                  options_.write_timeout, options_.heartbeat, std::chrono::milliseconds(2000)});
  while (true) {
    sweep_timer_.expires_after(std::max<std::chrono::milliseconds>(shortest / 4, std::chrono::milliseconds(10)));
    error_code ec;
    co_await sweep_timer_.async_wait(redirect_error(use_awaitable, ec));
    if (ec) co_return;
    const auto now = Clock::now();
    for (Session* session : std::vector<Session*>(sessions_.begin(), sessions_.end())) session->tick(now);
  }
}

Server::Server(Service& service, Options options) : impl_(std::make_unique<Impl>(service, std::move(options))) {}
Server::~Server() = default;
int Server::port() const { return impl_->port_; }
int Server::num_connections() const { return impl_->num_connections_; }
int Server::num_exchanges() const { return impl_->num_exchanges_; }

void Server::stop_accepting() {
  impl_->is_accepting_ = false;
  asio::post(impl_->io_, [impl = impl_.get()] {
    error_code ec;
    impl->acceptor_.close(ec);
    // Connections between requests end now; the others when their answer is out.
    for (Session* session : std::vector<Session*>(impl->sessions_.begin(), impl->sessions_.end()))
      session->close_if_idle();
  });
}

}  // namespace onggi::http
