// Whatever bytes a client sends, each answer is an HTTP answer below 500, and the server goes on. Not a libFuzzer
// program: clang-14 can't compile Boost 1.74's coroutines. ONGGI_HOSTILE_REQUESTS says how many.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "onggi/http/server.h"

namespace onggi::http {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMaxBodyBytes = 1 << 12;

class Echo : public Service {
 public:
  Admission admit(const Head& head) override {
    if (head.path.starts_with("/secret")) return {0, Response{.status = 401, .body = "no"}};
    return {.max_body_bytes = kMaxBodyBytes, .refusal = {}};
  }
  void handle(std::shared_ptr<Exchange> exchange) override {
    const auto& request = exchange->request();
    EXPECT_LE(request.body.size(), static_cast<std::size_t>(kMaxBodyBytes));
    if (!request.path.starts_with("/s")) return exchange->respond({.body = request.body});
    exchange->start_stream({.content_type = "text/event-stream"});
    exchange->write("data: 1\n\n");
    exchange->finish();
  }
  Response protocol_error(int status, std::string_view message) override {
    return {.status = status, .body = std::string(message)};
  }
  void finished(const Record& record) override { EXPECT_LT(record.status, 500); }
};

/// What the server says to these bytes, to its end.
std::string answer_to(int port, std::string_view bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const linger now{.l_onoff = 1, .l_linger = 0};  // or thousands of connections wait for their last packets
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  while (!bytes.empty()) {
    const auto count = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) break;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  shutdown(fd, SHUT_WR);
  std::string answer;
  char space[4096];
  for (ssize_t count = 0; (count = recv(fd, space, sizeof space, 0)) > 0;)
    answer.append(space, static_cast<std::size_t>(count));
  close(fd);
  return answer;
}

constexpr std::array<std::string_view, 8> kSeeds = {
    "POST /secret HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabcPOST /a HTTP/1.1\r\nhost: h\r\ncontent-length: "
    "2\r\n\r\nok",
    "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabcGET /s?x=1 HTTP/1.1\r\nhost: h\r\n\r\n",
    "POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: "
    "v\r\n\r\n",
    "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /secret HTTP/1.0\r\nx-request-id: a\r\nconnection: keep-alive\r\n\r\n",
    "HEAD /%2e%2e HTTP/1.1\r\nhost: [::1]:80\r\naccept: a\r\n b\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n",
    "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 18446744073709551616\r\n\r\n"};
constexpr std::array<std::string_view, 14> kPieces = {"\r\n",
                                                      "\n",
                                                      "\r",
                                                      ":",
                                                      " ",
                                                      "\t",
                                                      "0",
                                                      "ffffffffffffffff",
                                                      "content-length: ",
                                                      "transfer-encoding: chunked\r\n",
                                                      "HTTP/1.1",
                                                      "connection: close\r\n",
                                                      "\x80\xff",
                                                      "upgrade: h2c\r\nconnection: upgrade\r\n"};

std::string hostile(std::mt19937_64& random) {
  const auto below = [&](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  std::string text(kSeeds[below(kSeeds.size())]);
  for (std::size_t edits = 1 + below(6); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0: text.insert(at, kPieces[below(kPieces.size())]); break;
      case 1: text.insert(at, 1, static_cast<char>(random())); break;
      case 2: text.erase(at, 1 + below(8)); break;
      case 3: text += std::string(kSeeds[below(kSeeds.size())]).substr(below(20)); break;
      case 4: text.insert(at, 1 + below(9000), static_cast<char>('a' + below(26))); break;
      default: text.resize(at);
    }
  }
  return text;
}

TEST(HostileBytes, AreAnsweredAndTheServerGoesOn) {
  Echo service;
  const Server server(service, {.port = 0,
                                .max_header_bytes = 1 << 12,
                                .header_timeout = milliseconds(300),
                                .body_timeout = milliseconds(300),
                                .idle_timeout = milliseconds(300)});
  const char* asked = std::getenv("ONGGI_HOSTILE_REQUESTS");
  const int count = asked == nullptr ? 1500 : std::atoi(asked);
  std::mt19937_64 random(7);
  for (int i = 0; i < count; ++i) {
    const std::string bytes = hostile(random);
    const std::string answer = answer_to(server.port(), bytes);
    ASSERT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 ")) << "request " << i << ": " << bytes << "\n"
                                                                   << answer;
  }
  EXPECT_TRUE(
      answer_to(server.port(), "POST /a HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
          .ends_with("\r\n\r\nok"));
}

}  // namespace
}  // namespace onggi::http
