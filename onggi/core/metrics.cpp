#include "onggi/core/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "onggi/core/error.h"

namespace onggi::metrics {
namespace {

bool is_name(std::string_view text, bool may_have_colon) {
  const auto is_letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && may_have_colon);
  };
  return !text.empty() && is_letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  constexpr double kExact = 9007199254740992.0;  // 2^53
  char text[40];
  const auto end = value == std::floor(value) && std::abs(value) < kExact
                       ? std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value)).ptr
                       : std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

/// In help a quotation mark stands as it is.
std::string escaped(std::string_view text, bool is_label) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (c == '"' && is_label)) out += '\\';
      out += c;
    }
  }
  return out;
}

void append_sample(std::string& text, std::string_view name, std::string_view labels, std::string_view value) {
  text.append(name);
  if (!labels.empty()) text.append("{").append(labels).append("}");
  text.append(" ").append(value).append("\n");
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()),
      counts_(std::make_unique<std::atomic<std::int64_t>[]>(bounds.size() + 1)) {}

void Histogram::observe(double value, std::int64_t times) {
  const auto at = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(times, std::memory_order_relaxed);
  sum_.fetch_add(value * static_cast<double>(times), std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
  Reading reading;
  std::int64_t total = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    reading.up_to.push_back(total);
  }
  reading.sum = sum_.load(std::memory_order_relaxed);
  return reading;
}

struct Registry::Member {
  Labels own;
  std::string labels;  ///< As they are shown.
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> read;
};

struct Registry::Family {
  std::string name, help;
  Kind kind;
  std::vector<std::unique_ptr<Member>> members;
  std::function<Readings()> read;
};

Registry::Registry() : labels_{} {}
Registry::~Registry() = default;
Registry::Registry(Labels labels) : labels_(std::move(labels)) {}

/// `mutex_` held.
Registry::Family& Registry::family(std::string_view name, std::string_view help, Kind kind) {
  auto found = std::ranges::find(families_, name, [](const auto& f) -> std::string_view { return f->name; });
  if (found == families_.end()) {
    require(
        is_name(name, true), [&] { return std::string(name) + " is no metric's name"; }, ErrorCode::kInternal);
    families_.push_back(std::make_unique<Family>(Family{std::string(name), std::string(help), kind, {}, nullptr}));
    found = families_.end() - 1;
  }
  require((*found)->kind == kind, [&] { return "metric " + std::string(name) + " is of another kind"; },
          ErrorCode::kInternal);
  return **found;
}

/// name="value",... with the registry's first.
std::string Registry::labels_text(const Labels& labels) const {
  std::string text;
  for (const auto* list : {&labels_, &labels}) {
    for (const auto& [label, value] : *list) {
      require(
          is_name(label, false), [&label = label] { return label + " is no label's name"; }, ErrorCode::kInternal);
      if (!text.empty()) text += ',';
      text += label + "=\"" + escaped(value, true) + "\"";
    }
  }
  return text;
}

/// `mutex_` held.
Registry::Member& Registry::member(std::string_view name, std::string_view help, Kind kind, const Labels& labels) {
  auto& members = family(name, help, kind).members;
  const auto found = std::ranges::find(members, labels, [](const auto& m) -> const Labels& { return m->own; });
  if (found != members.end()) return **found;
  auto fresh = std::make_unique<Member>();
  fresh->own = labels;
  fresh->labels = labels_text(labels);
  members.push_back(std::move(fresh));
  return *members.back();
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Member& m = member(name, help, Kind::kCounter, labels);
  if (!m.counter) m.counter = std::make_unique<Counter>();
  return *m.counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Member& m = member(name, help, Kind::kGauge, labels);
  if (!m.gauge) m.gauge = std::make_unique<Gauge>();
  return *m.gauge;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                               const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Member& m = member(name, help, Kind::kHistogram, labels);
  if (!m.histogram) m.histogram = std::make_unique<Histogram>(bounds);
  return *m.histogram;
}

void Registry::counter_of(std::string_view name, std::string_view help, std::function<double()> read,
                          const Labels& labels) {
  const std::lock_guard lock(mutex_);
  member(name, help, Kind::kCounter, labels).read = std::move(read);
}

void Registry::gauge_of(std::string_view name, std::string_view help, std::function<double()> read,
                        const Labels& labels) {
  const std::lock_guard lock(mutex_);
  member(name, help, Kind::kGauge, labels).read = std::move(read);
}

void Registry::gauges_of(std::string_view name, std::string_view help, std::function<Readings()> read) {
  const std::lock_guard lock(mutex_);
  family(name, help, Kind::kGauge).read = std::move(read);
}

std::string Registry::text() const {
  static constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
  std::string text;
  const std::lock_guard lock(mutex_);
  for (const auto& family : families_) {
    const std::string& name = family->name;
    text += "# HELP " + name + " " + escaped(family->help, false) + "\n# TYPE " + name + " ";
    text.append(kKinds[static_cast<std::size_t>(family->kind)]).append("\n");
    for (const auto& [labels, value] : family->read ? family->read() : Readings())
      append_sample(text, name, labels_text(labels), number_text(value));
    for (const auto& m : family->members) {
      if (m->counter) append_sample(text, name, m->labels, number_text(m->counter->value()));
      if (m->gauge) append_sample(text, name, m->labels, number_text(m->gauge->value()));
      if (m->read) append_sample(text, name, m->labels, number_text(m->read()));
      if (!m->histogram) continue;
      const auto reading = m->histogram->read();
      const auto bounds = m->histogram->bounds();
      const std::string before = m->labels.empty() ? "le=\"" : m->labels + ",le=\"";
      for (std::size_t i = 0; i < reading.up_to.size(); ++i) {
        append_sample(text, name + "_bucket", before + (i < bounds.size() ? number_text(bounds[i]) : "+Inf") + "\"",
                      std::to_string(reading.up_to[i]));
      }
      append_sample(text, name + "_sum", m->labels, number_text(reading.sum));
      append_sample(text, name + "_count", m->labels, std::to_string(reading.up_to.back()));
    }
  }
  return text;
}

std::vector<double> one_two_five(double most) {
  std::vector<double> bounds;
  for (double ten = 1.0;; ten *= 10.0) {
    for (const double step : {1.0, 2.0, 5.0}) {
      bounds.push_back(step * ten);
      if (bounds.back() >= most) return bounds;
    }
  }
}

}  // namespace onggi::metrics
