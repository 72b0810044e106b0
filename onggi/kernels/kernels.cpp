#include "onggi/kernels/kernels.h"

#include <cpuid.h>

#include <cstdlib>
#include <string>

#include "onggi/core/error.h"
#include "onggi/kernels/cpu/tables.h"

namespace onggi::kernels {
namespace {

struct CpuFeatures {
  bool avx2 = false;
  bool avx512 = false;
};

/// What the processor has and the operating system saves (XCR0).
CpuFeatures detect() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return {};
  const auto bit = [](unsigned word, int n) { return (word >> n & 1U) != 0; };
  const bool has_xsave = bit(c, 27), has_fma = bit(c, 12), has_f16c = bit(c, 29), has_avx = bit(c, 28);
  if (!has_xsave) return {};
  unsigned xcr0 = 0, xcr0_high = 0;
  __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(xcr0_high) : "c"(0));
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return {};
  CpuFeatures found;
  found.avx2 = (xcr0 & 0x06U) == 0x06U && has_avx && has_fma && has_f16c && bit(b, 5);
  found.avx512 = found.avx2 && (xcr0 & 0xE6U) == 0xE6U && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31) &&
                 bit(c, 11);
  return found;
}

const Kernels& choose() {
  const std::vector<const Kernels*> tables = available_kernels();
  const char* wanted = std::getenv("ONGGI_ISA");
  if (wanted == nullptr || *wanted == '\0') return *tables.back();
  if (const Kernels* table = find_kernels(wanted)) return *table;
  std::string names;
  for (const Kernels* table : tables) names += (names.empty() ? "" : ", ") + std::string(table->isa);
  throw Error(ErrorCode::kInvalidArgument,
              "ONGGI_ISA is \"" + std::string(wanted) + "\", expected one that this machine has: " + names);
}

}  // namespace

std::vector<const Kernels*> available_kernels() {
  static const CpuFeatures features = detect();
  std::vector<const Kernels*> tables = {&kScalarKernels};
  if (features.avx2) tables.push_back(&kAvx2Kernels);
  if (features.avx512) tables.push_back(&kAvx512Kernels);
  return tables;
}

const Kernels* find_kernels(std::string_view isa) {
  for (const Kernels* table : available_kernels()) {
    if (table->isa == isa) return table;
  }
  return nullptr;
}

const EncoderKernels& encoder_kernels(std::string_view isa) {
  static constexpr const EncoderKernels* kAll[] = {&kScalarEncoderKernels, &kAvx2EncoderKernels, &kAvx512EncoderKernels};
  for (const EncoderKernels* table : kAll) {
    if (table->isa == isa) return *table;
  }
  return kScalarEncoderKernels;
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace onggi::kernels
