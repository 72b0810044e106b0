#include "onggi/http/server.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::http {
namespace {

using std::chrono::milliseconds;

/// A blocking client that sees the bytes as they are.
class Client {
 public:
  explicit Client(int port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { leave(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void leave() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  /// False where the other side has closed.
  bool send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  /// Until `stop` says enough, the other side closes, or `limit` passes.
  template <class Stop>
  std::string read_until(Stop stop, milliseconds limit = milliseconds(5000)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!stop(text_)) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now()).count();
      pollfd wait{fd_, POLLIN, 0};
      if (left <= 0 || poll(&wait, 1, static_cast<int>(left)) <= 0) break;
      char space[4096];
      const auto count = recv(fd_, space, sizeof space, 0);
      if (count <= 0) {
        is_closed_ = true;
        break;
      }
      text_.append(space, static_cast<std::size_t>(count));
    }
    return std::exchange(text_, {});
  }
  std::string read_to_close(milliseconds limit = milliseconds(5000)) {
    return read_until([](const std::string&) { return false; }, limit);
  }
  /// One answer with a content-length; what follows it stays for the next call.
  std::string read_answer() {
    std::size_t size = 0;
    std::string all = read_until([&](const std::string& text) {
      const auto end = text.find("\r\n\r\n");
      const auto length = text.find("content-length: ");
      if (end == std::string::npos || length == std::string::npos || length > end) return false;
      size = end + 4 + std::stoul(text.substr(length + 16));
      return text.size() >= size;
    });
    if (size > 0 && all.size() >= size) text_ = all.substr(size), all.resize(size);
    return all;
  }
  bool is_closed() const { return is_closed_; }

 private:
  int fd_ = -1;
  std::string text_;
  bool is_closed_ = false;
};

std::string post(const std::string& path, const std::string& body, const std::string& more = "") {
  return "POST " + path + " HTTP/1.1\r\nhost: here\r\n" + more + "content-length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}
std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nhost: here\r\n" + more + "\r\n";
}
int status_of(const std::string& answer) {
  return answer.size() > 12 && answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

/// Takes pieces on a thread of its own, slowly; refuses a body with an 'x' in it.
class SlowSink : public BodySink {
 public:
  ~SlowSink() override {
    if (thread_.joinable()) thread_.join();
  }
  void write(std::string piece, std::function<void(std::optional<Response>)> taken) override {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([this, piece = std::move(piece), taken = std::move(taken)] {
      std::this_thread::sleep_for(milliseconds(1));
      total_ += piece.size();
      if (piece.find('x') == std::string::npos) return taken(std::nullopt);
      taken(Response{.status = 507, .body = "no more"});
    });
  }
  /// Once the body is there.
  std::size_t total() {
    if (thread_.joinable()) thread_.join();
    return total_;
  }

 private:
  std::thread thread_;
  std::size_t total_ = 0;
};

/// Echoes, unless the path asks for something else; keeps the exchanges of /hold for the test.
class Echo : public Service {
 public:
  Admission admit(const Head& head) override {
    if (head.path == "/secret") return {0, Response{.status = 401, .body = "no key"}};
    if (head.path == "/sink") return {.max_body_bytes = 8 << 20, .refusal = {}, .sink = std::make_shared<SlowSink>()};
    return {.max_body_bytes = 1 << 20, .refusal = {}};
  }
  void handle(std::shared_ptr<Exchange> exchange) override {
    const auto& request = exchange->request();
    if (request.sink) {
      const auto total = std::static_pointer_cast<SlowSink>(request.sink)->total();
      return exchange->respond({.body = std::to_string(total) + " bytes" + request.body});
    }
    if (request.path == "/throw") throw Error(ErrorCode::kInternal, "thrown on purpose");
    if (request.path == "/drop") return;
    if (request.path == "/hold") {
      const std::lock_guard lock(mutex_);
      exchange->on_gone([this] {
        const std::lock_guard inner(mutex_);
        ++num_gone_;
        changed_.notify_all();
      });
      held_.push_back(std::move(exchange));
      changed_.notify_all();
      return;
    }
    exchange->respond({.body = request.method + " " + request.path + "?" + request.query + " " + request.body});
  }
  Response protocol_error(int status, std::string_view message) override {
    return {.status = status, .body = std::string(message)};
  }
  void finished(const Record& record) override {
    const std::lock_guard lock(mutex_);
    statuses_.push_back(record.status);
    changed_.notify_all();
  }

  std::shared_ptr<Exchange> take_held() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(5), [&] { return !held_.empty(); }));
    if (held_.empty()) return nullptr;
    auto exchange = held_.front();
    held_.erase(held_.begin());
    return exchange;
  }
  bool wait_for_gone(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5), [&] { return num_gone_ >= count; });
  }
  std::vector<int> wait_for_statuses(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return statuses_.size() >= count; });
    return statuses_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Exchange>> held_;
  int num_gone_ = 0;
  std::vector<int> statuses_;
};

