#include "onggi/runtime/prefix_cache.h"

#include <algorithm>

namespace onggi::runtime {
namespace {

std::vector<int> piece_at(std::span<const int> tokens, int begin) {
  const auto piece = tokens.subspan(static_cast<std::size_t>(begin), PrefixCache::kPieceTokens);
  return {piece.begin(), piece.end()};
}

}  // namespace

std::optional<CachedPrefix> PrefixCache::find(const std::string& key, std::span<const int> tokens, bool needs_sum) {
  const auto root = roots_.find(key);
  if (root == roots_.end()) return std::nullopt;
  Node* node = &root->second;
  for (int begin = 0; begin + kPieceTokens < static_cast<int>(tokens.size()); begin += kPieceTokens) {
    const auto child = node->children.find(piece_at(tokens, begin));
    if (child == node->children.end() || (needs_sum && !child->second->state_sum)) break;
    node = child->second.get();
  }
  if (!node->sequence) return std::nullopt;
  touch(*node);
  return CachedPrefix{node->sequence->fork(), node->state_sum};
}

void PrefixCache::insert(const std::string& key, std::span<const int> tokens, const nn::KvSequence& sequence, int first,
                         const StateSums& sums) {
  if (max_pieces_ == 0) return;
  Node* node = &roots_[key];
  const int last = std::min(sequence.length(), static_cast<int>(tokens.size()));
  for (int end = kPieceTokens; end <= last; end += kPieceTokens) {
    auto piece = piece_at(tokens, end - kPieceTokens);
    const auto sum = sums.find(end);
    const auto found = node->children.find(piece);
    if (found != node->children.end()) {
      node = found->second.get();
      if (sum != sums.end()) node->state_sum = sum->second;
      continue;
    }
    if (end <= first) return;
    auto child = std::make_unique<Node>();
    child->parent = node;
    child->piece = piece;
    child->sequence = sequence.fork();
    child->sequence->truncate(end);
    if (sum != sums.end()) child->state_sum = sum->second;
    child->use = by_use_.emplace(++clock_, child.get()).first;
    node = node->children.emplace(std::move(piece), std::move(child)).first->second.get();
    ++num_pieces_;
  }
  touch(*node);
  make_room();
}

/// The node and everything above it, the top last.
void PrefixCache::touch(Node& node) {
  for (Node* at = &node; at->parent != nullptr; at = at->parent) {
    by_use_.erase(at->use);
    at->use = by_use_.emplace(++clock_, at).first;
  }
}

void PrefixCache::drop(Node& leaf) {
  by_use_.erase(leaf.use);
  --num_pieces_;
  leaf.parent->children.erase(std::vector<int>(leaf.piece));  // a copy: the key dies with the leaf
}

void PrefixCache::make_room() {
  while (num_pieces_ > max_pieces_) drop(*by_use_.begin()->second);
}

void PrefixCache::forget(Node& node) {
  for (auto& [piece, child] : node.children) {
    forget(*child);
    by_use_.erase(child->use);
    --num_pieces_;
  }
  node.children.clear();
}

void PrefixCache::erase(const std::string& key) {
  const auto root = roots_.find(key);
  if (root == roots_.end()) return;
  forget(root->second);
  roots_.erase(root);
}

}  // namespace onggi::runtime
