#pragma once

namespace onggi::kernels {

/// What this machine can do at most, measured: the yardstick for `onggi bench` and bench_kernels. One multiply-add counts
/// as two operations.
struct Peaks {
  double f32_flops = 0;             ///< f32 FMA in registers, per second, all threads together.
  double int8_ops = 0;              ///< 8-bit multiply-adds in registers, as block_sums does them.
  double bf16_flops = 0;            ///< 0: no table uses bf16 instructions.
  double read_bytes_per_s = 0;      ///< Reading memory that no cache holds.
};

/// Measures with `num_threads` threads at once and the best table of this machine; takes about half a second. Uses 64 MiB
/// a thread. The caller keeps other work off the cores.
Peaks measure_peaks(int num_threads);

}  // namespace onggi::kernels
