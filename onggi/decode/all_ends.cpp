#include "onggi/decode/all_ends.h"

#include <algorithm>
#include <iterator>

namespace onggi::decode {
namespace {

std::vector<int> united(std::span<const int> a, std::span<const int> b) {
  std::vector<int> both;
  std::ranges::set_union(a, b, std::back_inserter(both));
  return both;
}

/// A guide has one end of its own, `first`, which stands for the others.
struct Ends {
  int first = -1;
  std::vector<int> all;  ///< Ascending.
};

class AllEndsState : public GuideState {
 public:
  AllEndsState(std::unique_ptr<GuideState> inner, std::shared_ptr<const Ends> ends)
      : inner_(std::move(inner)), ends_(std::move(ends)) {}

  std::span<const int> allowed() override {
    const auto ids = inner_->allowed();
    if (!std::ranges::binary_search(ids, ends_->first)) return ids;
    both_ = united(ids, ends_->all);
    return both_;
  }
  void advance(int id) override {
    const bool is_end = std::ranges::binary_search(ends_->all, id);
    inner_->advance(is_end ? ends_->first : id);
  }
  bool is_finished() const override { return inner_->is_finished(); }
  std::unique_ptr<GuideState> fork() const override { return std::make_unique<AllEndsState>(inner_->fork(), ends_); }

 private:
  std::unique_ptr<GuideState> inner_;
  std::shared_ptr<const Ends> ends_;
  std::vector<int> both_;
};

class AllEndsGuide : public Guide {
 public:
  AllEndsGuide(std::shared_ptr<const Guide> inner, Ends ends)
      : inner_(std::move(inner)),
        ends_(std::make_shared<const Ends>(std::move(ends))),
        reachable_(united(inner_->reachable(), ends_->all)) {}

  std::unique_ptr<GuideState> start(const Slots& slots) const override {
    return std::make_unique<AllEndsState>(inner_->start(slots), ends_);
  }
  std::span<const int> reachable() const override { return reachable_; }
  std::vector<int> reachable_from(const Slots& slots) const override { return inner_->reachable_from(slots); }
  bool accepts(std::string_view text, const Slots& slots) const override { return inner_->accepts(text, slots); }

 private:
  std::shared_ptr<const Guide> inner_;
  std::shared_ptr<const Ends> ends_;
  std::vector<int> reachable_;
};

}  // namespace

std::shared_ptr<const Guide> with_all_ends(std::shared_ptr<const Guide> guide, const text::Tokenizer& tokenizer) {
  const auto stops = tokenizer.stop_ids();
  Ends ends{.first = tokenizer.eos_id() >= 0 || stops.empty() ? tokenizer.eos_id() : stops[0],
            .all = {stops.begin(), stops.end()}};
  ends.all.push_back(ends.first);
  std::ranges::sort(ends.all);
  ends.all.erase(std::unique(ends.all.begin(), ends.all.end()), ends.all.end());
  if (ends.all.size() == 1) return guide;
  return std::make_shared<const AllEndsGuide>(std::move(guide), std::move(ends));
}

}  // namespace onggi::decode
