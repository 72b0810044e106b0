#pragma once

#include <span>
#include <string>
#include <vector>

#include "onggi/text/tokenizer.h"

namespace onggi::runtime {

/// 320 ids: 0..2 control, the others the bytes of their number, so that every text can be spelt.
class NumberTokenizer : public text::Tokenizer {
 public:
  NumberTokenizer() {
    for (int i = 0; i < 320; ++i)
      pieces_.push_back(i < 3 ? "<" + std::to_string(i) + ">" : std::string(1, static_cast<char>('!' + i % 90)));
  }
  int vocab_size() const override { return 320; }
  void encode(std::string_view, std::vector<int>&) const override {}
  void encode_with_control(std::string_view, std::vector<int>&) const override {}
  std::string_view token_bytes(int id) const override { return pieces_[static_cast<std::size_t>(id)]; }
  bool is_control(int id) const override { return id < 3; }
  int bos_id() const override { return 2; }
  int eos_id() const override { return 1; }
  int id_of(std::string_view) const override { return -1; }
  std::span<const int> stop_ids() const override { return stop_; }
  bool adds_bos() const override { return true; }
  const std::string& chat_template() const override { return empty_; }
  std::string_view kind() const override { return "numbers"; }
  const std::string& content_hash() const override { return empty_; }

 private:
  std::vector<std::string> pieces_;
  std::vector<int> stop_ = {1};
  std::string empty_;
};

}  // namespace onggi::runtime
