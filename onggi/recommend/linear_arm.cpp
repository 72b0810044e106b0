#include "onggi/recommend/linear_arm.h"

#include <cmath>
#include <string>

#include "onggi/core/error.h"

namespace onggi::recommend {
namespace {

constexpr int kUpdatesBeforeInverting = 256;

/// The lower triangle L of A = L L^T, in place.
void decompose(std::vector<double>& a, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i == j) {
        require(sum > 0.0, "the matrix is not positive definite");
        a[j * n + j] = std::sqrt(sum);
      } else {
        a[i * n + j] = sum / a[j * n + j];
      }
    }
  }
}

void solve_decomposed(const std::vector<double>& l, std::span<double> y) {
  const std::size_t n = y.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) y[i] -= l[i * n + k] * y[k];
    y[i] /= l[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) y[i] -= l[k * n + i] * y[k];
    y[i] /= l[i * n + i];
  }
}

}  // namespace

std::vector<double> solve_positive(std::vector<double> a, std::vector<double> b) {
  decompose(a, b.size());
  solve_decomposed(a, b);
  return b;
}

LinearArm::LinearArm(std::size_t num_features, double ridge)
    : size_(num_features),
      a_(num_features * num_features),
      inverse_(a_.size()),
      b_(num_features),
      weights_(num_features) {
  for (std::size_t i = 0; i < size_; ++i) {
    a_[i * size_ + i] = ridge;
    inverse_[i * size_ + i] = 1.0 / ridge;
  }
}

void LinearArm::observe(std::span<const double> x, double reward) {
  require(x.size() == size_,
          [&] { return "expected " + std::to_string(size_) + " features, found " + std::to_string(x.size()); });
  std::vector<double> image(size_);  // A^-1 x
  double norm = 1.0;
  for (std::size_t i = 0; i < size_; ++i) {
    for (std::size_t j = 0; j < size_; ++j) {
      a_[i * size_ + j] += x[i] * x[j];
      image[i] += inverse_[i * size_ + j] * x[j];
    }
    norm += x[i] * image[i];
    b_[i] += reward * x[i];
  }
  if (++num_updates_ % kUpdatesBeforeInverting == 0) {
    invert();
  } else {
    for (std::size_t i = 0; i < size_; ++i)
      for (std::size_t j = 0; j < size_; ++j) inverse_[i * size_ + j] -= image[i] * image[j] / norm;
  }
  for (std::size_t i = 0; i < size_; ++i) {
    weights_[i] = 0.0;
    for (std::size_t j = 0; j < size_; ++j) weights_[i] += inverse_[i * size_ + j] * b_[j];
  }
}

void LinearArm::invert() {
  std::vector<double> l = a_;
  decompose(l, size_);
  std::vector<double> column(size_);
  for (std::size_t j = 0; j < size_; ++j) {
    for (std::size_t i = 0; i < size_; ++i) column[i] = i == j ? 1.0 : 0.0;
    solve_decomposed(l, column);
    for (std::size_t i = 0; i < size_; ++i) inverse_[i * size_ + j] = column[i];
  }
}

double LinearArm::mean(std::span<const double> x) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < size_; ++i) sum += weights_[i] * x[i];
  return sum;
}

double LinearArm::variance(std::span<const double> x) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < size_; ++i) {
    double image = 0.0;
    for (std::size_t j = 0; j < size_; ++j) image += inverse_[i * size_ + j] * x[j];
    sum += x[i] * image;
  }
  return sum;
}

}  // namespace onggi::recommend
