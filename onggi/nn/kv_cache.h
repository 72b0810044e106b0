#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "onggi/nn/context.h"

namespace onggi::nn {

/// Positions in one block of keys and values; equal to the panel width, so a block of keys is a panel.
inline constexpr int kBlockPositions = kernels::kPanelColumns;

/// Keys and values of kBlockPositions consecutive positions of one layer, for all kv heads:
/// keys [kv_heads][head_dim][16] (a panel a head), values [kv_heads][16][head_dim]. Positions not yet written are 0.
struct KvBlock {
  explicit KvBlock(std::int64_t num_floats) { data.resize(num_floats); }
  FloatBuffer data;
};

struct KvShape {
  int num_layers = 0;
  int num_kv_heads = 0;
  int head_dim = 0;
  /// Keys that a query of the layer sees, its own included; 0 = all.
  std::vector<int> windows;

  std::int64_t keys_floats() const { return std::int64_t{num_kv_heads} * head_dim * kBlockPositions; }
};

/// The keys and values of one row, per layer a list of blocks by position / 16. Blocks are shared between forks and
/// never written once shared: a fork copies only its last, partly filled block. Blocks that a sliding-window layer can't
/// see any more are released by the next `reserve`: until then the sequence may be cut back to any length since the last
/// one. Confined to one thread (appending to different layers or rows from several is fine).
class KvSequence {
 public:
  explicit KvSequence(const KvShape& shape);

  int length() const { return length_; }
  /// A row that continues this one (a shared prefix), after `pending` more positions that are reserved in this one but
  /// not committed yet.
  KvSequence fork(int pending = 0) const;

  /// Makes room for positions [length, length + count). Call once before a forward pass; `commit` after it.
  void reserve(int count);
  void commit(int count);
  /// Forgets positions from `length` on.
  void truncate(int length);

  /// Writes position `position` of `layer`: k and v are [kv_heads, head_dim].
  void write(int layer, int position, const float* k, const float* v);
  /// Panel of keys of block `block`, nullptr if released.
  const float* keys(int layer, int block, int kv_head) const;
  const float* values(int layer, int block, int kv_head) const;

  std::int64_t num_bytes() const;

 private:
  void release();

  const KvShape* shape_;
  int length_ = 0;
  std::vector<std::vector<std::shared_ptr<KvBlock>>> layers_;
};

}  // namespace onggi::nn
