#include "onggi/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "onggi/core/error.h"
#include "onggi/kernels/peaks.h"

namespace onggi::kernels {
namespace {

TEST(Kernels, ScalarIsAlwaysThereAndFirst) {
  const auto tables = available_kernels();
  ASSERT_FALSE(tables.empty());
  EXPECT_EQ(tables.front()->isa, "scalar");
  for (const Kernels* table : tables) EXPECT_EQ(find_kernels(table->isa), table);
  EXPECT_EQ(find_kernels("mmx"), nullptr);
  EXPECT_EQ(find_kernels(""), nullptr);
}

TEST(Kernels, EveryEntryOfEveryTableIsFilled) {
  for (const Kernels* t : available_kernels()) {
    EXPECT_GT(t->quantized_columns, 0);
    EXPECT_TRUE(t->panel_product && t->decode && t->decode_transposed && t->quantize_rows && t->packed_bytes &&
                t->pack_quantized && t->quantized_product && t->rms_norm && t->rms_norm_backward && t->gated &&
                t->gated_backward && t->softmax_unscaled && t->add && t->scale && t->dot)
        << t->isa;
  }
}

/// What choosing a table under ONGGI_ISA=`isa` comes to: 0 the table of that name, 1 another, 2 + the code of an error.
int choose_in_this_process(const char* isa) {
  setenv("ONGGI_ISA", isa, 1);
  try {
    return kernels().isa == isa ? 0 : 1;
  } catch (const Error& e) {
    return 2 + static_cast<int>(e.code());
  }
}

TEST(Kernels, TheEnvironmentNamesTheTableOrIsRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr int kRefused = 2 + static_cast<int>(ErrorCode::kInvalidArgument);
  EXPECT_EXIT(std::exit(choose_in_this_process("scalar")), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(choose_in_this_process("mmx")), ::testing::ExitedWithCode(kRefused), "");
}

TEST(Peaks, AreMeasured) {
  const Peaks peaks = measure_peaks(1);
  EXPECT_GT(peaks.f32_flops, 1e8);
  EXPECT_GT(peaks.int8_ops, 1e8);
  EXPECT_GT(peaks.read_bytes_per_s, 1e7);
}

}  // namespace
}  // namespace onggi::kernels
