#include "onggi/kernels/cpu/tables.h"

namespace onggi::kernels {
namespace {

#include "onggi/kernels/cpu/scalar/simd.inl"
// The panel's integer sums, then what is common to all sets.
#include "onggi/kernels/cpu/scalar/block_sums.inl"
#include "onggi/kernels/cpu/generic/table.inl"

}  // namespace

constinit const Kernels kScalarKernels = make_table("scalar");

}  // namespace onggi::kernels
