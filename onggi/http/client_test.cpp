#include "onggi/http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <list>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace onggi::http {
namespace {

using std::chrono::milliseconds;

/// Listens on a port of its own and gives each connection to a script.
class ScriptServer {
 public:
  using Script = std::function<void(int fd)>;

  explicit ScriptServer(Script script) : script_(std::move(script)), fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  ~ScriptServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    for (auto& connection : connections_) connection.join();
    for (const int fd : open_) close(fd);
  }
  std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int num_connections() const { return num_connections_; }

 private:
  void accept_all() {
    for (int fd = accept(fd_, nullptr, nullptr); fd >= 0; fd = accept(fd_, nullptr, nullptr)) {
      ++num_connections_;
      open_.push_back(fd);
      connections_.emplace_back([this, fd] {
        script_(fd);
        shutdown(fd, SHUT_RDWR);
      });
    }
  }

  Script script_;
  int fd_ = -1, port_ = 0;
  std::atomic<int> num_connections_ = 0;
  std::vector<int> open_;
  std::list<std::thread> connections_;
  std::thread thread_;
};

/// One whole request with its body; empty where the other side has left.
std::string read_request(int fd) {
  std::string text;
  for (;;) {
    const auto end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      const auto length = text.find("Content-Length: ");
      const auto size = length == std::string::npos ? 0 : std::stoul(text.substr(length + 16));
      if (text.size() >= end + 4 + size) return text;
    }
    char space[4096];
    const auto count = recv(fd, space, sizeof space, 0);
    if (count <= 0) return {};
    text.append(space, static_cast<std::size_t>(count));
  }
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string answer(const std::string& body, const std::string& status = "200 OK", const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\nX-Kind: One\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

/// Answers every request of a connection alike.
ScriptServer::Script always(const std::string& text) {
  return [text](int fd) {
    while (!read_request(fd).empty()) write_all(fd, text);
  };
}

/// Says `text` once, then nothing until the other side leaves.
ScriptServer::Script once(const std::string& text) {
  return [text](int fd) {
    read_request(fd);
    write_all(fd, text);
    char byte = 0;
    (void)recv(fd, &byte, 1, 0);
  };
}

TEST(Client, SendsMethodFieldsAndBodyAndReadsTheAnswer) {
  std::mutex mutex;
  std::string seen;
  ScriptServer server([&](int fd) {
    const auto request = read_request(fd);
    const std::lock_guard lock(mutex);
    seen = request;
    write_all(fd, answer("good"));
  });
  Client client;
  const auto got = client.ask(
      {.url = server.url("/v1/x?y=1"), .fields = {{"Authorization", "Bearer k"}, {"X-Empty", ""}}, .body = "{}"});
  EXPECT_TRUE(got.is_answer()) << got.message;
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "good");
  EXPECT_EQ(got.field("x-kind"), "One");
  EXPECT_EQ(got.field("x-none"), "");
  const std::lock_guard lock(mutex);
  EXPECT_TRUE(seen.starts_with("POST /v1/x?y=1 HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Authorization: Bearer k\r\n"), std::string::npos);
  EXPECT_NE(seen.find("X-Empty:"), std::string::npos);
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{}"));
}

TEST(Client, ManyRequestsShareFewConnections) {
  ScriptServer server(always(answer("x")));
  Client client({.max_connections = 4});
  std::mutex mutex;
  std::condition_variable changed;
  int num_good = 0, num_done = 0;
  for (int i = 0; i < 200; ++i) {
    client.send({.url = server.url(), .body = "{}"}, [&](ClientAnswer&& got) {
      const std::lock_guard lock(mutex);
      num_good += got.is_answer() && got.body == "x" ? 1 : 0;
      ++num_done;
      changed.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return num_done == 200; }));
  EXPECT_EQ(num_good, 200);
  EXPECT_LE(server.num_connections(), 4);
}

TEST(Client, AnswersOfAnErrorStatusAreAnswers) {
  ScriptServer server(always(answer("slow down", "429 Too Many Requests", "Retry-After: 3\r\n")));
  const auto got = Client().ask({.url = server.url()});
  EXPECT_TRUE(got.is_answer());
  EXPECT_EQ(got.status, 429);
  EXPECT_EQ(got.field("retry-after"), "3");
}

