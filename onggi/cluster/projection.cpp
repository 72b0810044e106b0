#include "onggi/cluster/projection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "onggi/cluster/neighbours.h"
#include "onggi/cluster/prepare.h"
#include "onggi/core/error.h"

namespace onggi::cluster {
namespace {

/// A symmetric sparse matrix of attractions, row by row; its values sum to 1.
struct Affinities {
  std::vector<std::vector<std::pair<std::int32_t, double>>> rows;
};

/// exp(-beta d^2) over a point's neighbours, beta such that the entropy is ln(perplexity).
std::vector<double> neighbour_shares(std::span<const double> distances, double perplexity) {
  const double wanted = std::log(perplexity), nearest = distances.front() * distances.front();
  double beta = 1, low = 0, high = std::numeric_limits<double>::infinity();
  std::vector<double> shares(distances.size());
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    double sum = 0, weighted = 0;
    for (std::size_t i = 0; i < distances.size(); ++i) {
      const double beyond = distances[i] * distances[i] - nearest;
      shares[i] = std::exp(-beta * beyond);
      sum += shares[i];
      weighted += beyond * shares[i];
    }
    for (auto& share : shares) share /= sum;
    const double entropy = std::log(sum) + beta * weighted / sum;
    if (std::abs(entropy - wanted) < 1e-6) break;
    (entropy > wanted ? low : high) = beta;
    beta = std::isinf(high) ? beta * 2 : (low + high) / 2;
  }
  return shares;
}

Affinities affinities(const Points& points, double perplexity, ThreadPool& pool, const Report& report) {
  const auto size = static_cast<std::size_t>(points.size());
  const auto neighbours = nearest_neighbours(points, static_cast<std::int64_t>(3 * perplexity), pool, report);
  const double least = std::min(perplexity, static_cast<double>(neighbours.count));
  Affinities result;
  result.rows.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    const auto point = static_cast<std::int64_t>(i);
    const auto shares = neighbour_shares(neighbours.distances_of(point), least);
    const auto others = neighbours.of(point);
    for (std::size_t n = 0; n < shares.size(); ++n) {
      const double share = shares[n] / (2 * static_cast<double>(size));
      result.rows[i].emplace_back(others[n], share);
      result.rows[static_cast<std::size_t>(others[n])].emplace_back(static_cast<std::int32_t>(i), share);
    }
  }
  for (auto& row : result.rows) {  // Both directions of a pair become one value.
    std::ranges::sort(row);
    std::vector<std::pair<std::int32_t, double>> joined;
    for (const auto& [other, share] : row) {
      if (joined.empty() || joined.back().first != other) joined.emplace_back(other, 0.0);
      joined.back().second += share;
    }
    row = std::move(joined);
  }
  return result;
}

/// The descent, with momentum and a step of its own for each value (Jacobs 1988), as van der Maaten's.
class Descent {
 public:
  Descent(const Affinities& attractions, std::vector<Place> places, ThreadPool& pool)
      : attractions_(attractions), places_(std::move(places)), pool_(pool) {
    const auto size = places_.size();
    moves_.assign(size, {0, 0});
    gains_.assign(size, {1, 1});
    repulsion_.resize(size);
    sums_.resize(size);
    step_ = std::max(50.0, static_cast<double>(size) / 48);
  }

