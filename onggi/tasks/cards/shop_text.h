#pragma once

#include <string_view>

namespace onggi::tasks {

/// The fixed texts of the shop front, in the language of its cards.
struct ShopText {
  static constexpr std::string_view kSkip = "본문으로 건너뛰기";
  static constexpr std::string_view kTagline = "써 본 사람들의 말로 고르는 상품";
  static constexpr std::string_view kTopics = "주제별 카드";
  static constexpr std::string_view kToday = "오늘의 카드";
  static constexpr std::string_view kSeePicture = "카드 크게 보기";
  static constexpr std::string_view kAll = "모든 카드";
  static constexpr std::string_view kCards = "장";  ///< After a number of cards.
  static constexpr std::string_view kRowHelp = "옆으로 넘겨 보세요";
  static constexpr std::string_view kTop = "맨 위로";
  static constexpr std::string_view kSource = "카드의 문구는 상품 후기에서 왔습니다.";
};

}  // namespace onggi::tasks
