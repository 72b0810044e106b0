#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "onggi/core/worker.h"
#include "onggi/http/server.h"

namespace onggi::server {

/// Streams a file into an exchange: a piece at a time on a worker, and none while the client is behind. Lives as long
/// as something is left to send. Confined to the worker but for its making.
class ContentSender : public std::enable_shared_from_this<ContentSender> {
 public:
  /// Throws kNotFound or kUnavailable naming the file. `worker` must outlive the exchange.
  ContentSender(const std::filesystem::path& path, std::shared_ptr<http::Exchange> exchange, Worker& worker);
  ~ContentSender();
  ContentSender(const ContentSender&) = delete;
  ContentSender& operator=(const ContentSender&) = delete;

  /// `head` says type and fields.
  void start(http::Response head);

 private:
  void send_some();
  void end();

  const std::string path_;
  std::shared_ptr<http::Exchange> exchange_;
  Worker& worker_;
  int fd_ = -1;
};

}  // namespace onggi::server
