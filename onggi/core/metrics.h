#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onggi::metrics {

/// Names and values, in the order in which they are shown.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// What only grows. Thread-safe.
class Counter {
 public:
  void add(double amount = 1.0) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

/// What goes up and down. Thread-safe.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

/// Observations counted by size. Thread-safe and without a lock.
class Histogram {
 public:
  /// `bounds`: upper ends of the buckets, ascending; what is larger than the last is counted beside them.
  explicit Histogram(std::span<const double> bounds);

  /// `times`: the same value so many times.
  void observe(double value, std::int64_t times = 1);

  struct Reading {
    std::vector<std::int64_t> up_to;  ///< Observations of at most each bound, then all of them.
    double sum = 0.0;
  };
  Reading read() const;
  std::span<const double> bounds() const { return bounds_; }

 private:
  const std::vector<double> bounds_;
  const std::unique_ptr<std::atomic<std::int64_t>[]> counts_;  ///< One more than bounds.
  std::atomic<double> sum_{0.0};
};

/// Metrics by name and labels, and their text for Prometheus (exposition format 0.0.4). Asking for one that is there
/// gives the same one, which lives as long as the registry: keep the reference where it is needed often, since finding
/// it takes a lock. Thread-safe.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// `labels` stand before those of every metric.
  explicit Registry(Labels labels);

  /// All throw kInternal where the name is no metric's name or belongs to another kind. A name's help is the first
  /// given.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                       const Labels& labels = {});
  /// A value that is kept elsewhere, asked for whenever the text is made. `read` must not use the registry.
  void counter_of(std::string_view name, std::string_view help, std::function<double()> read,
                  const Labels& labels = {});
  void gauge_of(std::string_view name, std::string_view help, std::function<double()> read, const Labels& labels = {});

  /// The same for values whose labels change: all that there are now.
  using Readings = std::vector<std::pair<Labels, double>>;
  void gauges_of(std::string_view name, std::string_view help, std::function<Readings()> read);

  /// Names in the order in which they came, each with its help and type.
  std::string text() const;

 private:
  struct Family;
  struct Member;
  enum class Kind { kCounter, kGauge, kHistogram };
  Family& family(std::string_view name, std::string_view help, Kind kind);
  Member& member(std::string_view name, std::string_view help, Kind kind, const Labels& labels);
  std::string labels_text(const Labels& labels) const;

  const Labels labels_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;
};

/// 1, 2, 5, 10, 20, 50 ... up to the first that is at least `most`.
std::vector<double> one_two_five(double most);

}  // namespace onggi::metrics
