// All of a table, in the including file's anonymous namespace. Before it come simd.inl, decode.inl, quantized_pack.inl and
// block_sums.inl of the set.
#include "onggi/kernels/cpu/generic/panel_product.inl"
#include "onggi/kernels/cpu/generic/int8_panel_product.inl"
#include "onggi/kernels/cpu/generic/elementwise.inl"
#include "onggi/kernels/cpu/generic/quantized_product.inl"
#include "onggi/kernels/cpu/generic/encoder.inl"
#include "onggi/kernels/cpu/generic/peak_loops.inl"

constexpr Kernels make_table(std::string_view isa) {
  return {.isa = isa,
          .quantized_columns = kQuantizedColumns,
          .panel_product = panel_product,
          .int8_panel_product = int8_panel_product,
          .decode = decode,
          .decode_transposed = decode_transposed,
          .quantize_rows = quantize_rows,
          .packed_bytes = packed_bytes,
          .pack_quantized = pack_quantized,
          .quantized_product = quantized_product,
          .rms_norm = rms_norm,
          .rms_norm_backward = rms_norm_backward,
          .gated = gated,
          .gated_backward = gated_backward,
          .softmax_unscaled = softmax_unscaled,
          .highest = highest,
          .exp_below = exp_below,
          .sum_exp_below = sum_exp_below,
          .add = add,
          .scale = scale,
          .dot = dot};
}

constexpr EncoderKernels make_encoder_table(std::string_view isa) {
  return {.isa = isa, .layer_norm = layer_norm, .add_bias_gelu = add_bias_gelu, .add_bias = add_bias};
}
