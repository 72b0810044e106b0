#include "onggi/train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "onggi/core/error.h"

namespace onggi::train {
namespace {

/// Elements of one task. A constant, so that sums are split the same way whatever the number of threads.
constexpr std::int64_t kPiece = 65536;

std::int64_t num_pieces(const nn::Parameter& p) {
  return (static_cast<std::int64_t>(p.value.size()) + kPiece - 1) / kPiece;
}

/// Calls work(parameter index, begin, end, piece number over all) for every piece, in any order.
void for_each_piece(std::span<nn::Parameter* const> parameters, ThreadPool* pool,
                    const std::function<void(std::size_t, std::int64_t, std::int64_t, std::int64_t)>& work) {
  std::vector<std::int64_t> first = {0};
  for (const nn::Parameter* p : parameters) first.push_back(first.back() + num_pieces(*p));
  const auto run = [&](std::int64_t piece, int) {
    const auto at = std::upper_bound(first.begin(), first.end(), piece) - first.begin() - 1;
    const std::int64_t begin = (piece - first[static_cast<std::size_t>(at)]) * kPiece;
    const auto size = static_cast<std::int64_t>(parameters[static_cast<std::size_t>(at)]->value.size());
    work(static_cast<std::size_t>(at), begin, std::min(begin + kPiece, size), piece);
  };
  if (pool != nullptr) {
    pool->run(first.back(), run);
  } else {
    for (std::int64_t piece = 0; piece < first.back(); ++piece) run(piece, 0);
  }
}

void check_gradients(std::span<nn::Parameter* const> parameters) {
  for (const nn::Parameter* p : parameters) {
    require(
        p->grad.size() == p->value.size(),
        [&] {
          return "parameter has " + std::to_string(p->grad.size()) + " gradients for " +
                 std::to_string(p->value.size()) + " values";
        },
        ErrorCode::kInvalidArgument, p->name);
  }
}

[[noreturn]] void fail_non_finite(std::span<nn::Parameter* const> parameters) {
  for (const nn::Parameter* p : parameters) {
    const auto bad = std::count_if(p->grad.begin(), p->grad.end(), [](float g) { return !std::isfinite(g); });
    if (bad == 0) continue;
    throw Error(ErrorCode::kInvalidArgument,
                std::to_string(bad) + " of " + std::to_string(p->grad.size()) +
                    " gradients are NaN or infinite; lower the learning rate or check the base weights and the data",
                p->name);
  }
  throw Error(ErrorCode::kInvalidArgument, "the sum of squared gradients overflows; lower the learning rate");
}

}  // namespace

AdamW::AdamW(std::vector<nn::Parameter*> parameters, AdamWOptions options)
    : parameters_(std::move(parameters)), options_(options) {
  const auto is_share = [](double x) { return x >= 0.0 && x < 1.0; };
  require(!parameters_.empty(), "there are no trainable parameters: the targets match no layer");
  require(is_share(options.beta1) && is_share(options.beta2), "AdamW: beta1 and beta2 must be in [0, 1)");
  require(options.epsilon > 0.0 && std::isfinite(options.epsilon), "AdamW: epsilon must be above 0");
  require(options.weight_decay >= 0.0 && std::isfinite(options.weight_decay),
          "AdamW: weight decay must not be negative");
  for (const nn::Parameter* p : parameters_) {
    first_.emplace_back(p->value.size(), 0.0F);
    second_.emplace_back(p->value.size(), 0.0F);
  }
}

void AdamW::step(double learning_rate, ThreadPool* pool) {
  check_gradients(parameters_);
  ++num_updates_;
  const auto t = static_cast<double>(num_updates_);
  const float lerp = static_cast<float>(1.0 - options_.beta1);
  const float keep = static_cast<float>(options_.beta2);
  const float square = static_cast<float>(1.0 - options_.beta2);
  const float step_size = static_cast<float>(-learning_rate / (1.0 - std::pow(options_.beta1, t)));
  const float root = static_cast<float>(std::sqrt(1.0 - std::pow(options_.beta2, t)));
  const float epsilon = static_cast<float>(options_.epsilon);
  const float decay = static_cast<float>(1.0 - learning_rate * options_.weight_decay);
  for_each_piece(parameters_, pool, [&](std::size_t index, std::int64_t begin, std::int64_t end, std::int64_t) {
    nn::Parameter& parameter = *parameters_[index];
    float* p = parameter.value.data();
    const float* g = parameter.grad.data();
    float* m = first_[index].data();
    float* v = second_[index].data();
    const float shrink = parameter.decay ? decay : 1.0F;
    for (std::int64_t i = begin; i < end; ++i) {
      p[i] *= shrink;
      m[i] += lerp * (g[i] - m[i]);
      v[i] = v[i] * keep + square * g[i] * g[i];
      p[i] += step_size * m[i] / (std::sqrt(v[i]) / root + epsilon);
    }
  });
}

double gradient_norm(std::span<nn::Parameter* const> parameters, ThreadPool* pool) {
  check_gradients(parameters);
  std::int64_t pieces = 0;
  for (const nn::Parameter* p : parameters) pieces += num_pieces(*p);
  std::vector<double> sums(static_cast<std::size_t>(pieces), 0.0);
  for_each_piece(parameters, pool, [&](std::size_t index, std::int64_t begin, std::int64_t end, std::int64_t piece) {
    const float* g = parameters[index]->grad.data();
    double sum = 0.0;
    for (std::int64_t i = begin; i < end; ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    sums[static_cast<std::size_t>(piece)] = sum;
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  if (!std::isfinite(total)) fail_non_finite(parameters);
  return std::sqrt(total);
}

double clip_gradients(std::span<nn::Parameter* const> parameters, double max_norm, ThreadPool* pool) {
  require(max_norm >= 0.0, "the largest gradient norm must not be negative");
  const double norm = gradient_norm(parameters, pool);
  const auto factor = static_cast<float>(max_norm / (norm + 1e-6));
  if (max_norm == 0.0 || factor >= 1.0F) return norm;
  for_each_piece(parameters, pool, [&](std::size_t index, std::int64_t begin, std::int64_t end, std::int64_t) {
    float* g = parameters[index]->grad.data();
    for (std::int64_t i = begin; i < end; ++i) g[i] *= factor;
  });
  return norm;
}

}  // namespace onggi::train
