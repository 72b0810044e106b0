#include "onggi/server/batch/batch_runner.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"
#include "onggi/server/backend.h"
#include "onggi/server/batch/batch_endpoint.h"
#include "onggi/server/batch/payer.h"

namespace onggi::server {
namespace {

/// Answers that came within this time are made durable together.
constexpr std::chrono::milliseconds kSaveInterval{200};
constexpr std::chrono::milliseconds kIdlePatience{5000};
/// After a failure that may pass: a full disk.
constexpr std::chrono::seconds kPause{5};
constexpr std::int64_t kExpiryInterval_s = 60;
constexpr std::size_t kMaxOpenBatches = 8;
constexpr std::int64_t kMaxAskedBytes = 32 << 20;
/// A line that ends with the server's fault is asked again, this often in all.
constexpr int kMaxTries = 3;

std::int64_t now_s() { return std::time(nullptr); }

/// Names and seed of a line depend on the file and the line alone, so that its answer has the same bytes each time.
std::string line_hash(const std::string& input_hash, std::string_view what) {
  return sha256_hex(input_hash + "\n" + std::string(what));
}

std::uint64_t seed_of(const std::string& input_hash, const std::string& custom_id) {
  const std::string hex = line_hash(input_hash, "seed " + custom_id);
  std::uint64_t seed = 0;
  std::from_chars(hex.data(), hex.data() + 16, seed, 16);
  return seed;
}

std::string id_of(const std::string& input_hash, std::int64_t line) {
  return line_hash(input_hash, "line " + std::to_string(line)).substr(0, 24);
}

std::string text_json(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string answer_text(const std::string& id, const std::string& custom_id, int status, const std::string& body) {
  return "{\"id\":\"batch_req_" + id + "\",\"custom_id\":" + text_json(custom_id) +
         ",\"response\":{\"status_code\":" + std::to_string(status) + ",\"request_id\":\"req_" + id +
         "\",\"body\":" + body + "},\"error\":null}";
}

std::string late_text(const std::string& id, const std::string& custom_id) {
  return "{\"id\":\"batch_req_" + id + "\",\"custom_id\":" + text_json(custom_id) +
         ",\"response\":null,\"error\":{\"code\":\"batch_expired\",\"message\":\"The line was not answered before the "
         "batch's completion window ended.\"}}";
}

metrics::Counter& lines_of(const Backend& backend, const char* result) {
  return backend.metrics.registry.counter("onggi_batch_lines_total", "Lines of batches answered since the start.",
                                          {{"result", result}});
}

}  // namespace

BatchRunner::BatchRunner(Backend& backend, BatchStore& store, const BatchFolder& folder, BatchRunnerOptions options,
                         std::function<void(const std::string&)> log)
    : backend_(backend),
      store_(store),
      folder_(folder),
      options_(options),
      log_(std::move(log)),
      completed_lines_(lines_of(backend, "completed")),
      failed_lines_(lines_of(backend, "failed")),
      open_lines_(backend.metrics.registry.gauge("onggi_batch_lines_open", "Lines of batches on their way.")),
      open_batches_(backend.metrics.registry.gauge("onggi_batches_open", "Batches that are being worked on.")) {
  thread_ = std::thread([this] { run(); });
}

void BatchRunner::notify() {
  has_news_ = true;
  inbox_->notify();
}

void BatchRunner::stop() {
  is_stopping_ = true;
  inbox_->notify();
  if (thread_.joinable()) thread_.join();
}

void BatchRunner::log_event(const std::string& batch_id, const std::string& event, const std::string& reason) {
  Json json = {{"batch", batch_id}, {"event", event}};
  if (!reason.empty()) json["reason"] = reason;
  log_(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void BatchRunner::run() {
  while (!is_stopping_) {
    try {
      work();
    } catch (const std::exception& e) {  // Of the store, or out of memory: what is open is opened anew.
      log_event("", "interrupted", e.what());
      for (auto& [id, open] : open_) give_up(open);
      open_.clear();
      has_news_ = true;
      inbox_->take(kIdlePatience);
    }
  }
  take_answers(inbox_->take(std::chrono::milliseconds(0)));
  for (auto& [id, open] : open_) {
    if (open.run && open.run->is_running()) guarded(open, [&run = *open.run] { run.save(); });
    give_up(open);
  }
}

void BatchRunner::work() {
  if (has_news_.exchange(false) || Clock::now() >= looks_again_) open_batches();
  ask_lines();
  auto patience = lacks_room_ && make_room() ? std::chrono::milliseconds(0) : kIdlePatience;
  for (const auto& [id, open] : open_) {
    const bool is_busy = open.run ? open.run->is_validating() || open.is_expiring || open.run->is_answered()
                                  : open.rests_until <= Clock::now();
    if (is_busy) patience = std::chrono::milliseconds(0);
    if (open.run && open.run->has_unsaved()) patience = std::min(patience, kSaveInterval);
    if (open.wait && may_ask()) patience = std::min(patience, *open.wait);  // Else an answer comes first.
  }
  take_answers(inbox_->take(patience));
  for (auto& [id, open] : open_) guarded(open, [this, &o = open] { advance(o); });
  const auto num_gone = std::erase_if(open_, [](const auto& entry) {
    const Open& open = entry.second;
    return open.run ? open.run->is_done() : !open.batch.is_active();
  });
  if (num_gone > 0) has_news_ = true;  // Others may wait for the place.
  open_batches_.set(static_cast<double>(open_.size()));
  remove_expired_files();
}

/// Whether there is something to do for a batch that is not open.
bool BatchRunner::may_go_on(const BatchRecord& batch, std::int64_t time) const {
  return batch.status != batch_status::kInProgress || batch.expires_at <= time ||
         payer_of(backend_.options.keys.get(), batch.owner).obstacle.empty();
}

void BatchRunner::open_batches() {
  const auto time = now_s();
  lacks_room_ = false;
  looks_again_ = Clock::time_point::max();
  for (BatchRecord& batch : store_.active_batches()) {
    const auto found = open_.find(batch.id);
    if (found != open_.end()) {
      if (found->second.run) found->second.run->refresh();
    } else if (!may_go_on(batch, time)) {
      looks_again_ = Clock::now() + kIdlePatience;
    } else if (open_.size() < kMaxOpenBatches || batch.status == batch_status::kCancelling) {
      Open& open = open_[batch.id];
      open.batch = std::move(batch);
    } else {
      lacks_room_ = true;
    }
  }
}

/// A batch that waits for its owner's key, with no line on its way, leaves its place to one that could go on. False
/// where there is none.
bool BatchRunner::make_room() {
  const auto found = std::ranges::find_if(open_, [&](const auto& entry) {
    const auto is_of_it = [&](const auto& asked) { return asked.second.batch_id == entry.first; };
    return entry.second.wait && std::ranges::none_of(asked_, is_of_it);
  });
  if (found == open_.end()) return false;
  Open& open = found->second;
  guarded(open, [&] { open.run->save(); });
  give_up(open);
  open_.erase(found);
  return has_news_ = true;
}

void BatchRunner::complain(Open& open, const std::string& event, const std::string& reason) {
  if (open.complaint != reason) log_event(open.batch.id, event, reason);
  open.complaint = reason;
}

/// Runs what may fail for one batch without touching the others.
void BatchRunner::guarded(Open& open, const std::function<void()>& action) {
  std::string reason;
  bool may_pass = true;
  try {
    return action();
  } catch (const Error& e) {
    reason = e.what();
    may_pass = e.code() != ErrorCode::kNotFound && e.code() != ErrorCode::kCorrupt;
  } catch (const std::exception& e) {
    reason = e.what();
  }
  give_up(open);
  open.rests_until = Clock::now() + kPause;
  complain(open, may_pass ? "waits" : "failed", reason);
  if (!may_pass) fail(open.batch, reason);
}

void BatchRunner::fail(BatchRecord batch, const std::string& reason) {
  try {
    const auto stored = store_.find_batch(batch.id);
    if (!stored) return;
    batch = *stored;
    const std::string from = batch.status;
    batch.errors = Json::array({fault_json({"internal_error", reason, "", 0})});
    batch.move_to(batch_status::kFailed, now_s());
    store_.advance(batch, from);
    open_.at(batch.id).batch = batch;
  } catch (const std::exception& e) {
    log_event(batch.id, "waits", e.what());
  }
}

/// Its lines are not wanted any more.
void BatchRunner::drop_lines(const Open& open) {
  std::erase_if(asked_, [&](const auto& entry) {
    const Asked& asked = entry.second;
    if (asked.batch_id != open.batch.id) return false;
    asked_bytes_ -= asked.num_bytes;
    if (const auto exchange = asked.exchange.lock()) exchange->cancel();
    return true;
  });
  open_lines_.set(static_cast<double>(asked_.size()));
}

/// Forgets what is not saved of a batch.
void BatchRunner::give_up(Open& open) {
  drop_lines(open);
  open.run.reset();
  open.next.reset();
  open.wait.reset();
}

void BatchRunner::reopen(Open& open) {
  const auto stored = store_.find_batch(open.batch.id);
  require(stored.has_value(), "the batch is not in the store any more", ErrorCode::kNotFound, open.batch.id);
  open.batch = *stored;
  const std::string base = backend_.models.find("").content_hash;
  const bool is_of_other_base = stored->status == batch_status::kInProgress && stored->base_hash != base;
  require(!is_of_other_base || stored->expires_at <= now_s(),
          "another base model has answered its first lines; serve that one, or cancel the batch",
          ErrorCode::kUnavailable, open.batch.id);
  open.run = std::make_unique<BatchRun>(store_, folder_, *stored, options_.limits);
  open.complaint.clear();
}

/// One step of whatever the batch's status asks for.
void BatchRunner::advance(Open& open) {
  if (Clock::now() < open.rests_until) return;
  if (!open.run) reopen(open);
  BatchRun& run = *open.run;
  const std::string before = run.batch().status;
  const auto time = now_s();
  if (before == batch_status::kCancelling) {
    run.cancel(time);
  } else if (before == batch_status::kFinalizing) {
    run.complete(time);
  } else if (run.is_validating()) {  // Even too late: its lines are known then, and each is told so.
    run.validate_some(backend_.models.find("").content_hash, time);
  } else if (run.batch().expires_at <= time) {
    expire(open, time);
  } else if (run.is_answered()) {
    run.complete(time);
  } else if (Clock::now() - open.saved_at >= kSaveInterval) {
    run.save();
    open.saved_at = Clock::now();
  }
  if (!open.run) return;
  if (run.batch().status != before) log_event(open.batch.id, run.batch().status);
  if (run.is_done()) drop_lines(open);
}

void BatchRunner::expire(Open& open, std::int64_t time) {
  if (open.is_expiring) {
    open.run->expire_some(time, [&](const OpenLine& line) {
      return late_text(id_of(open.run->input_hash(), line.number), line.content.custom_id);
    });
    return;
  }
  if (open.run->is_running()) open.run->save();
  give_up(open);  // Opened anew, it has no line on its way.
  open.is_expiring = true;
}

bool BatchRunner::ask_next(Open& open) {
  open.wait.reset();
  if (!open.run || !open.run->is_running() || open.is_expiring) return false;
  // Read before the budget is looked at: a batch with nothing left to ask does not wait for it.
  if (!open.next) open.next = open.run->next_line();
  if (!open.next) return false;
  const Payer payer = payer_of(backend_.options.keys.get(), open.batch.owner);
  if (!payer.obstacle.empty()) {
    open.wait = payer.retry_after_ms > 0 ? std::chrono::milliseconds(payer.retry_after_ms) : kIdlePatience;
    complain(open, "waits", payer.obstacle);
    return false;
  }
  ask(open, *std::exchange(open.next, std::nullopt), 1);
  return true;
}

void BatchRunner::ask(const Open& open, OpenLine line, int num_tries) {
  const BatchRecord& batch = open.run->batch();
  const std::string& input = open.run->input_hash();
  const BatchEndpoint* endpoint = find_endpoint(batch.endpoint);
  require(endpoint != nullptr, "the batch's endpoint is not served any more", ErrorCode::kUnavailable, batch.id);
  http::Request request;
  request.method = "POST";
  request.path = batch.endpoint;
  request.id = "req_" + id_of(input, line.number);
  request.body = line.content.body;
  const std::uint64_t ticket = ++num_tickets_;
  const auto exchange = std::make_shared<LineExchange>(std::move(request), ticket, inbox_);
  const Payer payer = payer_of(backend_.options.keys.get(), batch.owner);
  LineTerms terms{.created = batch.created_at, .seed = seed_of(input, line.content.custom_id), .record = nullptr};
  if (payer.caller) {
    // What the line did not use of the budget is given back after its answer: that is news too.
    terms.record = std::make_shared<CallRecord>(
        payer.caller, [inbox = inbox_](const CallRecord&, const CallFacts&) { inbox->notify(); });
  }
  const std::int64_t num_bytes = endpoint->num_bytes(backend_, line.content.body);
  asked_bytes_ += num_bytes;
  asked_[ticket] = {batch.id, std::move(line), exchange, num_tries, num_bytes};
  open_lines_.set(static_cast<double>(asked_.size()));
  endpoint->answer(backend_, exchange, terms);
}

bool BatchRunner::may_ask() const {
  return !is_stopping_ && asked_.size() < static_cast<std::size_t>(options_.lines_at_once) &&
         asked_bytes_ < kMaxAskedBytes;
}

/// A line of each batch in turn, as many as may be on their way.
void BatchRunner::ask_lines() {
  std::size_t num_without = 0;
  auto it = open_.upper_bound(last_asked_);
  while (may_ask() && num_without < open_.size()) {
    if (it == open_.end()) it = open_.begin();
    bool has_asked = false;
    guarded(it->second, [&] { has_asked = ask_next(it->second); });
    num_without = has_asked ? 0 : num_without + 1;
    if (has_asked) last_asked_ = it->first;
    ++it;
  }
}

void BatchRunner::take_answers(std::vector<LineInbox::Item> items) {
  constexpr int kOk = 200;
  constexpr int kServerFault = 500;
  for (auto& item : items) {
    auto asked = asked_.extract(item.ticket);
    if (asked.empty()) continue;
    Asked& line = asked.mapped();
    asked_bytes_ -= line.num_bytes;
    Open& open = open_.at(line.batch_id);
    guarded(open, [&] {
      if (item.status >= kServerFault && is_stopping_) return;
      if (item.status >= kServerFault && line.num_tries < kMaxTries)
        return ask(open, std::move(line.line), line.num_tries + 1);
      const bool is_error = item.status != kOk;
      const std::string id = id_of(open.run->input_hash(), line.line.number);
      open.run->put({line.line.number, is_error, answer_text(id, line.line.content.custom_id, item.status, item.body)});
      (is_error ? failed_lines_ : completed_lines_).add();
    });
  }
  open_lines_.set(static_cast<double>(asked_.size()));
}

void BatchRunner::remove_expired_files() {
  const auto time = now_s();
  if (time - files_looked_at_ < kExpiryInterval_s) return;
  files_looked_at_ = time;
  for (const FileRecord& file : store_.expired_files(time)) {
    std::string user;
    if (store_.remove_file(file.id, user) != BatchStore::Removal::kRemoved) continue;
    std::error_code error;
    std::filesystem::remove(folder_.file(file.id), error);
  }
}

}  // namespace onggi::server
