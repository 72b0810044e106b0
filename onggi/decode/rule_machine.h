#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "onggi/decode/automaton.h"
#include "onggi/decode/machine.h"

namespace onggi::decode {

/// A rule whose body is an automaton; its slot edges are calls.
class RuleMachine : public Machine {
 public:
  /// `called` is the rule of each slot, `contents` says which have a text. Throws kInvalidArgument where no text ends.
  RuleMachine(std::shared_ptr<const Nfa> nfa, std::vector<int> called, std::vector<SlotContent> contents)
      : nfa_(std::move(nfa)),
        called_(std::move(called)),
        contents_(std::move(contents)),
        dfa_(std::make_unique<Dfa>(nfa_, contents_)) {}

  int start() override { return dfa_->start(); }
  int next(int state, std::uint8_t byte) override { return dfa_->next(state, byte); }
  bool is_accepting(int state) override { return dfa_->is_accepting(state); }
  bool is_last(int state) override {
    return dfa_->is_accepting(state) && dfa_->slot_edges(state).empty() && dfa_->is_last(state);
  }
  void calls(int state, std::vector<Call>& out) override {
    for (const auto& edge : dfa_->slot_edges(state)) {
      if (contents_[static_cast<std::size_t>(edge.slot)] == SlotContent::kNothing) continue;
      out.push_back({called_[static_cast<std::size_t>(edge.slot)], dfa_->at(edge.target)});
    }
  }
  void forget() override { dfa_ = std::make_unique<Dfa>(nfa_, contents_); }

 private:
  std::shared_ptr<const Nfa> nfa_;
  std::vector<int> called_;
  std::vector<SlotContent> contents_;
  std::unique_ptr<Dfa> dfa_;
};

}  // namespace onggi::decode
