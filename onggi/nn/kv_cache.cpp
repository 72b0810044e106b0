#include "onggi/nn/kv_cache.h"

#include <algorithm>
#include <cstring>

namespace onggi::nn {

KvSequence::KvSequence(const KvShape& shape) : shape_(&shape), layers_(static_cast<std::size_t>(shape.num_layers)) {}

KvSequence KvSequence::fork(int pending) const {
  KvSequence copy = *this;
  copy.length_ += pending;
  return copy;
}

void KvSequence::reserve(int count) {
  release();
  const int num_blocks = (length_ + count + kBlockPositions - 1) / kBlockPositions;
  const int first_written = length_ / kBlockPositions;
  for (auto& blocks : layers_) {
    // The block that holds the next position may be shared with other rows: this row gets its own copy.
    if (first_written < static_cast<int>(blocks.size())) {
      auto& block = blocks[static_cast<std::size_t>(first_written)];
      if (block.use_count() > 1) {
        auto copy = std::make_shared<KvBlock>(2 * shape_->keys_floats());
        std::memcpy(copy->data.data(), block->data.data(),
                    static_cast<std::size_t>(2 * shape_->keys_floats()) * sizeof(float));
        block = std::move(copy);
      }
    }
    while (static_cast<int>(blocks.size()) < num_blocks) {
      blocks.push_back(std::make_shared<KvBlock>(2 * shape_->keys_floats()));
    }
  }
}

void KvSequence::commit(int count) { length_ += count; }

void KvSequence::release() {
  for (int layer = 0; layer < shape_->num_layers; ++layer) {
    const int window = shape_->windows[static_cast<std::size_t>(layer)];
    if (window == 0) continue;
    // The next query is at length_; it sees positions > length_ - window.
    const int first_seen = std::max(0, length_ - window + 1) / kBlockPositions;
    auto& blocks = layers_[static_cast<std::size_t>(layer)];
    for (int b = std::min(first_seen, static_cast<int>(blocks.size())) - 1; b >= 0; --b) {
      if (!blocks[static_cast<std::size_t>(b)]) break;
      blocks[static_cast<std::size_t>(b)].reset();
    }
  }
}

void KvSequence::truncate(int length) {
  length_ = std::min(length_, length);
  const auto keep = static_cast<std::size_t>((length_ + kBlockPositions - 1) / kBlockPositions);
  for (auto& blocks : layers_) blocks.resize(std::min(blocks.size(), keep));
}

void KvSequence::write(int layer, int position, const float* k, const float* v) {
  KvBlock& block = *layers_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(position / kBlockPositions)];
  const int slot = position % kBlockPositions;
  const int width = shape_->head_dim;
  for (int head = 0; head < shape_->num_kv_heads; ++head) {
    float* keys = block.data.data() + std::int64_t{head} * width * kBlockPositions;
    for (int d = 0; d < width; ++d) keys[d * kBlockPositions + slot] = k[head * width + d];
    float* values = block.data.data() + shape_->keys_floats() + (std::int64_t{head} * kBlockPositions + slot) * width;
    std::memcpy(values, v + std::int64_t{head} * width, static_cast<std::size_t>(width) * sizeof(float));
  }
}

const float* KvSequence::keys(int layer, int block, int kv_head) const {
  const auto& held = layers_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(block)];
  return held ? held->data.data() + std::int64_t{kv_head} * shape_->head_dim * kBlockPositions : nullptr;
}

const float* KvSequence::values(int layer, int block, int kv_head) const {
  const auto& held = layers_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(block)];
  return held ? held->data.data() + shape_->keys_floats() + std::int64_t{kv_head} * shape_->head_dim * kBlockPositions
              : nullptr;
}

std::int64_t KvSequence::num_bytes() const {
  std::int64_t blocks = 0;
  for (const auto& layer : layers_) blocks += std::count_if(layer.begin(), layer.end(), [](const auto& b) { return b != nullptr; });
  return blocks * 2 * shape_->keys_floats() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace onggi::nn
