#include "onggi/server/batch/line_exchange.h"

#include "onggi/server/api_error.h"

namespace onggi::server {

void LineInbox::put(Item item) {
  {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  changed_.notify_one();
}

void LineInbox::notify() {
  {
    const std::lock_guard lock(mutex_);
    is_notified_ = true;
  }
  changed_.notify_one();
}

std::vector<LineInbox::Item> LineInbox::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return is_notified_ || !items_.empty(); });
  is_notified_ = false;
  return std::exchange(items_, {});
}

LineExchange::~LineExchange() {
  try {
    respond(error_response(ApiError(500, "the line was not answered")));
  } catch (const std::exception&) {  // Out of memory: the line is asked again after the next start.
  }
}

void LineExchange::cancel() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (is_gone_.exchange(true)) return;
    callback = std::exchange(gone_, nullptr);
  }
  if (callback) callback();
}

void LineExchange::respond(http::Response response) {
  if (is_gone() || is_answered_.exchange(true)) return;
  inbox_->put({ticket_, response.status, std::move(response.body)});
}

void LineExchange::start_stream(http::Response /*head*/) {
  respond(error_response(ApiError(500, "a batch's line was answered as a stream")));
}

void LineExchange::on_gone(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_gone()) {
      gone_ = std::move(callback);
      return;
    }
  }
  callback();
}

}  // namespace onggi::server
