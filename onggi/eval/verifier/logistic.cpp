#include "onggi/eval/verifier/logistic.h"

#include <algorithm>
#include <cmath>

#include "onggi/core/error.h"

namespace onggi::eval {
namespace {

constexpr int kMaxSteps = 50;
constexpr double kEnough = 1e-10;  // greatest change of a weight

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

/// Solves a x = b for a symmetric positive definite a [n, n] by Cholesky, in place; x is b's place.
void solve(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / a[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
}

std::vector<double> numbers_of(const Json& json, std::string_view name, std::string_view where) {
  require(json.is_object() && json.contains(name) && json[name].is_array(),
          "\"" + std::string(name) + "\" is missing or no list", ErrorCode::kCorrupt, where);
  std::vector<double> values;
  for (const auto& value : json[name]) {
    require(value.is_number(), "\"" + std::string(name) + "\" holds something that is no number", ErrorCode::kCorrupt,
            where);
    values.push_back(value.get<double>());
  }
  return values;
}

}  // namespace

Logistic Logistic::fit(std::span<const std::vector<double>> features, const std::vector<bool>& is_positive,
                       double ridge) {
  const auto num_positive = std::ranges::count(is_positive, true);
  require(features.size() == is_positive.size() && num_positive > 0 && num_positive < std::ssize(is_positive),
          "there must be right and wrong items to learn from, found " + std::to_string(num_positive) + " right of " +
              std::to_string(is_positive.size()));
  const std::size_t width = features[0].size();
  const auto count = static_cast<double>(features.size());
  Logistic model;
  model.means_.assign(width, 0);
  model.scales_.assign(width, 0);
  for (const auto& row : features) {
    require(row.size() == width, "items have different numbers of features");
    for (std::size_t k = 0; k < width; ++k) model.means_[k] += row[k] / count;
  }
  for (const auto& row : features) {
    for (std::size_t k = 0; k < width; ++k)
      model.scales_[k] += (row[k] - model.means_[k]) * (row[k] - model.means_[k]) / count;
  }
  for (auto& scale : model.scales_) scale = scale > 1e-12 ? std::sqrt(scale) : 1;
  const std::size_t n = width + 1;  // the intercept is last
  std::vector<double> beta(n, 0), x(n, 1);
  for (int step = 0; step < kMaxSteps; ++step) {
    std::vector<double> hessian(n * n, 0), gradient(n, 0);
    for (std::size_t i = 0; i < features.size(); ++i) {
      double z = beta[width];
      for (std::size_t k = 0; k < width; ++k) {
        x[k] = (features[i][k] - model.means_[k]) / model.scales_[k];
        z += beta[k] * x[k];
      }
      const double p = sigmoid(z), weight = std::max(p * (1 - p), 1e-9);
      for (std::size_t k = 0; k < n; ++k) {
        gradient[k] += ((is_positive[i] ? 1.0 : 0.0) - p) * x[k];
        for (std::size_t l = 0; l <= k; ++l) hessian[k * n + l] += weight * x[k] * x[l];
      }
    }
    for (std::size_t k = 0; k < width; ++k) {
      gradient[k] -= ridge * beta[k];
      hessian[k * n + k] += ridge;
    }
    solve(hessian, gradient);
    double greatest = 0;
    for (std::size_t k = 0; k < n; ++k) {
      beta[k] += gradient[k];
      greatest = std::max(greatest, std::abs(gradient[k]));
    }
    if (greatest < kEnough) break;
  }
  model.intercept_ = beta[width];
  model.weights_.assign(beta.begin(), beta.begin() + static_cast<std::ptrdiff_t>(width));
  return model;
}

double Logistic::probability(std::span<const double> features) const {
  require(features.size() == weights_.size(),
          "an item has " + std::to_string(features.size()) + " features, expected " + std::to_string(weights_.size()));
  double z = intercept_;
  for (std::size_t k = 0; k < weights_.size(); ++k) z += weights_[k] * (features[k] - means_[k]) / scales_[k];
  return sigmoid(z);
}

Json Logistic::to_json() const {
  return {{"intercept", intercept_}, {"weights", weights_}, {"means", means_}, {"scales", scales_}};
}

Logistic Logistic::from_json(const Json& json, std::string_view where) {
  Logistic model;
  model.weights_ = numbers_of(json, "weights", where);
  model.means_ = numbers_of(json, "means", where);
  model.scales_ = numbers_of(json, "scales", where);
  require(json.contains("intercept") && json["intercept"].is_number(), "\"intercept\" is missing", ErrorCode::kCorrupt,
          where);
  model.intercept_ = json["intercept"].get<double>();
  const bool is_whole = model.means_.size() == model.weights_.size() && model.scales_.size() == model.weights_.size() &&
                        std::ranges::all_of(model.scales_, [](double s) { return s > 0; });
  require(is_whole, "weights, means and scales do not fit together", ErrorCode::kCorrupt, where);
  return model;
}

}  // namespace onggi::eval
