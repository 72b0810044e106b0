#include "onggi/core/line_writer.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "onggi/core/error.h"

namespace onggi {
namespace {

int open_to_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

}  // namespace

LineWriter::LineWriter(Options options) : options_(std::move(options)) {
  fd_ = options_.path.empty() ? STDERR_FILENO : open_to_append(options_.path);
  require(
      fd_ >= 0, [&] { return std::string("can't write the log: ") + std::strerror(errno); }, ErrorCode::kUnavailable,
      options_.path);
  require(pipe2(wake_, O_CLOEXEC) == 0, "no pipe for the log's thread", ErrorCode::kUnavailable);
  thread_ = std::thread([this] { run(); });
}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    stops_at_ = std::chrono::steady_clock::now() + options_.last_words;
  }
  close(wake_[1]);
  changed_.notify_one();
  thread_.join();
  close(wake_[0]);
  if (fd_ >= 0 && fd_ != STDERR_FILENO) close(fd_);
}

void LineWriter::write(std::string line) {
  line += '\n';
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ + line.size() > options_.max_queued_bytes) {
      ++num_dropped_;
      return;
    }
    queued_bytes_ += line.size();
    queue_.push_back(std::move(line));
  }
  changed_.notify_one();
}

void LineWriter::reopen() {
  {
    const std::lock_guard lock(mutex_);
    must_reopen_ = true;
  }
  changed_.notify_one();
}

void LineWriter::open() {
  if (options_.path.empty()) return;
  const int fresh = open_to_append(options_.path);
  if (fresh < 0) return;
  close(fd_);
  fd_ = fresh;
}

/// False where the writer is to end and its time is over.
bool LineWriter::wait_for_room() {
  bool is_stopping = false;
  while (true) {
    int timeout_ms = -1;
    if (is_stopping) {
      const auto left = stops_at_ - std::chrono::steady_clock::now();
      timeout_ms = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
      if (timeout_ms <= 0) return false;
    }
    pollfd waits[2] = {{fd_, POLLOUT, 0}, {wake_[0], POLLIN, 0}};
    const int count = poll(waits, is_stopping ? 1 : 2, timeout_ms);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0 && waits[0].revents != 0) return true;
    if (count > 0 && waits[1].revents != 0) {
      const std::lock_guard lock(mutex_);  // stops_at_ is there
      is_stopping = true;
    }
  }
}

/// False where a part of it did not go out.
bool LineWriter::write_all(const std::string& text) {
  // A pipe that has room takes this much without blocking.
  constexpr std::size_t kMostBytes = PIPE_BUF;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (!wait_for_room()) return false;
    const auto count = ::write(fd_, rest.data(), std::min(rest.size(), kMostBytes));
    if (count < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void LineWriter::run() {
  while (true) {
    std::string line;
    bool must_reopen = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return is_stopping_ || must_reopen_ || !queue_.empty(); });
      if (queue_.empty() && is_stopping_) return;
      must_reopen = std::exchange(must_reopen_, false);
      if (!queue_.empty()) {
        line = std::move(queue_.front());
        queue_.pop_front();
      }
    }
    if (must_reopen) open();
    const bool is_out = write_all(line);
    const std::lock_guard lock(mutex_);
    queued_bytes_ -= line.size();
    if (is_out) continue;
    ++num_dropped_;
    if (!is_stopping_ || std::chrono::steady_clock::now() < stops_at_) continue;
    num_dropped_ += static_cast<std::int64_t>(queue_.size());
    return;
  }
}

}  // namespace onggi
