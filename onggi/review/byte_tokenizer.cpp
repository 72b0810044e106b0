#include "onggi/review/byte_tokenizer.h"

#include <array>
#include <string>

namespace onggi::review {
namespace {

class ByteTokenizer : public text::Tokenizer {
 public:
  ByteTokenizer() {
    for (std::size_t byte = 0; byte < bytes_.size(); ++byte) bytes_[byte] = static_cast<char>(byte);
  }
  int vocab_size() const override { return kEnd + 1; }
  void encode(std::string_view text, std::vector<int>& ids) const override {
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  }
  void encode_with_control(std::string_view text, std::vector<int>& ids) const override { encode(text, ids); }
  std::string_view token_bytes(int id) const override {
    if (id == kEnd) return "<end>";
    return id < 0 || id > kEnd ? std::string_view() : std::string_view(bytes_.data() + id, 1);
  }
  bool is_control(int id) const override { return id < 0 || id >= kEnd; }
  int bos_id() const override { return -1; }
  int eos_id() const override { return kEnd; }
  int id_of(std::string_view token) const override {
    return token.size() == 1 ? static_cast<unsigned char>(token[0]) : token == "<end>" ? kEnd : -1;
  }
  std::span<const int> stop_ids() const override { return {&kEnd, 1}; }
  bool adds_bos() const override { return false; }
  const std::string& chat_template() const override { return empty_; }
  std::string_view kind() const override { return "bytes"; }
  const std::string& content_hash() const override { return empty_; }

 private:
  static constexpr int kEnd = 256;
  std::array<char, 256> bytes_;
  const std::string empty_;
};

}  // namespace

std::shared_ptr<const text::Tokenizer> byte_tokenizer() { return std::make_shared<ByteTokenizer>(); }

}  // namespace onggi::review
