#pragma once

#include <cstdint>

#include "onggi/kernels/kernels.h"

/// What the instruction sets hand to kernels.cpp: one table each, constant-initialised.
namespace onggi::kernels {

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;    ///< AVX2, FMA, F16C
extern const Kernels kAvx512Kernels;  ///< AVX-512 F, BW, VL, DQ, VNNI

}  // namespace onggi::kernels