TEST(Client, FollowsNoRedirect) {
  ScriptServer other(always(answer("stolen")));
  ScriptServer server(always(answer("", "307 Temporary Redirect", "Location: " + other.url() + "\r\n")));
  const auto got = Client().ask({.url = server.url(), .fields = {{"Authorization", "Bearer k"}}, .body = "{}"});
  EXPECT_EQ(got.status, 307);
  EXPECT_EQ(other.num_connections(), 0);
}

TEST(Client, SilentSlowAndBrokenServersEndInTheirOwnWay) {
  ScriptServer silent(once("")), slow(once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"));
  ScriptServer broken(always("SMTP ready\r\n\r\n")), torn([](int fd) {
    read_request(fd);
    write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab");
  });
  Client client;
  const auto asked = [&](const std::string& url) {
    return client.ask({.url = url,
                       .body = "{}",
                       .connect_timeout = milliseconds(2000),
                       .first_byte_timeout = milliseconds(200),
                       .total_timeout = milliseconds(500)});
  };
  const auto start = std::chrono::steady_clock::now();
  const auto nothing = asked(silent.url());
  EXPECT_EQ(nothing.failure, ClientFailure::kTimeout);
  EXPECT_NE(nothing.message.find("0.2 s"), std::string::npos) << nothing.message;
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2000));
  EXPECT_EQ(asked(slow.url()).failure, ClientFailure::kTimeout);
  EXPECT_EQ(asked(broken.url()).failure, ClientFailure::kBroken);
  EXPECT_EQ(asked(torn.url()).failure, ClientFailure::kBroken);
}

TEST(Client, WhereNobodyListensItSaysSo) {
  std::string url;
  {
    ScriptServer gone(always(""));
    url = gone.url();
  }
  const auto got = Client().ask({.url = url});
  EXPECT_EQ(got.failure, ClientFailure::kConnect);
  EXPECT_FALSE(got.message.empty());
}

TEST(Client, BodiesAndHeadsAreBounded) {
  ScriptServer large(always(answer(std::string(2000, 'x'))));
  Client client;
  EXPECT_EQ(client.ask({.url = large.url(), .max_body_bytes = 1999}).failure, ClientFailure::kTooLarge);
  EXPECT_TRUE(client.ask({.url = large.url(), .max_body_bytes = 2000}).is_answer());
  std::string fields;
  for (int i = 0; i < 1000; ++i) fields += "X-" + std::to_string(i) + ": " + std::string(100, 'y') + "\r\n";
  ScriptServer long_head(always(answer("", "200 OK", fields)));
  EXPECT_EQ(client.ask({.url = long_head.url()}).failure, ClientFailure::kTooLarge);
}

TEST(Client, WhatCanNotBeSentIsRefused) {
  Client client;
  EXPECT_EQ(client.ask({.url = "file:///etc/hostname"}).failure, ClientFailure::kBadRequest);
  EXPECT_EQ(client.ask({.url = "http://"}).failure, ClientFailure::kBadRequest);
  EXPECT_EQ(client.ask({.url = "http://127.0.0.1:1/", .fields = {{"X", "a\r\nY: b"}}}).failure,
            ClientFailure::kBadRequest);
}

TEST(Client, CancellingEndsARequestAndTheNextWorks) {
  ScriptServer silent(once("")), good(always(answer("x")));
  Client client;
  std::promise<ClientAnswer> promise;
  const auto id = client.send({.url = silent.url()}, [&](ClientAnswer&& got) { promise.set_value(std::move(got)); });
  client.cancel(id);
  client.cancel(id + 100);
  EXPECT_EQ(promise.get_future().get().failure, ClientFailure::kCancelled);
  EXPECT_TRUE(client.ask({.url = good.url()}).is_answer());
}

TEST(Client, ItsEndCancelsWhatIsUnderWay) {
  ScriptServer silent(once(""));
  std::atomic<int> num_cancelled = 0;
  {
    Client client;
    for (int i = 0; i < 5; ++i) {
      client.send({.url = silent.url()},
                  [&](ClientAnswer&& got) { num_cancelled += got.failure == ClientFailure::kCancelled ? 1 : 0; });
    }
  }
  EXPECT_EQ(num_cancelled, 5);
}

}  // namespace
}  // namespace onggi::http
