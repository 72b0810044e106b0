#include "onggi/kernels/cpu/tables.h"

namespace onggi::kernels {
namespace {

#include "onggi/kernels/cpu/scalar/simd.inl"
#include "onggi/kernels/cpu/generic/decode.inl"
#include "onggi/kernels/cpu/generic/quantized_pack.inl"
#include "onggi/kernels/cpu/scalar/block_sums.inl"
#include "onggi/kernels/cpu/generic/table.inl"

}  // namespace

constinit const Kernels kScalarKernels = make_table("scalar");
constinit const PeakLoops kScalarPeakLoops = {peak_f32_fma, peak_int8_product};
constinit const EncoderKernels kScalarEncoderKernels = make_encoder_table("scalar");

}  // namespace onggi::kernels
