#if !defined(__clang__)
// g++ 12 takes the undefined operand inside its own AVX-512 headers for a read of an uninitialised variable.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

#include "onggi/kernels/cpu/tables.h"

namespace onggi::kernels {
namespace {

#include "onggi/kernels/cpu/avx512/simd.inl"
#include "onggi/kernels/cpu/generic/decode.inl"
#include "onggi/kernels/cpu/generic/quantized_pack.inl"
#include "onggi/kernels/cpu/avx512/block_sums.inl"
#include "onggi/kernels/cpu/generic/table.inl"

}  // namespace

constinit const Kernels kAvx512Kernels = make_table("avx512");
constinit const PeakLoops kAvx512PeakLoops = {peak_f32_fma, peak_int8_product};
constinit const EncoderKernels kAvx512EncoderKernels = make_encoder_table("avx512");

}  // namespace onggi::kernels
