#include "onggi/server/guide_cache.h"

#include <chrono>

namespace onggi::server {

std::shared_ptr<const decode::Guide> GuideCache::get(const Json& spec) {
  const std::string text = dump_json(spec);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_text_.find(text); found != by_text_.end()) {
      by_use_.splice(by_use_.begin(), by_use_, found->second);
      return found->second->second;
    }
  }
  const auto began = std::chrono::steady_clock::now();
  auto guide = decode::compile_guide(spec, tokenizer_);
  metrics_.grammar_compile_seconds.observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  const std::lock_guard lock(mutex_);
  if (const auto found = by_text_.find(text); found != by_text_.end())
    return found->second->second;  // somebody was faster
  by_use_.emplace_front(text, guide);
  by_text_[text] = by_use_.begin();
  while (by_use_.size() > max_guides_) {
    by_text_.erase(by_use_.back().first);
    by_use_.pop_back();
  }
  return guide;
}

}  // namespace onggi::server
