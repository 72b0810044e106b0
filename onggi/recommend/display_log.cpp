#include "onggi/recommend/display_log.h"

#include <algorithm>
#include <array>
#include <map>

#include "onggi/core/error.h"
#include "onggi/core/hash.h"

namespace onggi::recommend {
namespace {

constexpr std::int32_t kApplicationId = 0x6f6e6764;  // "ongd"

/// Released steps stay as they are; a change is one more.
constexpr std::array<std::string_view, 1> kSteps = {R"(
CREATE TABLE policies (
  version INTEGER PRIMARY KEY AUTOINCREMENT, spec TEXT NOT NULL, note TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
CREATE TRIGGER policies_are_not_changed BEFORE UPDATE ON policies
  BEGIN SELECT raise(ABORT, 'a policy version never changes'); END;
CREATE TRIGGER policies_are_not_removed BEFORE DELETE ON policies
  BEGIN SELECT raise(ABORT, 'a policy version never changes'); END;
CREATE TABLE promotions (
  number INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL REFERENCES policies (version),
  is_rollback INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE arms (arm INTEGER PRIMARY KEY, theme_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE candidate_sets (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, arms TEXT NOT NULL) STRICT;
CREATE TABLE requests (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, context_hash TEXT NOT NULL,
  features TEXT NOT NULL, candidates INTEGER NOT NULL REFERENCES candidate_sets (number), slots INTEGER NOT NULL,
  version INTEGER NOT NULL REFERENCES policies (version), batch INTEGER NOT NULL) STRICT;
CREATE TABLE impressions (
  id TEXT PRIMARY KEY, request INTEGER NOT NULL REFERENCES requests (number), unit TEXT NOT NULL,
  context_hash TEXT NOT NULL, arm INTEGER NOT NULL REFERENCES arms (arm), slot INTEGER NOT NULL,
  propensity REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1),
  version INTEGER NOT NULL REFERENCES policies (version), shown_at INTEGER NOT NULL, closes_at INTEGER NOT NULL,
  counted_in INTEGER) STRICT;
CREATE INDEX impressions_by_request ON impressions (request, slot);
CREATE INDEX impressions_open ON impressions (closes_at) WHERE counted_in IS NULL;
CREATE INDEX impressions_by_batch ON impressions (counted_in) WHERE counted_in IS NOT NULL;
CREATE TABLE outcomes (
  impression_id TEXT PRIMARY KEY REFERENCES impressions (id), reward INTEGER NOT NULL CHECK (reward IN (0, 1)),
  at INTEGER NOT NULL, is_late INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE batches (number INTEGER PRIMARY KEY AUTOINCREMENT, closed_at INTEGER NOT NULL) STRICT;
CREATE TABLE counts (
  batch INTEGER NOT NULL REFERENCES batches (number), slot INTEGER NOT NULL, arm INTEGER NOT NULL,
  shown INTEGER NOT NULL, clicks INTEGER NOT NULL, PRIMARY KEY (batch, slot, arm)) STRICT, WITHOUT ROWID;
)"};

std::string features_text(const std::vector<double>& features) { return Json(features).dump(); }
std::vector<double> features_of(const std::string& text) {
  return parse_json(text, "requests.features").get<std::vector<double>>();
}

/// Of what the context is told by: the features.
std::string context_hash(const std::vector<double>& features) {
  return sha256_hex(features_text(features)).substr(0, 16);
}

constexpr std::string_view kClicked =
    "coalesce((SELECT reward FROM outcomes WHERE impression_id = impressions.id AND is_late = 0), 0)";

}  // namespace

DisplayLog::DisplayLog(const std::filesystem::path& path)
    : database_(path, {.application_id = kApplicationId, .steps = kSteps}) {
  database_.run("PRAGMA foreign_keys = ON");
}

std::int64_t DisplayLog::add_policy(const PolicySpec& spec, std::string_view note, std::int64_t now_ms) {
  spec.validate();
  auto insert = database_.prepare("INSERT INTO policies (spec, note, created_at) VALUES (?, ?, ?) RETURNING version");
  insert.bind(dump_json(to_json(spec))).bind(note).bind(now_ms).step();
  return insert.integer(0);
}

PolicyVersion DisplayLog::policy(std::int64_t version) {
  auto select = database_.prepare("SELECT version, spec, note, created_at FROM policies WHERE version = ?");
  require(
      select.bind(version).step(), [&] { return "there is no policy version " + std::to_string(version); },
      ErrorCode::kNotFound, database_.path());
  const std::string where = database_.path() + ", policy version " + std::to_string(version);
  return {select.integer(0), policy_spec(parse_json(select.text(1), where), where), select.text(2), select.integer(3)};
}

std::vector<PolicyVersion> DisplayLog::policies() {
  std::vector<std::int64_t> versions;
  auto select = database_.prepare("SELECT version FROM policies ORDER BY version");
  while (select.step()) versions.push_back(select.integer(0));
  std::vector<PolicyVersion> policies;
  for (const auto version : versions) policies.push_back(policy(version));
  return policies;
}

std::vector<Promotion> DisplayLog::promotions() {
  std::vector<Promotion> promotions;
  auto select = database_.prepare("SELECT version, is_rollback, at FROM promotions ORDER BY number");
  while (select.step()) promotions.push_back({select.integer(0), select.integer(1) != 0, select.integer(2)});
  return promotions;
}

namespace {

/// Versions that one can roll back through; the last is live.
std::vector<std::int64_t> live_stack(const std::vector<Promotion>& promotions) {
  std::vector<std::int64_t> stack;
  for (const auto& promotion : promotions) {
    if (promotion.is_rollback) {
      stack.pop_back();
    } else {
      stack.push_back(promotion.version);
    }
  }
  return stack;
}

}  // namespace

std::optional<std::int64_t> DisplayLog::live() {
  const auto stack = live_stack(promotions());
  if (stack.empty()) return std::nullopt;
  return stack.back();
}

void DisplayLog::promote(std::int64_t version, std::int64_t now_ms) {
  policy(version);
  require(
      live() != version, [&] { return "policy version " + std::to_string(version) + " is live already"; },
      ErrorCode::kInvalidArgument, database_.path());
  database_.prepare("INSERT INTO promotions (version, is_rollback, at) VALUES (?, 0, ?)")
      .bind(version)
      .bind(now_ms)
      .run();
}

std::int64_t DisplayLog::roll_back(std::int64_t now_ms) {
  const auto stack = live_stack(promotions());
  require(stack.size() >= 2, "no policy was live before this one: there is nothing to go back to", ErrorCode::kNotFound,
          database_.path());
  const std::int64_t version = stack[stack.size() - 2];
  database_.prepare("INSERT INTO promotions (version, is_rollback, at) VALUES (?, 1, ?)")
      .bind(version)
      .bind(now_ms)
      .run();
  return version;
}

int DisplayLog::arm(const std::string& theme_id) {
  if (const auto it = arms_.find(theme_id); it != arms_.end()) return it->second;
  auto select = database_.prepare("SELECT arm FROM arms WHERE theme_id = ?");
  if (select.bind(theme_id).step()) return arms_[theme_id] = static_cast<int>(select.integer(0));
  auto insert = database_.prepare(
      "INSERT INTO arms (arm, theme_id) VALUES ((SELECT coalesce(max(arm), -1) + 1 FROM arms), ?) RETURNING arm");
  insert.bind(theme_id).step();
  return arms_[theme_id] = static_cast<int>(insert.integer(0));
}

std::vector<std::string> DisplayLog::theme_ids() {
  std::vector<std::string> ids;
  auto select = database_.prepare("SELECT theme_id FROM arms ORDER BY arm");
  while (select.step()) ids.push_back(select.text(0));
  return ids;
}

int DisplayLog::candidate_set(const std::vector<int>& candidates) {
  const std::string arms = Json(candidates).dump();
  const std::string hash = sha256_hex(arms);
  if (const auto it = candidate_sets_.find(hash); it != candidate_sets_.end()) return it->second;
  constexpr std::size_t kMaxRemembered = 10'000;
  if (candidate_sets_.size() >= kMaxRemembered) candidate_sets_.clear();
  auto select = database_.prepare("SELECT number FROM candidate_sets WHERE hash = ?");
  if (select.bind(hash).step()) return candidate_sets_[hash] = static_cast<int>(select.integer(0));
  auto insert = database_.prepare("INSERT INTO candidate_sets (hash, arms) VALUES (?, ?) RETURNING number");
  insert.bind(hash).bind(arms).step();
  return candidate_sets_[hash] = static_cast<int>(insert.integer(0));
}

std::optional<SlateRecord> DisplayLog::find_slate(const std::string& request_id) {
  auto select = database_.prepare(
      "SELECT requests.number, unit, features, candidate_sets.arms, slots, version, batch FROM requests "
      "JOIN candidate_sets ON candidate_sets.number = requests.candidates WHERE id = ?");
  if (!select.bind(request_id).step()) return std::nullopt;
  SlateRecord slate{.request_id = request_id,
                    .unit = select.text(1),
                    .features = features_of(select.text(2)),
                    .candidates = parse_json(select.text(3), "candidate_sets.arms").get<std::vector<int>>(),
                    .version = select.integer(5),
                    .batch = select.integer(6),
                    .num_slots = static_cast<int>(select.integer(4))};
  auto cards = database_.prepare(
      "SELECT id, arm, propensity, shown_at, closes_at FROM impressions WHERE request = ? ORDER BY slot");
  cards.bind(select.integer(0));
  while (cards.step()) {
    slate.cards.push_back({cards.text(0), static_cast<int>(cards.integer(1)), cards.real(2)});
    slate.shown_at_ms = cards.integer(3);
    slate.closes_at_ms = cards.integer(4);
  }
  return slate;
}

SlateRecord DisplayLog::record(SlateRecord slate) {
  if (auto known = find_slate(slate.request_id)) {
    const bool is_same = known->unit == slate.unit && known->features == slate.features &&
                         known->candidates == slate.candidates && known->num_slots == slate.num_slots;
    require(is_same, [&] {
      return "request_id: \"" + slate.request_id +
             "\" was another request's: unit, features, candidates or slots differ";
    });
    return *std::move(known);
  }
  const int candidates = candidate_set(slate.candidates);
  const std::string hash = context_hash(slate.features);
  auto request = database_.prepare(
      "INSERT INTO requests (id, unit, context_hash, features, candidates, slots, version, batch) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number");
  request.bind(slate.request_id).bind(slate.unit).bind(hash).bind(features_text(slate.features));
  request.bind(std::int64_t{candidates})
      .bind(std::int64_t{slate.num_slots})
      .bind(slate.version)
      .bind(slate.batch)
      .step();
  const std::int64_t number = request.integer(0);
  auto insert = database_.prepare(
      "INSERT INTO impressions (id, request, unit, context_hash, arm, slot, propensity, version, shown_at, closes_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < slate.cards.size(); ++i) {
    const ShownCard& card = slate.cards[i];
    insert.bind(card.impression_id).bind(number).bind(slate.unit).bind(hash).bind(std::int64_t{card.arm});
    insert.bind(static_cast<std::int64_t>(i)).bind_real(card.propensity).bind(slate.version);
    insert.bind(slate.shown_at_ms).bind(slate.closes_at_ms).run();
  }
  return slate;
}

OutcomeStatus DisplayLog::record_outcome(const std::string& impression_id, bool is_clicked, std::int64_t now_ms) {
  auto known = database_.prepare("SELECT reward FROM outcomes WHERE impression_id = ?");
  if (known.bind(impression_id).step())
    return (known.integer(0) != 0) == is_clicked ? OutcomeStatus::kKnown : OutcomeStatus::kConflict;
  auto impression = database_.prepare("SELECT closes_at, counted_in FROM impressions WHERE id = ?");
  if (!impression.bind(impression_id).step()) return OutcomeStatus::kUnknown;
  const bool is_late = now_ms > impression.integer(0) || impression.optional_integer(1).has_value();
  database_.prepare("INSERT INTO outcomes (impression_id, reward, at, is_late) VALUES (?, ?, ?, ?)")
      .bind(impression_id)
      .bind(std::int64_t{is_clicked})
      .bind(now_ms)
      .bind(std::int64_t{is_late})
      .run();
  return is_late ? OutcomeStatus::kLate : OutcomeStatus::kRecorded;
}

std::optional<ClosedBatch> DisplayLog::close_batch(std::int64_t now_ms, bool with_features) {
  auto due = database_.prepare("SELECT 1 FROM impressions WHERE counted_in IS NULL AND closes_at < ? LIMIT 1");
  const bool is_any = due.bind(now_ms).step();
  due.reset();
  if (!is_any) return std::nullopt;
  auto batch = database_.prepare("INSERT INTO batches (closed_at) VALUES (?) RETURNING number");
  batch.bind(now_ms).step();
  const std::int64_t number = batch.integer(0);
  batch.reset();
  database_.prepare("UPDATE impressions SET counted_in = ? WHERE counted_in IS NULL AND closes_at < ?")
      .bind(number)
      .bind(now_ms)
      .run();
  database_
      .prepare("INSERT INTO counts (batch, slot, arm, shown, clicks) SELECT counted_in, slot, arm, count(*), sum(" +
               std::string(kClicked) + ") FROM impressions WHERE counted_in = ? GROUP BY slot, arm")
      .bind(number)
      .run();
  std::optional<ClosedBatch> closed;
  replay(number - 1, number, with_features, [&](const ClosedBatch& b) { closed = b; });
  return closed;
}

std::int64_t DisplayLog::last_batch() {
  auto select = database_.prepare("SELECT coalesce(max(number), 0) FROM batches");
  select.step();
  return select.integer(0);
}

void DisplayLog::replay(std::int64_t after, std::int64_t last, bool with_features,
                        const std::function<void(const ClosedBatch&)>& take) {
  // A batch's impressions by their id, so that sums of their features are the same each time.
  auto select =
      with_features
          ? database_.prepare("SELECT counted_in, arm, slot, " + std::string(kClicked) +
                              ", 1, requests.features FROM impressions JOIN requests ON requests.number = request "
                              "WHERE counted_in > ? AND counted_in <= ? ORDER BY counted_in, impressions.id")
          : database_.prepare(
                "SELECT batch, arm, slot, clicks, shown, '' FROM counts WHERE batch > ? AND batch <= ? "
                "ORDER BY batch, slot, arm");
  select.bind(after).bind(last);
  ClosedBatch batch;
  while (select.step()) {
    if (select.integer(0) != batch.number) {
      if (batch.number != 0) take(batch);
      batch = {.number = select.integer(0)};
    }
    const auto clicks = static_cast<double>(select.integer(3));
    ClosedBatch::Count count{.arm = static_cast<int>(select.integer(1)),
                             .slot = static_cast<int>(select.integer(2)),
                             .clicks = clicks,
                             .misses = static_cast<double>(select.integer(4)) - clicks};
    if (with_features) count.features = features_of(select.text(5));
    batch.counts.push_back(std::move(count));
  }
  if (batch.number != 0) take(batch);
}

void DisplayLog::each_slate(const std::function<void(const SlateRecord&)>& take) {
  auto select = database_.prepare("SELECT id FROM requests ORDER BY batch, number");
  while (select.step()) take(*find_slate(select.text(0)));
}

void DisplayLog::each_line(const std::function<void(const std::string&)>& take) {
  const auto themes = theme_ids();
  std::map<std::int64_t, Json> candidate_sets;
  const auto candidates_of = [&](std::int64_t number) -> const Json& {
    Json& set = candidate_sets[number];
    if (!set.is_null()) return set;
    auto select = database_.prepare("SELECT arms FROM candidate_sets WHERE number = ?");
    select.bind(number).step();
    set = Json::array();
    for (const Json& arm : parse_json(select.text(0), "candidate_sets.arms"))
      set.push_back(themes.at(arm.get<std::size_t>()));
    return set;
  };
  auto select = database_.prepare(
      "SELECT impressions.id, requests.id, impressions.unit, impressions.context_hash, features, candidates, arm, "
      "slot, "
      "propensity, impressions.version, batch, shown_at, closes_at, counted_in, " +
      std::string(kClicked) +
      " FROM requests JOIN impressions ON request = requests.number ORDER BY requests.number, slot");
  Json left;
  while (select.step()) {
    if (select.integer(7) == 0) left = candidates_of(select.integer(5));
    const std::string& arm = themes.at(static_cast<std::size_t>(select.integer(6)));
    const Json line = {{"impression_id", select.text(0)},
                       {"request_id", select.text(1)},
                       {"unit", select.text(2)},
                       {"context_hash", select.text(3)},
                       {"features", parse_json(select.text(4), "requests.features")},
                       {"candidates", left},
                       {"arm", arm},
                       {"slot", select.integer(7) + 1},
                       {"propensity", select.real(8)},
                       {"policy_version", select.integer(9)},
                       {"batch", select.integer(10)},
                       {"shown_at_ms", select.integer(11)},
                       {"closes_at_ms", select.integer(12)},
                       {"reward", select.optional_integer(13) ? Json(select.integer(14)) : Json()}};
    left.erase(std::ranges::find(left, Json(arm)));
    take(dump_json(line));
  }
}

CardCounts DisplayLog::counted() {
  auto select = database_.prepare("SELECT coalesce(sum(shown), 0), coalesce(sum(clicks), 0) FROM counts");
  select.step();
  return {.shown = select.integer(0), .clicks = select.integer(1)};
}

std::vector<std::pair<int, std::int64_t>> DisplayLog::open_counts() {
  std::vector<std::pair<int, std::int64_t>> counts;
  auto select = database_.prepare("SELECT arm, count(*) FROM impressions WHERE counted_in IS NULL GROUP BY arm");
  while (select.step()) counts.emplace_back(static_cast<int>(select.integer(0)), select.integer(1));
  return counts;
}

std::int64_t DisplayLog::data_version() {
  auto select = database_.prepare("PRAGMA data_version");
  select.step();
  return select.integer(0);
}

}  // namespace onggi::recommend
