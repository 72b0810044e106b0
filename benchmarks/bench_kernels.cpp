// Speed of the kernels beside the machine's peak: bench_kernels [threads] [isa]. Answers are checked before the clock
// starts. Figures are the best of several rounds, all threads at work on panels of their own.

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "onggi/kernels/kernels.h"
#include "onggi/kernels/peaks.h"
#include "onggi/kernels/test_support.h"
#include "onggi/quant/blocks.h"

namespace {

using namespace onggi;
using kernels::Kernels;
using quant::DType;
using Clock = std::chrono::steady_clock;

int num_threads = 2;

/// Seconds of the best round in which every thread calls body(thread) once.
double best_seconds(const std::function<void(int)>& body, double budget = 0.15) {
  double best = 1e9, spent = 0;
  Clock::time_point begin;
  int round = -1;
  bool done = false;
  std::barrier sync(num_threads, [&]() noexcept {
    const auto now = Clock::now();
    if (round >= 0) {
      const double seconds = std::chrono::duration<double>(now - begin).count();
      if (round > 0) best = std::min(best, seconds);  // the first is a warm-up
      spent += seconds;
    }
    ++round;
    done = round > 2 && spent > budget;
    begin = Clock::now();
  });
  std::vector<std::jthread> threads;
  for (int t = 0; t < num_threads; ++t) {
    threads.emplace_back([&, t] {
      sync.arrive_and_wait();
      while (!done) {
        body(t);
        sync.arrive_and_wait();
      }
    });
  }
  threads.clear();
  return best;
}

void fail(const std::string& what) {
  std::fprintf(stderr, "wrong answer: %s\n", what.c_str());
  std::exit(1);
}

void bench_panel_product(const Kernels& k, const kernels::Peaks& peaks) {
  for (const std::int64_t depth : {640, 1024, 2048}) {
    const std::int64_t rows = 600, panels = 8, block = 512;
    struct Buffers {
      std::vector<float> a, panel, c;
    };
    std::vector<Buffers> buffers;
    for (int t = 0; t < num_threads; ++t) {
      buffers.push_back({kernels::testing::random_floats(1, rows * depth),
                         kernels::testing::random_floats(2, panels * 16 * depth),
                         std::vector<float>(static_cast<std::size_t>(rows * panels * 16))});
    }
    // As a caller blocks it: 48 rows by 512 of depth against the panels of a task.
    const auto run = [&](int t) {
      auto& [a, panel, c] = buffers[static_cast<std::size_t>(t)];
      for (std::int64_t k0 = 0; k0 < depth; k0 += block) {
        for (std::int64_t m = 0; m < rows; m += 48) {
          for (std::int64_t p = 0; p < panels; ++p) {
            k.panel_product({.num_rows = std::min<std::int64_t>(48, rows - m),
                             .depth = std::min(block, depth - k0),
                             .a = a.data() + m * depth + k0,
                             .a_row_stride = depth,
                             .panel = panel.data() + (p * depth + k0) * 16,
                             .c = c.data() + m * panels * 16 + p * 16,
                             .c_row_stride = panels * 16,
                             .accumulate = k0 > 0});
          }
        }
      }
    };
    run(0);
    double truth = 0;
    for (std::int64_t i = 0; i < depth; ++i) {
      truth += double{buffers[0].a[599 * depth + i]} * buffers[0].panel[(7 * depth + i) * 16 + 15];
    }
    if (std::abs(buffers[0].c.back() - truth) > 1e-3) fail("panel_product");
    const double flops = 2.0 * rows * depth * panels * 16 * num_threads / best_seconds(run);
    std::printf("panel_product       M=600 K=%-5ld %8.1f GFLOP/s  %5.1f %% of FMA peak\n", depth, flops / 1e9,
                100 * flops / peaks.f32_flops);
  }
}

void bench_decode_transposed(const Kernels& k) {
  for (const DType type : kernels::testing::kDecodable) {
    const std::int64_t depth = 1024;
    const auto blocks = kernels::testing::random_blocks(3, type, 16, depth);
    std::vector<std::vector<float>> out(static_cast<std::size_t>(num_threads), std::vector<float>(16 * depth));
    const auto run = [&](int t) {
      for (int i = 0; i < 20; ++i) {
        k.decode_transposed(type, blocks.data(), quant::num_bytes(type, depth), 16, 0, depth,
                            out[static_cast<std::size_t>(t)].data());
      }
    };
    run(0);
    std::vector<float> row(static_cast<std::size_t>(depth));
    quant::decode(type, blocks.data() + 5 * quant::num_bytes(type, depth), depth, row.data());
    for (std::int64_t i = 0; i < depth; ++i) {
      if (out[0][static_cast<std::size_t>(i * 16 + 5)] != row[static_cast<std::size_t>(i)]) fail("decode_transposed");
    }
    const double rate = 20.0 * 16 * depth * num_threads / best_seconds(run, 0.05);
    std::printf("decode_transposed   %-5s        %8.2f Gweights/s\n", quant::traits(type).name.data(), rate / 1e9);
  }
}

/// All panels of a matrix too large for the caches, split between the threads, as decoding meets it.
void bench_quantized(const Kernels& k, const kernels::Peaks& peaks) {
  const int width = k.quantized_columns;
  for (const DType type : kernels::testing::kPackable) {
    for (const std::int64_t depth : {640, 1024, 2048}) {
      if (k.packed_bytes(type, depth) == 0) continue;
      for (const std::int64_t rows : {1, 16, 128, 512}) {
        const std::int64_t columns = rows == 1 ? (std::int64_t{96} << 20) / depth / 64 * 64 : 64 * num_threads;
        const auto w = kernels::testing::pack(
            k, type, kernels::testing::random_blocks(4, type, columns, depth), columns, depth);
        const auto x = kernels::testing::quantize(k, kernels::testing::random_floats(5, rows * depth), rows, depth);
        std::vector<float> c(static_cast<std::size_t>(rows * columns));
        const auto run = [&](int t) {
          const std::int64_t begin = w.num_panels * t / num_threads, end = w.num_panels * (t + 1) / num_threads;
          for (std::int64_t m = 0; m < rows; m += 64) {
            for (std::int64_t p = begin; p < end; ++p) {
              k.quantized_product({.num_rows = std::min<std::int64_t>(64, rows - m),
                                   .depth = depth,
                                   .q = x.q.data() + m * depth,
                                   .scale = x.scale.data() + m * depth / 32,
                                   .sum16 = x.sum16.data() + m * depth / 16,
                                   .type = type,
                                   .panel = w.panel(p),
                                   .c = c.data() + m * columns + p * width,
                                   .c_row_stride = columns,
                                   .num_columns = width});
            }
          }
        };
        for (int t = 0; t < num_threads; ++t) run(t);
        const Kernels& scalar = *kernels::find_kernels("scalar");
        std::vector<float> want(static_cast<std::size_t>(rows * columns));
        scalar.quantized_product({.num_rows = rows, .depth = depth, .q = x.q.data(), .scale = x.scale.data(),
                                  .sum16 = x.sum16.data(), .type = type, .panel = w.panel(1), .c = want.data() + width,
                                  .c_row_stride = columns, .num_columns = width});
        for (std::int64_t m = 0; m < rows; ++m) {
          if (c[m * columns + width] != want[m * columns + width]) fail("quantized_product");
        }
        const double seconds = best_seconds(run, 0.1);
        const double ops = 2.0 * rows * depth * columns / seconds;
        const double bytes = static_cast<double>(w.storage.size()) / seconds;
        std::printf("quantized_product   %-5s M=%-3ld K=%-5ld %8.1f GOP/s  %5.1f %% of int8 peak, %5.2f x f32 peak", 
                    quant::traits(type).name.data(), rows, depth, ops / 1e9, 100 * ops / peaks.int8_ops,
                    ops / peaks.f32_flops);
        if (rows == 1) std::printf("; %5.1f GB/s, %5.1f %% of read peak", bytes / 1e9, 100 * bytes / peaks.read_bytes_per_s);
        std::printf("\n");
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  num_threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 2;
  const Kernels* table = argc > 2 ? kernels::find_kernels(argv[2]) : &kernels::kernels();
  if (table == nullptr) {
    std::fprintf(stderr, "bench_kernels: this machine has no table \"%s\"\n", argv[2]);
    return 1;
  }
  const std::string only = argc > 3 ? argv[3] : "";
  const kernels::Peaks peaks = kernels::measure_peaks(num_threads);
  std::printf("%d threads, %s\npeaks: f32 FMA %.1f GFLOP/s, int8 %.1f GOP/s, read %.1f GB/s\n", num_threads,
              std::string(table->isa).c_str(), peaks.f32_flops / 1e9, peaks.int8_ops / 1e9,
              peaks.read_bytes_per_s / 1e9);
  if (only.empty() || only == "panel") bench_panel_product(*table, peaks);
  if (only.empty() || only == "decode") bench_decode_transposed(*table);
  if (only.empty() || only == "int8") bench_quantized(*table, peaks);
}
