#include <immintrin.h>

#include "onggi/kernels/cpu/tables.h"

namespace onggi::kernels {
namespace {

#include "onggi/kernels/cpu/avx2/simd.inl"
#include "onggi/kernels/cpu/generic/decode.inl"
#include "onggi/kernels/cpu/generic/quantized_pack.inl"
#include "onggi/kernels/cpu/avx2/block_sums.inl"
#include "onggi/kernels/cpu/generic/table.inl"

}  // namespace

constinit const Kernels kAvx2Kernels = make_table("avx2");
constinit const PeakLoops kAvx2PeakLoops = {peak_f32_fma, peak_int8_product};
constinit const EncoderKernels kAvx2EncoderKernels = make_encoder_table("avx2");

}  // namespace onggi::kernels
