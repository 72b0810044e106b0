#include "onggi/server/batch/content_sender.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi::server {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;
/// Others that need the worker have their turn after this many pieces.
constexpr int kPiecesAtOnce = 16;

}  // namespace

ContentSender::ContentSender(const std::filesystem::path& path, std::shared_ptr<http::Exchange> exchange,
                             Worker& worker)
    : path_(path.string()),
      exchange_(std::move(exchange)),
      worker_(worker),
      fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  require(
      fd_ >= 0, [&] { return "can't read: " + std::string(std::strerror(errno)); },
      errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable, path_);
}

ContentSender::~ContentSender() { ::close(fd_); }

void ContentSender::start(http::Response head) {
  exchange_->start_stream(std::move(head));
  // The callback keeps this alive while the client is behind; end() lets go of it.
  exchange_->on_relieved([self = shared_from_this()] { self->worker_.post([self] { self->send_some(); }); });
  send_some();
}

void ContentSender::send_some() {
  for (int i = 0; i < kPiecesAtOnce; ++i) {
    if (!exchange_) return;
    if (exchange_->is_gone()) return end();
    if (exchange_->is_congested()) return;
    std::string piece(kPieceBytes, '\0');
    const ssize_t count = ::read(fd_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return end();  // The exchange is dropped unfinished: the client sees that the body broke off.
    if (count == 0) {
      exchange_->finish();
      return end();
    }
    piece.resize(static_cast<std::size_t>(count));
    exchange_->write(std::move(piece));
  }
  worker_.post([self = shared_from_this()] { self->send_some(); });
}

void ContentSender::end() {
  const auto exchange = std::move(exchange_);
  exchange->on_relieved(nullptr);
}

}  // namespace onggi::server
