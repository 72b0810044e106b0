#include "onggi/kernels/kernels.h"

#include <gtest/gtest.h>

#include "onggi/core/error.h"

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

}  // namespace
}  // namespace onggi::kernels
