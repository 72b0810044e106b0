#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "onggi/core/line_writer.h"
#include "onggi/http/server.h"
#include "onggi/server/backend.h"
#include "onggi/server/call_record.h"

namespace onggi::server {

struct Route;

/// The OpenAI-compatible API over one engine: finds the route, and who may take it.
class Service : public http::Service {
 public:
  /// `log` is given a JSON line a call; null: none is written. `backend` must outlive this, `log` the engine too: a
  /// call may end with its work.
  Service(Backend& backend, LineWriter* log);

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
  /// Whether a key is asked for there.
  bool is_guarded(const Route& route) const;
  /// Whose key the request has; null: none that is known.
  std::shared_ptr<const Caller> caller_of(const http::Head& head) const;
  std::shared_ptr<CallRecord> new_record(std::shared_ptr<const Caller> caller) const;

  Backend& backend_;
  LineWriter* const log_;
  /// Of the calls whose answer is not out yet. On the I/O thread.
  std::unordered_map<const http::Request*, std::shared_ptr<CallRecord>> open_;
};

}  // namespace onggi::server
