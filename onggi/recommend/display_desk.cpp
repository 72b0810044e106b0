#include "onggi/recommend/display_desk.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/system_random.h"
#include "onggi/recommend/display_error.h"

namespace onggi::recommend {
namespace {

constexpr std::size_t kMaxMoments = 240;
constexpr std::size_t kMaxCharted = 400;  ///< Cards of which chances are kept: what a page can show at all.

std::string_view name_of(OutcomeStatus status) {
  switch (status) {
    case OutcomeStatus::kRecorded: return "recorded";
    case OutcomeStatus::kLate: return "late";
    case OutcomeStatus::kKnown: return "known";
    case OutcomeStatus::kConflict: return "conflict";
    case OutcomeStatus::kUnknown: return "unknown";
  }
  return {};
}

/// Wilson's interval of a share at 95 % (Wilson 1927); 0 to 1 where nothing was seen.
Json share_interval(double hits, double n) {
  if (n <= 0.0) return {0.0, 1.0};
  constexpr double z = 1.959963984540054;
  const double p = hits / n, scale = 1.0 / (1.0 + z * z / n);
  const double middle = scale * (p + z * z / (2.0 * n));
  const double half = scale * z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

}  // namespace

DisplayDesk::DisplayDesk(DisplayLog& log, std::vector<Card> cards, const DeskOptions& options, std::int64_t now_ms)
    : log_(log), cards_(std::move(cards)), options_(options), next_batch_ms_(now_ms + options.batch_ms) {
  store::Transaction transaction(log_.database());
  for (std::size_t i = 0; i < cards_.size(); ++i) {
    const int arm = log_.arm(cards_[i].id);
    card_of_id_[cards_[i].id] = i;
    arm_of_card_.push_back(arm);
    card_of_arm_[arm] = i;
  }
  if (!log_.live()) log_.promote(log_.add_policy({}, "made at the first start", now_ms), now_ms);
  transaction.commit();
  all_arms_ = arm_of_card_;
  std::ranges::sort(all_arms_);
  data_version_ = log_.data_version();
  go_live(*log_.live(), now_ms);
}

void DisplayDesk::go_live(std::int64_t version, std::int64_t now_ms) {
  const PolicySpec spec = log_.policy(version).spec;
  policy_ = make_policy(spec);
  beliefs_.reset();
  if (spec.kind == "thompson" || spec.kind == "epsilon_greedy")
    beliefs_.emplace(BeliefOptions{.prior = {spec.prior_clicks, spec.prior_misses},
                                   .discount = spec.discount,
                                   .window_batches = spec.window_batches,
                                   .is_by_slot = spec.by_slot});
  totals_.clear();
  live_ = {.version = version, .batch = log_.last_batch(), .spec = spec};
  log_.replay(0, live_.batch, uses_features(spec), [&](const ClosedBatch& batch) { learn(batch); });
  publish(now_ms);
}

void DisplayDesk::learn(const ClosedBatch& batch) {
  teach(*policy_, batch);
  for (const auto& count : batch.counts) {
    if (beliefs_) beliefs_->observe(count.arm, count.slot, count.clicks, count.misses);
    const auto arm = static_cast<std::size_t>(count.arm);
    if (totals_.size() <= arm) totals_.resize(arm + 1);
    totals_[arm].shown += static_cast<std::int64_t>(count.clicks + count.misses);
    totals_[arm].clicks += static_cast<std::int64_t>(count.clicks);
  }
  if (beliefs_) beliefs_->close_batch();
}

void DisplayDesk::publish(std::int64_t now_ms) {
  live_.policy = policy_->freeze();
  if (uses_features(live_.spec) || all_arms_.size() > kMaxCharted) return;
  history_.push_back({now_ms, live_.version, live_.batch, live_.policy->probabilities({.arms = all_arms_})});
  if (history_.size() > kMaxMoments) history_.pop_front();
}

std::vector<int> DisplayDesk::candidates_of(const SlateRequest& request) const {
  const auto fits = [&](const Card& card) {
    return (request.entity.empty() || card.entity == request.entity) &&
           (request.product.empty() || std::ranges::find(card.products, request.product) != card.products.end());
  };
  if (!request.candidates && request.entity.empty() && request.product.empty()) return all_arms_;
  std::vector<int> arms;
  if (request.candidates) {
    for (std::size_t i = 0; i < request.candidates->size(); ++i) {
      const auto it = card_of_id_.find((*request.candidates)[i]);
      const std::string param = "candidates[" + std::to_string(i) + "]";
      if (it == card_of_id_.end())
        throw DisplayError(400, param + ": there is no card \"" + (*request.candidates)[i] + "\"", "invalid_value",
                           param);
      if (fits(cards_[it->second])) arms.push_back(arm_of_card_[it->second]);
    }
  } else {
    for (std::size_t i = 0; i < cards_.size(); ++i)
      if (fits(cards_[i])) arms.push_back(arm_of_card_[i]);
  }
  std::ranges::sort(arms);
  if (std::ranges::adjacent_find(arms) != arms.end())
    throw DisplayError(400, "candidates: a card is there twice", "invalid_value", "candidates");
  if (arms.empty()) throw DisplayError(404, "no card is of that entity and product", "no_candidates");
  return arms;
}

Json DisplayDesk::answer_slate(const SlateRequest& request, std::int64_t now_ms) {
  const auto num_features = static_cast<std::size_t>(live_.spec.features);
  if (uses_features(live_.spec) && request.features.size() != num_features)
    throw DisplayError(400,
                       "features: expected " + std::to_string(num_features) + " numbers, found " +
                           std::to_string(request.features.size()),
                       "invalid_value", "features");
  SlateRecord slate{.request_id = request.request_id.empty() ? system_random_hex(12) : request.request_id,
                    .unit = request.unit,
                    .features = request.features,
                    .candidates = candidates_of(request),
                    .version = live_.version,
                    .batch = live_.batch,
                    .shown_at_ms = now_ms,
                    .closes_at_ms = now_ms + options_.window_ms,
                    .num_slots = request.slots > 0 ? request.slots : options_.num_slots};
  slate.cards = choose_slate(live_, slate.request_id, slate.candidates, slate.features, slate.num_slots);
  slate = log_.record(std::move(slate));
  Json shown = Json::array();
  for (std::size_t i = 0; i < slate.cards.size(); ++i) {
    const ShownCard& card = slate.cards[i];
    Json one = {{"slot", i + 1}, {"impression_id", card.impression_id}, {"propensity", card.propensity}};
    // A card of a request that is sent again may have left the file since.
    if (const auto it = card_of_arm_.find(card.arm); it != card_of_arm_.end()) {
      const Card& theme = cards_[it->second];
      one["expression"] = theme.expressions[0];
      one.update(to_json(theme));
    }
    shown.push_back(std::move(one));
  }
  return {{"request_id", slate.request_id},
          {"policy_version", slate.version},
          {"batch", slate.batch},
          {"closes_at_ms", slate.closes_at_ms},
          {"cards", std::move(shown)}};
}

Json DisplayDesk::answer_outcomes(const std::vector<OutcomeRequest>& outcomes, std::int64_t now_ms) {
  Json list = Json::array();
  for (const auto& outcome : outcomes) {
    const auto status = log_.record_outcome(outcome.impression_id, outcome.is_clicked, now_ms);
    list.push_back({{"impression_id", outcome.impression_id}, {"status", name_of(status)}});
  }
  return {{"outcomes", std::move(list)}};
}

void DisplayDesk::tick(std::int64_t now_ms) {
  if (const std::int64_t version = log_.data_version(); version != data_version_) {
    data_version_ = version;
    if (const auto live = log_.live(); live && *live != live_.version) go_live(*live, now_ms);
  }
  if (now_ms < next_batch_ms_) return;
  next_batch_ms_ = now_ms + options_.batch_ms;
  store::Transaction transaction(log_.database());
  const auto closed = log_.close_batch(now_ms, uses_features(live_.spec));
  if (!closed) return;
  transaction.commit();
  learn(*closed);
  live_.batch = closed->number;
  publish(now_ms);
}

Json DisplayDesk::stats() {
  auto counts = totals_;
  for (const auto& [arm, open] : log_.open_counts()) {
    if (counts.size() <= static_cast<std::size_t>(arm)) counts.resize(static_cast<std::size_t>(arm) + 1);
    counts[static_cast<std::size_t>(arm)].open = open;
  }
  Json cards = Json::array();
  CardCounts total;
  const std::vector<double> none;
  const std::vector<double>& chances = history_.empty() ? none : history_.back().chances;
  for (std::size_t i = 0; i < cards_.size(); ++i) {
    const int arm = arm_of_card_[i];
    const CardCounts sum =
        static_cast<std::size_t>(arm) < counts.size() ? counts[static_cast<std::size_t>(arm)] : CardCounts{};
    total.shown += sum.shown;
    total.clicks += sum.clicks;
    total.open += sum.open;
    const auto shown = static_cast<double>(sum.shown), clicks = static_cast<double>(sum.clicks);
    Json card = {{"theme_id", cards_[i].id},
                 {"entity", cards_[i].entity},
                 {"aspect", cards_[i].aspect},
                 {"expression", cards_[i].expressions[0]},
                 {"shown", sum.shown},
                 {"clicks", sum.clicks},
                 {"open", sum.open},
                 {"click_rate", sum.shown > 0 ? Json(clicks / shown) : Json()},
                 {"interval", share_interval(clicks, shown)}};
    if (beliefs_) {
      const Beta beta = beliefs_->posterior(arm, 0);
      card["posterior"] = {
          {"a", beta.a}, {"b", beta.b}, {"low", quantile(beta, 0.025)}, {"high", quantile(beta, 0.975)}};
    }
    const auto place = std::ranges::lower_bound(all_arms_, arm) - all_arms_.begin();
    if (!chances.empty()) card["chance"] = chances[static_cast<std::size_t>(place)];
    cards.push_back(std::move(card));
  }
  Json moments = Json::array();
  for (const Moment& moment : history_) {
    Json by_card = Json::array();
    for (const int arm : arm_of_card_) {
      const auto place = std::ranges::lower_bound(all_arms_, arm) - all_arms_.begin();
      by_card.push_back(moment.chances[static_cast<std::size_t>(place)]);
    }
    moments.push_back(
        {{"at_ms", moment.at_ms}, {"policy_version", moment.version}, {"batch", moment.batch}, {"chances", by_card}});
  }
  const auto shown = static_cast<double>(total.shown), clicks = static_cast<double>(total.clicks);
  return {{"policy_version", live_.version},
          {"policy", to_json(live_.spec)},
          {"batch", live_.batch},
          {"shown", total.shown},
          {"clicks", total.clicks},
          {"open", total.open},
          {"click_rate", total.shown > 0 ? Json(clicks / shown) : Json()},
          {"interval", share_interval(clicks, shown)},
          {"cards", std::move(cards)},
          {"history", std::move(moments)}};
}

Json DisplayDesk::policies() {
  Json versions = Json::array(), promotions = Json::array();
  for (const auto& p : log_.policies())
    versions.push_back({{"version", p.version},
                        {"is_live", p.version == live_.version},
                        {"note", p.note},
                        {"created_at_ms", p.created_at_ms},
                        {"spec", to_json(p.spec)}});
  for (const auto& p : log_.promotions())
    promotions.push_back(
        {{"version", p.version}, {"action", p.is_rollback ? "rollback" : "promote"}, {"at_ms", p.at_ms}});
  return {{"versions", std::move(versions)}, {"promotions", std::move(promotions)}};
}

}  // namespace onggi::recommend
