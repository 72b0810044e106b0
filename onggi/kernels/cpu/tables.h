#pragma once

#include <cstdint>

#include "onggi/kernels/encoder_kernels.h"
#include "onggi/kernels/kernels.h"

/// What the instruction sets hand to kernels.cpp and peaks.cpp, constant-initialised.
namespace onggi::kernels {

/// Loops over registers alone; each returns the number of operations done in `iterations` turns.
struct PeakLoops {
  double (*f32_fma)(std::int64_t iterations);
  double (*int8_product)(std::int64_t iterations);
};

extern const Kernels kScalarKernels;
extern const Kernels kAvx2Kernels;    ///< AVX2, FMA, F16C
extern const Kernels kAvx512Kernels;  ///< AVX-512 F, BW, VL, DQ, VNNI
extern const PeakLoops kScalarPeakLoops;
extern const PeakLoops kAvx2PeakLoops;
extern const PeakLoops kAvx512PeakLoops;
extern const EncoderKernels kScalarEncoderKernels;
extern const EncoderKernels kAvx2EncoderKernels;
extern const EncoderKernels kAvx512EncoderKernels;

}  // namespace onggi::kernels
