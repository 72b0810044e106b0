#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "onggi/http/server.h"
#include "onggi/server/backend.h"

namespace onggi::server {

struct Route;

/// The OpenAI-compatible API over one engine: finds the route, and who may take it.
class Service : public http::Service {
 public:
  /// `log` is given one JSON line a request; it is called on the I/O thread. `backend` must outlive this.
  Service(Backend& backend, std::function<void(const std::string&)> log) : backend_(backend), log_(std::move(log)) {}

  http::Admission admit(const http::Head& head) override;
  void handle(std::shared_ptr<http::Exchange> exchange) override;
  http::Response protocol_error(int status, std::string_view message) override;
  void finished(const http::Record& record) override;

  /// From now on new work is refused with 503; /ready says so.
  void drain() { backend_.is_draining = true; }

 private:
  struct Found {
    const Route* route = nullptr;  ///< Null: nothing is there ...
    bool is_path_known = false;    ///< ... for this method.
    std::vector<std::string> captured;
  };
  Found find_route(const http::Head& head) const;
  bool has_key(const http::Head& head) const;

  Backend& backend_;
  const std::function<void(const std::string&)> log_;
};

}  // namespace onggi::server
