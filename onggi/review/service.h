#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "onggi/core/worker.h"
#include "onggi/http/server.h"
#include "onggi/review/desk.h"
#include "onggi/review/people.h"

namespace onggi::review {

struct ServiceOptions {
  People people;
  /// What the Host field of a request may be, without its port; empty: anything. A page of another site that points a
  /// name of its own at this machine is told apart by it.
  std::vector<std::string> hosts;
  std::string guidelines;  ///< File; empty: none. Read anew when it changes.
  std::int64_t max_body_bytes = 1 << 20;
};

/// The review page and its API over one desk. The desk is used on one thread of the service's own, from the making of
/// the service to its end.
class Service : public http::Service {
 public:
  /// Both must outlive this.
  Service(Desk& desk, ServiceOptions options);
  ~Service() override;

  http::Admission admit(const http::Head& head) override;
  void handle(std::shared_ptr<http::Exchange> exchange) override;
  http::Response protocol_error(int status, std::string_view message) override;
  void finished(const http::Record&) override {}
  /// Ends the event streams, so that the server can end.
  void stop();

 private:
  struct Route;
  struct Call;
  struct Stream {
    std::shared_ptr<http::Exchange> exchange;
    Person person;
  };
  static const std::vector<Route>& routes();
  const Route* find_route(const http::Head& head, bool& is_path_known) const;
  std::unique_ptr<Person> person_of(const http::Head& head) const;
  void open_stream(const Call& call);
  void tell_all();
  void tick(std::stop_token stop);
  void look_around();
  void read_guidelines();

  Desk& desk_;
  const ServiceOptions options_;
  // Of the worker's thread:
  std::vector<Stream> streams_;
  std::int64_t told_seq_ = -1;
  std::string told_guideline_, seen_guidelines_;
  bool is_stopped_ = false;
  Worker worker_;
  std::mutex mutex_;
  std::condition_variable_any tick_;
  std::jthread ticker_;  ///< Last: ends first.
};

}  // namespace onggi::review