  void iterate(double exaggeration, double momentum) {
    repel();
    double sum = 0;
    for (const double s : sums_) sum += s;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      Place gradient = {-4 * repulsion_[i][0] / sum, -4 * repulsion_[i][1] / sum};
      for (const auto& [other, share] : attractions_.rows[i]) {
        const Place& there = old_[static_cast<std::size_t>(other)];
        const double x = old_[i][0] - there[0], y = old_[i][1] - there[1];
        const double pull = 4 * exaggeration * share / (1 + x * x + y * y);
        gradient[0] += pull * x;
        gradient[1] += pull * y;
      }
      for (std::size_t a = 0; a < 2; ++a) {
        double& gain = gains_[i][a];
        gain = std::max(0.01, (gradient[a] > 0) == (moves_[i][a] > 0) ? gain * 0.8 : gain + 0.2);
        moves_[i][a] = momentum * moves_[i][a] - step_ * gain * gradient[a];
        places_[i][a] = old_[i][a] + moves_[i][a];
      }
    }
  }
  const std::vector<Place>& places() const { return places_; }

 private:
  void repel() {
    old_ = places_;
    constexpr std::int64_t kPerTask = 64;
    const auto size = static_cast<std::int64_t>(old_.size());
    pool_.run((size + kPerTask - 1) / kPerTask, [&](std::int64_t task, int) {
      for (auto i = static_cast<std::size_t>(task * kPerTask);
           i < std::min<std::size_t>(old_.size(), static_cast<std::size_t>((task + 1) * kPerTask)); ++i) {
        double sum = 0, push_x = 0, push_y = 0;
        for (const Place& there : old_) {
          const double x = old_[i][0] - there[0], y = old_[i][1] - there[1];
          const double near = 1 / (1 + x * x + y * y);
          sum += near;
          push_x += near * near * x;
          push_y += near * near * y;
        }
        sums_[i] = sum - 1;  // Not with itself.
        repulsion_[i] = {push_x, push_y};
      }
    });
  }

  const Affinities& attractions_;
  std::vector<Place> places_, old_, moves_, gains_, repulsion_;
  std::vector<double> sums_;
  ThreadPool& pool_;
  double step_ = 0;
};

}  // namespace

std::vector<Place> project_pca(const Vectors& vectors, ThreadPool& pool) {
  const auto components = principal_components(vectors, 2, pool);
  std::vector<Place> places(static_cast<std::size_t>(vectors.num_rows), Place{0, 0});
  for (std::int64_t i = 0; i < vectors.num_rows; ++i) {
    const auto row = vectors.row(i);
    for (std::size_t a = 0; a < components.variances.size(); ++a) {
      const auto axis = components.axis(a);
      double along = 0;
      for (std::size_t d = 0; d < row.size(); ++d)
        along += (static_cast<double>(row[d]) - components.mean[d]) * axis[d];
      places[static_cast<std::size_t>(i)][a] = along;
    }
  }
  return places;
}

std::vector<Place> project_tsne(const Points& points, const TsneOptions& options, ThreadPool& pool,
                                const Report& report) {
  constexpr std::int64_t kMost = 20000;
  require(options.perplexity >= 1 && options.num_iterations >= 1, "t-SNE: perplexity and iterations must be 1 or more");
  require(points.size() <= kMost, [&] {
    return "t-SNE takes at most " + std::to_string(kMost) + " points, here are " + std::to_string(points.size());
  });
  auto places = project_pca(points.vectors(), pool);
  if (points.size() < 4) return places;
  const double perplexity = std::clamp(options.perplexity, 1.0, (static_cast<double>(points.size()) - 1) / 3);
  const auto attractions = affinities(points, perplexity, pool, report);
  double widest = 1e-30;
  for (const auto& place : places) widest = std::max(widest, std::abs(place[0]));
  // Small, so that no pair is far apart at first; points on each other are set apart by their number.
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t a = 0; a < 2; ++a)
      places[i][a] = places[i][a] * 1e-2 / widest + 1e-6 * static_cast<double>((i * (a + 7)) % 101);
  }
  Descent descent(attractions, std::move(places), pool);
  const int early = options.num_iterations / 2;
  for (int i = 0; i < options.num_iterations; ++i) {
    descent.iterate(i < early ? 12 : 1, i < early ? 0.5 : 0.8);
    if (report && (i + 1) % 10 == 0) report("map", i + 1, options.num_iterations);
  }
  return descent.places();
}

}  // namespace onggi::cluster
