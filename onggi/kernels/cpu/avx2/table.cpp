#include <immintrin.h>

#include "onggi/kernels/cpu/tables.h"

namespace onggi::kernels {
namespace {

#include "onggi/kernels/cpu/avx2/simd.inl"
// The panel's integer sums, then what is common to all sets.
#include "onggi/kernels/cpu/avx2/block_sums.inl"
#include "onggi/kernels/cpu/generic/table.inl"

}  // namespace

constinit const Kernels kAvx2Kernels = make_table("avx2");

}  // namespace onggi::kernels
