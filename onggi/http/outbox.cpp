#include "onggi/http/outbox.h"

namespace onggi::http {

void Outbox::put(std::string_view bytes) {
  pending_ += bytes;
  queued_bytes_ += static_cast<std::int64_t>(bytes.size());
  if (queued_bytes_ > max_queued_bytes_) is_congested_.store(true, std::memory_order_release);
}

void Outbox::wake() {
  if (is_woken_) return;
  is_woken_ = true;
  wake_();
}

void Outbox::respond(const Response& response) {
  const std::lock_guard lock(mutex_);
  if (is_gone() || has_started_) return;
  has_started_ = has_finished_ = true;
  status_ = response.status;
  put(head_text(response, request_.id, static_cast<std::int64_t>(response.body.size()), keeps_alive_));
  if (request_.method != "HEAD") put(response.body);
  wake();
}

void Outbox::start_stream(const Response& head) {
  const std::lock_guard lock(mutex_);
  if (is_gone() || has_started_) return;
  has_started_ = true;
  status_ = head.status;
  is_event_stream_ = head.content_type.starts_with("text/event-stream");
  put(head_text(head, request_.id, is_chunked_ ? kChunked : kUntilClose, keeps_alive_));
  wake();
}

void Outbox::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (is_gone() || !has_started_ || has_finished_ || bytes.empty()) return;
  put(is_chunked_ ? chunk_text(bytes) : std::string(bytes));
  wake();
}

void Outbox::finish() {
  const std::lock_guard lock(mutex_);
  if (is_gone() || !has_started_ || has_finished_) return;
  has_finished_ = true;
  if (is_chunked_) put("0\r\n\r\n");
  wake();
}

void Outbox::abandon(const Response& failure) {
  {
    const std::lock_guard lock(mutex_);
    if (is_gone() || has_finished_) return;
    if (has_started_) {
      has_finished_ = is_cut_ = true;
      wake();
      return;
    }
  }
  respond(failure);
}

void Outbox::on_gone(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_gone()) {
      gone_ = std::move(callback);
      return;
    }
  }
  callback();
}

void Outbox::on_relieved(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  relieved_ = std::move(callback);
}

Outbox::Batch Outbox::take() {
  const std::lock_guard lock(mutex_);
  is_woken_ = false;
  return {std::exchange(pending_, {}), has_finished_, is_cut_};
}

void Outbox::sent(std::int64_t num_bytes) {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    queued_bytes_ -= num_bytes;
    if (is_congested() && queued_bytes_ <= max_queued_bytes_ / 2) {
      is_congested_.store(false, std::memory_order_release);
      callback = relieved_;
    }
  }
  if (callback) callback();
}

void Outbox::mark_gone() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (is_gone()) return;
    is_gone_.store(true, std::memory_order_release);
    is_congested_.store(false, std::memory_order_release);
    pending_.clear();
    callback = std::exchange(gone_, nullptr);
    relieved_ = nullptr;
  }
  if (callback) callback();
}

void Outbox::heartbeat() {
  const std::lock_guard lock(mutex_);
  if (is_gone() || !is_event_stream_ || has_finished_ || queued_bytes_ > 0) return;
  constexpr std::string_view kComment = ": still here\n\n";
  put(is_chunked_ ? chunk_text(kComment) : std::string(kComment));
  wake();
}

bool Outbox::has_ended() {
  const std::lock_guard lock(mutex_);
  return is_gone() || has_finished_;
}

}  // namespace onggi::http
