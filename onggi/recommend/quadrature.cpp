#include "onggi/recommend/quadrature.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <queue>

namespace onggi::recommend {
namespace {

// Nodes and weights of the pair (7, 15); tabulated by Kronrod 1965, as in QUADPACK.
constexpr std::array<double, 8> kNodes = {0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
                                          0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
                                          0.586087235467691130294144691693013, 0.405845151377397166906606412076961,
                                          0.207784955007898467600689403773245, 0.0};
constexpr std::array<double, 8> kKronrod = {0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
                                            0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
                                            0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
                                            0.204432940075298892414161999234649, 0.209482141084727828012999174891714};
constexpr std::array<double, 4> kGauss = {0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
                                          0.381830050505118944950369775488975, 0.417959183673469387755102040816327};

struct Piece {
  double low = 0.0, high = 0.0, error = 0.0;
  std::vector<double> sums;
  bool operator<(const Piece& other) const { return error < other.error; }
};

}  // namespace

std::vector<double> integrate(double low, double high, std::size_t num_functions,
                              const std::function<void(double, std::span<double>)>& values,
                              const QuadratureOptions& options) {
  std::vector<double> here(num_functions), gauss(num_functions);
  const auto measure = [&](double from, double to) {
    Piece piece{from, to, 0.0, std::vector<double>(num_functions, 0.0)};
    std::ranges::fill(gauss, 0.0);
    const double middle = 0.5 * (from + to), half = 0.5 * (to - from);
    for (std::size_t i = 0; i < kNodes.size(); ++i) {
      for (const double side : {-1.0, 1.0}) {
        if (kNodes[i] == 0.0 && side > 0.0) continue;
        values(middle + side * half * kNodes[i], here);
        for (std::size_t k = 0; k < num_functions; ++k) {
          piece.sums[k] += half * kKronrod[i] * here[k];
          if (i % 2 == 1) gauss[k] += half * kGauss[i / 2] * here[k];
        }
      }
    }
    for (std::size_t k = 0; k < num_functions; ++k)
      piece.error = std::max(piece.error, std::abs(piece.sums[k] - gauss[k]));
    // The difference is the error of the lower rule; the higher one's is far smaller, as QUADPACK estimates it.
    piece.error = std::min(piece.error, std::pow(200.0 * piece.error, 1.5));
    return piece;
  };
  std::vector<double> totals(num_functions, 0.0);
  if (!(high > low)) return totals;
  std::priority_queue<Piece> pieces;
  double error = 0.0;
  const auto add = [&](Piece piece, double sign) {
    error += sign * piece.error;
    for (std::size_t k = 0; k < num_functions; ++k) totals[k] += sign * piece.sums[k];
    if (sign > 0.0) pieces.push(std::move(piece));
  };
  constexpr int kFirstPieces = 4;  // One alone may miss a narrow peak.
  for (int i = 0; i < kFirstPieces; ++i) {
    const double width = (high - low) / kFirstPieces;
    add(measure(low + i * width, i + 1 == kFirstPieces ? high : low + (i + 1) * width), 1.0);
  }
  while (static_cast<int>(pieces.size()) < options.max_pieces) {
    const double largest = *std::ranges::max_element(totals);
    if (error <= std::max(options.absolute, options.relative * largest)) break;
    const Piece worst = pieces.top();
    pieces.pop();
    add(worst, -1.0);
    const double middle = 0.5 * (worst.low + worst.high);
    add(measure(worst.low, middle), 1.0);
    add(measure(middle, worst.high), 1.0);
  }
  return totals;
}

}  // namespace onggi::recommend
