#include "onggi/datasets/answers.h"

#include <array>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/core/options.h"
#include "onggi/datasets/encoding.h"

namespace onggi::datasets {
namespace {

/// A JSON list of strings and nothing else, as Python's json.loads reads it: lone surrogates in escapes are kept (as
/// three bytes each), so that what the reference scorer counts as valid is valid here.
class StringListParser {
 public:
  explicit StringListParser(std::string_view text) : text_(text) {}

  std::optional<std::vector<std::string>> parse() {
    std::vector<std::string> strings;
    skip_space();
    if (!take('[')) return std::nullopt;
    skip_space();
    if (!take(']')) {
      do {
        skip_space();
        std::string value;
        if (!read_string(value)) return std::nullopt;
        strings.push_back(std::move(value));
        skip_space();
      } while (take(','));
      if (!take(']')) return std::nullopt;
    }
    skip_space();
    if (position_ != text_.size()) return std::nullopt;
    return strings;
  }

 private:
  void skip_space() {
    while (position_ < text_.size() && std::string_view(" \t\n\r").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }

  bool take(char c) {
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  bool read_string(std::string& value) {
    if (!take('"')) return false;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        value.push_back(c);
      } else if (!read_escape(value)) {
        return false;
      }
    }
    return false;
  }

  bool read_escape(std::string& value) {
    if (position_ >= text_.size()) return false;
    const char c = text_[position_++];
    constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
    if (const auto known = kNames.find(c); known != std::string_view::npos) {
      value.push_back(kValues[known]);
      return true;
    }
    unsigned unit = 0;
    if (c != 'u' || !read_hex(unit)) return false;
    if (unit >= 0xD800 && unit < 0xDC00 && text_.substr(position_, 2) == "\\u") {
      const std::size_t before = position_;
      position_ += 2;
      unsigned low = 0;
      if (read_hex(low) && low >= 0xDC00 && low < 0xE000) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      } else {
        position_ = before;
      }
    }
    append_code_point(value, unit);
    return true;
  }

  bool read_hex(unsigned& unit) {
    const std::string_view digits = text_.substr(position_, 4);
    if (digits.size() != 4) return false;
    unit = 0;
    for (const char d : digits) {
      const auto lower = static_cast<char>(d | 0x20);
      if (d >= '0' && d <= '9') {
        unit = unit * 16 + static_cast<unsigned>(d - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        unit = unit * 16 + static_cast<unsigned>(lower - 'a' + 10);
      } else {
        return false;
      }
    }
    position_ += 4;
    return true;
  }

  static void append_code_point(std::string& value, unsigned c) {
    const auto byte = [&](unsigned b) { value.push_back(static_cast<char>(b)); };
    if (c < 0x80) return byte(c);
    if (c < 0x800) {
      byte(0xC0 | c >> 6);
    } else if (c < 0x10000) {
      byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F));
    } else {
      byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F));
    }
    byte(0x80 | (c & 0x3F));
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

/// (.+?) '(.+?)' : (.+) over the whole text, where . is anything but a line feed. The last group takes all that is
/// left, so the first place where both marks follow in order is the match.
std::optional<Card> parse_card(std::string_view text) {
  if (text.find('\n') != std::string_view::npos) return std::nullopt;
  constexpr std::string_view kOpen = " '", kClose = "' : ";
  const std::size_t open = text.find(kOpen, 1);
  if (open == std::string_view::npos) return std::nullopt;
  const std::size_t entity = open + kOpen.size();
  const std::size_t close = text.find(kClose, entity + 1);
  if (close == std::string_view::npos || close + kClose.size() >= text.size()) return std::nullopt;
  return Card{.entity = std::string(text.substr(entity, close - entity)),
              .expression = std::string(text.substr(0, open)),
              .name = std::string(text.substr(close + kClose.size()))};
}

std::string convert_text(const Json& value, std::string_view where) {
  if (value.is_string()) return value.get<std::string>();
  require(value.is_number() || value.is_boolean(),
          [&] { return std::string("answer: expected text, found ") + value.type_name() + " (use |json)"; },
          ErrorCode::kInvalidArgument, where);
  return dump_json(value);
}

std::string convert_json(const Json& value, std::string_view) { return dump_json(value); }

std::string convert_cards(const Json& value, std::string_view where) { return cards_answer(cards_of(value, where)); }

constexpr std::array<std::pair<std::string_view, AnswerConverter>, 3> kConverters = {{
    {"cards", convert_cards},
    {"json", convert_json},
    {"text", convert_text},
}};

}  // namespace

std::vector<Card> cards_of(const Json& themes, std::string_view where) {
  require(themes.is_array(),
          [&] { return std::string("themes: expected a list of {entity, expression, name}, found ") + themes.type_name(); },
          ErrorCode::kInvalidArgument, where);
  std::vector<Card> cards;
  for (const Json& theme : themes) {
    Card card;
    for (const auto& [key, value] : {std::pair{"entity", &card.entity}, std::pair{"expression", &card.expression},
                                     std::pair{"name", &card.name}}) {
      require(theme.is_object() && theme.contains(key) && theme[key].is_string(),
              [&, key = key] { return std::string("themes: every theme needs \"") + key + "\" as text, found " + dump_json(theme); },
              ErrorCode::kInvalidArgument, where);
      *value = theme[key].get<std::string>();
    }
    cards.push_back(std::move(card));
  }
  return cards;
}

std::string card_text(const Card& card) { return card.expression + " '" + card.entity + "' : " + card.name; }

std::string cards_answer(std::span<const Card> cards) {
  std::string answer = "[";
  for (const auto& card : cards) answer += (answer.size() > 1 ? ", " : "") + dump_json(Json(card_text(card)));
  return answer + "]";
}

std::optional<std::vector<Card>> parse_cards(std::string_view answer) {
  if (find_invalid_utf8(answer) != std::string_view::npos) return std::nullopt;
  const auto strings = StringListParser(answer).parse();
  if (!strings) return std::nullopt;
  std::vector<Card> cards;
  for (const auto& text : *strings) {
    auto card = parse_card(text);
    if (!card) return std::nullopt;
    cards.push_back(std::move(*card));
  }
  return cards;
}

AnswerConverter find_converter(std::string_view name, std::string_view where) {
  std::vector<std::string> names;
  for (const auto& [known, converter] : kConverters) {
    if (known == name) return converter;
    names.emplace_back(known);
  }
  const auto nearest = nearest_name(name, names);
  throw Error(ErrorCode::kInvalidArgument,
              "unknown converter \"|" + std::string(name) + "\"; there are |cards, |json, |text" +
                  (nearest.empty() ? "" : " (did you mean |" + nearest + "?)"),
              std::string(where));
}

}  // namespace onggi::datasets
