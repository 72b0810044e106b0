#include "onggi/kernels/peaks.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "onggi/kernels/cpu/tables.h"
#include "onggi/kernels/kernels.h"

namespace onggi::kernels {
namespace {

using Clock = std::chrono::steady_clock;

/// Amount of work a second: body(thread, round) does some and returns how much; the best round, all threads at once.
double best_rate(int num_threads, const std::function<double(int, int)>& body) {
  constexpr int kRounds = 60;  // many and short: other programs may share the cores
  double best = 0;
  std::vector<double> amounts(static_cast<std::size_t>(num_threads));
  Clock::time_point begin = Clock::now();
  int round = -1;  // the first is a warm-up
  std::barrier sync(num_threads, [&]() noexcept {
    const Clock::time_point now = Clock::now();
    double amount = 0;
    for (const double a : amounts) amount += a;
    if (round > 0) best = std::max(best, amount / std::chrono::duration<double>(now - begin).count());
    begin = now;
    ++round;
  });
  std::vector<std::jthread> threads;
  for (int t = 0; t < num_threads; ++t) {
    threads.emplace_back([&, t] {
      sync.arrive_and_wait();
      for (int i = 0; i < kRounds; ++i) {
        amounts[static_cast<std::size_t>(t)] = body(t, i);
        sync.arrive_and_wait();
      }
    });
  }
  threads.clear();
  return best;
}

const PeakLoops& best_loops() {
  const std::string_view isa = available_kernels().back()->isa;
  return isa == "avx512" ? kAvx512PeakLoops : isa == "avx2" ? kAvx2PeakLoops : kScalarPeakLoops;
}

}  // namespace

Peaks measure_peaks(int num_threads) {
  const PeakLoops& loops = best_loops();
  constexpr std::int64_t kIterations = 200'000;
  constexpr std::size_t kWords = std::size_t{8} << 20;
  std::vector<std::vector<std::uint64_t>> memory(static_cast<std::size_t>(num_threads));
  for (auto& m : memory) m.assign(kWords, 1);
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(num_threads));  // keeps the reads alive
  Peaks peaks;
  peaks.f32_flops = best_rate(num_threads, [&](int, int) { return loops.f32_fma(kIterations); });
  peaks.int8_ops = best_rate(num_threads, [&](int, int) { return loops.int8_product(kIterations); });
  peaks.read_bytes_per_s = best_rate(num_threads, [&](int t, int round) {
    // Pieces in turn: a piece has left the caches when its turn comes again.
    constexpr std::size_t kPiece = kWords / 16;
    const std::uint64_t* piece = memory[static_cast<std::size_t>(t)].data() + static_cast<std::size_t>(round) % 16 * kPiece;
    std::uint64_t lane[8] = {};
    for (std::size_t i = 0; i < kPiece; i += 8) {
      __builtin_prefetch(piece + i + 512);  // as product_tile does; the hardware alone reaches about 90 %
      for (std::size_t j = 0; j < 8; ++j) lane[j] += piece[i + j];
    }
    for (const std::uint64_t l : lane) sums[static_cast<std::size_t>(t)] += l;
    return static_cast<double>(kPiece * sizeof(std::uint64_t));
  });
  return peaks;
}

}  // namespace onggi::kernels