class ServerTest : public testing::Test {
 protected:
  void start(Options options = {}) {
    options.port = 0;
    server_ = std::make_unique<Server>(service_, options);
  }
  int port() const { return server_->port(); }

  Echo service_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersOneRequestAfterAnotherOnOneConnection) {
  start();
  Client client(port());
  for (int i = 0; i < 3; ++i) {
    client.send_all(post("/a", "body " + std::to_string(i), "x-request-id: mine-" + std::to_string(i) + "\r\n"));
    const std::string answer = client.read_answer();
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_TRUE(answer.ends_with("POST /a? body " + std::to_string(i))) << answer;
    EXPECT_NE(answer.find("x-request-id: mine-" + std::to_string(i) + "\r\n"), std::string::npos);
  }
  client.send_all(get("/b?c=d", "x-request-id: not a good one\r\n"));
  const std::string answer = client.read_answer();
  EXPECT_TRUE(answer.ends_with("GET /b?c=d "));
  EXPECT_NE(answer.find("x-request-id: req_"), std::string::npos);
  EXPECT_EQ(server_->num_connections(), 1);
}

TEST_F(ServerTest, TakesRequestsHoweverTheyArrive) {
  start();
  Client client(port());
  client.send_all(post("/1", "one") + post("/2", "two") + get("/3"));  // all at once
  EXPECT_TRUE(client.read_answer().ends_with("POST /1? one"));
  EXPECT_TRUE(client.read_answer().ends_with("POST /2? two"));
  EXPECT_TRUE(client.read_answer().ends_with("GET /3? "));
  for (const char c : post("/4", "byte by byte")) client.send_all({&c, 1});
  EXPECT_TRUE(client.read_answer().ends_with("byte by byte"));
  client.send_all(
      "POST /5 HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read_answer().ends_with("POST /5? abcde"));
  client.send_all("POST /6 HTTP/1.1\r\nhost: here\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  EXPECT_TRUE(client.read_until([](const std::string& t) { return t.ends_with("\r\n\r\n"); })
                  .starts_with("HTTP/1.1 100 Continue"));
  client.send_all("ok");
  EXPECT_TRUE(client.read_answer().ends_with("POST /6? ok"));
  client.send_all("HEAD /7 HTTP/1.1\r\nhost: here\r\n\r\n" + get("/8"));
  const std::string both = client.read_until([](const std::string& t) { return t.ends_with("GET /8? "); });
  EXPECT_EQ(both.find("HEAD /7"), std::string::npos);  // a length, no body
}

TEST_F(ServerTest, ARefusalOfASmallBodyKeepsTheConnection) {
  start();
  Client client(port());
  client.send_all(post("/secret", "GET /not-a-request HTTP/1.1\r\n\r\n") + post("/1", "one"));
  EXPECT_EQ(status_of(client.read_answer()), 401);
  EXPECT_TRUE(client.read_answer().ends_with("POST /1? one"));
}

TEST_F(ServerTest, StreamsInChunks) {
  start();
  Client client(port());
  client.send_all(get("/hold"));
  const auto exchange = service_.take_held();
  exchange->start_stream({.content_type = "text/event-stream"});
  exchange->write("data: 1\n\n");
  const auto has_first = [](const std::string& t) { return t.ends_with("\r\n9\r\ndata: 1\n\n\r\n"); };
  EXPECT_TRUE(has_first(client.read_until(has_first)));
  exchange->write("data: 22\n\n");
  exchange->finish();
  exchange->write("too late");
  EXPECT_EQ(client.read_until([](const std::string& t) { return t.ends_with("0\r\n\r\n"); }),
            "a\r\ndata: 22\n\n\r\n0\r\n\r\n");
  client.send_all(get("/next"));
  EXPECT_EQ(status_of(client.read_answer()), 200);
  Client old(port());
  old.send_all("GET /hold HTTP/1.0\r\n\r\n");
  const auto other = service_.take_held();
  other->start_stream({.content_type = "text/plain"});
  other->write("as it is");
  other->finish();
  EXPECT_TRUE(old.read_to_close().ends_with("\r\n\r\nas it is"));
}

TEST_F(ServerTest, NoticesAClientThatLeaves) {
  start();
  Client client(port());
  client.send_all(get("/hold"));
  const auto exchange = service_.take_held();
  EXPECT_FALSE(exchange->is_gone());
  client.leave();
  EXPECT_TRUE(service_.wait_for_gone(1));
  EXPECT_TRUE(exchange->is_gone());
  exchange->respond({});
  EXPECT_EQ(service_.wait_for_statuses(1), std::vector<int>{499});
  bool is_called = false;
  exchange->on_gone([&] { is_called = true; });
  EXPECT_TRUE(is_called);
}

TEST_F(ServerTest, RefusesBeforeTheBody) {
  start();
  const std::string big(6 << 20, 'x');
  for (const auto& [path, status] : std::map<std::string, int>{{"/secret", 401}, {"/large", 413}}) {
    Client client(port());
    std::thread sender([&] { client.send_all(post(path, big)); });
    const std::string answer = client.read_to_close();
    sender.join();
    EXPECT_EQ(status_of(answer), status) << path;
    EXPECT_NE(answer.find("connection: close"), std::string::npos);
  }
  Client chunked(port());
  chunked.send_all("POST /x HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n");
  for (int i = 0; i < 40 && chunked.send_all("10000\r\n" + std::string(0x10000, 'y') + "\r\n"); ++i) {
  }
  EXPECT_EQ(status_of(chunked.read_to_close()), 413);
  Client keeps(port());
  keeps.send_all(get("/secret") + get("/fine"));
  EXPECT_EQ(status_of(keeps.read_answer()), 401);
  EXPECT_EQ(status_of(keeps.read_answer()), 200);
}

TEST_F(ServerTest, RefusesWhatIsNoRequest) {
  start();
  const std::map<std::string, int> bad = {
      {"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n", 400},
      {"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400},
      {"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n", 400},
      {"POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400},
      {"GET /x HTTP/1.1\r\n\r\n", 400},
      {"GET /x HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400},
      {"GET x HTTP/1.1\r\nhost: a\r\n\r\n", 400},
      {"GET /x HTTP/9.9\r\nhost: a\r\n\r\n", 400},
      {"hello\r\n\r\n", 400},
      {std::string("\0\1\2\3\r\n\r\n", 8), 400},
      {"GET /x HTTP/1.1\r\nhost: a\r\nbad name: b\r\n\r\n", 400},
      {"GET /x HTTP/1.1\r\nhost: a\r\nlong: " + std::string(20'000, 'z') + "\r\n\r\n", 431},
      {"GET /" + std::string(20'000, 'z') + " HTTP/1.1\r\nhost: a\r\n\r\n", 431},
  };
  for (const auto& [text, status] : bad) {
    Client client(port());
    client.send_all(text);
    EXPECT_EQ(status_of(client.read_to_close()), status) << text.substr(0, 100);
    EXPECT_TRUE(client.is_closed());
  }
}

TEST_F(ServerTest, ClosesTheSlowAndTheIdle) {
  start({.header_timeout = milliseconds(100), .body_timeout = milliseconds(100), .idle_timeout = milliseconds(100)});
  Client idle(port()), slow_head(port()), slow_body(port());
  slow_head.send_all("GET /x HT");
  slow_body.send_all("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 30\r\n\r\nonly some");
  for (Client* client : {&idle, &slow_head, &slow_body}) {
    EXPECT_EQ(client->read_to_close(), "");
    EXPECT_TRUE(client->is_closed());
  }
}

TEST_F(ServerTest, SendingSlowlyDoesNotBuyTime) {
  start({.header_timeout = milliseconds(300), .body_timeout = milliseconds(300)});
  const auto drip = [&](const std::string& begin, const std::string& rest) {
    Client client(port());
    const auto began = std::chrono::steady_clock::now();
    client.send_all(begin);
    for (std::size_t i = 0; !client.is_closed() && i < 500; ++i) {
      client.send_all({&rest[i % rest.size()], 1});
      client.read_to_close(milliseconds(10));
    }
    EXPECT_TRUE(client.is_closed()) << begin;
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  };
  drip("GET /x HTTP/1.1\r\nhost: a\r\n", "x: y\r\n");
  drip("POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n", "abc");
  drip("POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\na\r\n");
}

TEST_F(ServerTest, AStalledReaderIsCongestedAndThenDroppedAlone) {
  start({.max_queued_bytes = 1 << 16, .write_timeout = milliseconds(400)});
  Client stalled(port(), 4096), other(port());
  stalled.send_all(get("/hold"));
  const auto exchange = service_.take_held();
  exchange->start_stream({.content_type = "text/event-stream"});
  const std::string piece(8 << 10, 's');
  for (int i = 0; i < 4000 && !exchange->is_congested(); ++i) {
    exchange->write(piece);
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_TRUE(exchange->is_congested());
  other.send_all(get("/other"));
  EXPECT_EQ(status_of(other.read_answer()), 200);
  EXPECT_TRUE(service_.wait_for_gone(1));
  EXPECT_FALSE(exchange->is_congested());  // nobody to wait for
}

TEST_F(ServerTest, CongestionEndsWhenTheClientReads) {
  start({.max_queued_bytes = 1 << 14});
  Client client(port());
  client.send_all(get("/hold"));
  const auto exchange = service_.take_held();
  std::atomic<bool> is_relieved{false};
  exchange->on_relieved([&] { is_relieved = true; });
  exchange->start_stream({.content_type = "text/plain"});
  exchange->write(std::string(24 << 20, 'x'));  // more than the system's own buffers
  EXPECT_TRUE(exchange->is_congested());
  exchange->finish();
  const std::string all = client.read_until([](const std::string& t) { return t.ends_with("0\r\n\r\n"); });
  EXPECT_GT(all.size(), std::size_t{24} << 20);
  EXPECT_EQ(service_.wait_for_statuses(1), std::vector<int>{200});
  EXPECT_TRUE(is_relieved);
  EXPECT_FALSE(exchange->is_congested());
}

TEST_F(ServerTest, SaysThatItIsStillThere) {
  start({.heartbeat = milliseconds(50)});
  Client client(port());
  client.send_all(get("/hold"));
  const auto exchange = service_.take_held();
  exchange->start_stream({.content_type = "text/event-stream"});
  EXPECT_NE(client.read_until([](const std::string& t) { return t.find(": still here\n\n") != std::string::npos; })
                .find(": still here"),
            std::string::npos);
}

TEST_F(ServerTest, WhatTheServiceForgetsIsAnError) {
  start();
  Client client(port());
  client.send_all(get("/drop") + get("/throw") + get("/fine"));
  EXPECT_EQ(status_of(client.read_answer()), 500);
  const std::string thrown = client.read_answer();
  EXPECT_EQ(status_of(thrown), 500);
  EXPECT_TRUE(thrown.ends_with("thrown on purpose"));
  EXPECT_EQ(status_of(client.read_answer()), 200);
  Client cut(port());
  cut.send_all(get("/hold"));
  auto exchange = service_.take_held();
  exchange->start_stream({.content_type = "text/plain"});
  exchange->write("half");
  exchange.reset();
  EXPECT_TRUE(cut.read_to_close().ends_with("4\r\nhalf\r\n"));  // no last chunk: the client knows
}

TEST_F(ServerTest, StopsAcceptingAndFinishesWhatRuns) {
  start();
  Client idle(port()), busy(port());
  idle.send_all(get("/1"));
  EXPECT_EQ(status_of(idle.read_answer()), 200);
  busy.send_all(get("/hold"));
  const auto exchange = service_.take_held();
  server_->stop_accepting();
  EXPECT_EQ(idle.read_to_close(), "");
  EXPECT_EQ(server_->num_exchanges(), 1);
  exchange->respond({.body = "done"});
  EXPECT_TRUE(busy.read_to_close().ends_with("done"));
  EXPECT_TRUE(busy.is_closed());
}

TEST_F(ServerTest, RefusesConnectionsBeyondItsLimit) {
  start({.max_connections = 2});
  Client a(port()), b(port());
  a.send_all(get("/a"));
  b.send_all(get("/b"));
  EXPECT_EQ(status_of(a.read_answer()), 200);
  EXPECT_EQ(status_of(b.read_answer()), 200);
  Client c(port());
  const std::string answer = c.read_to_close();
  EXPECT_EQ(status_of(answer), 503);
  EXPECT_NE(answer.find("retry-after-ms: "), std::string::npos);
}

TEST_F(ServerTest, ALargeBodyGoesToItsSink) {
  start();
  Client client(port());
  client.send_all(post("/sink", std::string(5'000'000, 'a')));
  EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\n5000000 bytes"));
  client.send_all(post("/sink", "") + post("/sink", "abc") + get("/after"));
  EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\n0 bytes"));
  EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\n3 bytes"));
  EXPECT_TRUE(client.read_answer().ends_with("GET /after? "));
  client.send_all("POST /sink HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\n3 bytes"));
  client.send_all(post("/sink", std::string(9 << 20, 'a')));
  EXPECT_EQ(status_of(client.read_answer()), 413);
}

TEST_F(ServerTest, ASinkMayRefuseAndAClientMayLeaveIt) {
  start();
  Client refused(port());
  refused.send_all(post("/sink", std::string(300'000, 'a') + 'x' + std::string(300'000, 'a')));
  EXPECT_EQ(status_of(refused.read_answer()), 507);
  Client gone(port());
  gone.send_all("POST /sink HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nabc");
  gone.leave();
  Client open(port());
  open.send_all("POST /sink HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nabc");
  Client other(port());
  other.send_all(get("/after"));
  EXPECT_EQ(status_of(other.read_answer()), 200);
  server_.reset();
}

TEST_F(ServerTest, ABodyThatComesTooSlowlyIsNotWaitedFor) {
  start({.body_timeout = milliseconds(100)});
  Client client(port());
  client.send_all("POST /sink HTTP/1.1\r\nhost: here\r\ncontent-length: 100\r\n\r\nabc");
  EXPECT_EQ(client.read_to_close(), "");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, MayGoWhileAnswersAreDue) {
  start();
  Client client(port());
  client.send_all(get("/hold"));
  const auto exchange = service_.take_held();
  server_.reset();
  EXPECT_TRUE(exchange->is_gone());
  exchange->start_stream({});
  exchange->write("nobody");
  exchange->finish();
  EXPECT_EQ(client.read_to_close(), "");
}

TEST_F(ServerTest, NamesTheAddressThatItCannotHave) {
  start();
  try {
    const Server second(service_, {.port = port()});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_EQ(e.where(), "127.0.0.1:" + std::to_string(port()));
  }
  EXPECT_THROW(Server(service_, {.host = "nowhere", .port = 0}), Error);
}

TEST(HeadText, GivesNoLengthWithNotModified) {
  EXPECT_NE(head_text({.status = 200}, "id", 0, true).find("content-length: 0"), std::string::npos);
  EXPECT_EQ(head_text({.status = 304}, "id", 0, true).find("content-length"), std::string::npos);
}

}  // namespace
}  // namespace onggi::http
