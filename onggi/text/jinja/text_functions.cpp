// String functions as Python has them, on marked text.
#include <algorithm>
#include <array>

#include "onggi/text/jinja/interpreter.h"
#include "onggi/text/unicode.h"
#include "onggi/text/utf8.h"

namespace onggi::text::jinja {
namespace {

/// str.isspace: White_Space and the four separators U+001C to U+001F.
bool is_python_space(char32_t c) { return (char_class(c) & kSpace) != 0 || (c >= 0x1C && c <= 0x1F); }

std::size_t character_begin(std::string_view s, std::size_t end) {
  std::size_t begin = end - 1;
  while (begin > 0 && end - begin < 4 && (static_cast<unsigned char>(s[begin]) & 0xC0) == 0x80) --begin;
  // Only if it is one whole character; else the last byte alone.
  const Utf8Char c = next_utf8(s, begin);
  return c.valid && begin + static_cast<std::size_t>(c.length) == end ? begin : end - 1;
}

}  // namespace

std::vector<std::size_t> char_offsets(const MarkedText& text) {
  std::vector<std::size_t> offsets{0};
  for (std::size_t at = 0; at < text.size();) {
    at += static_cast<std::size_t>(next_utf8(text.bytes, at).length);
    offsets.push_back(at);
  }
  return offsets;
}

MarkedText strip_text(const MarkedText& text, std::string_view characters, bool left, bool right) {
  const std::string_view s = text.bytes;
  const auto goes = [&](std::size_t begin, std::size_t end) {
    if (characters.empty()) return is_python_space(next_utf8(s, begin).code);
    const std::string_view c = s.substr(begin, end - begin);
    for (std::size_t at = 0; at < characters.size();) {
      const auto length = static_cast<std::size_t>(next_utf8(characters, at).length);
      if (characters.substr(at, length) == c) return true;
      at += length;
    }
    return false;
  };
  std::size_t begin = 0;
  std::size_t end = s.size();
  while (left && begin < end) {
    const std::size_t next = begin + static_cast<std::size_t>(next_utf8(s, begin).length);
    if (!goes(begin, next)) break;
    begin = next;
  }
  while (right && end > begin) {
    const std::size_t previous = character_begin(s, end);
    if (!goes(previous, end)) break;
    end = previous;
  }
  return text.slice(begin, std::max(begin, end));
}

MarkedText replace_text(const MarkedText& text, const MarkedText& from, const MarkedText& to, std::int64_t limit) {
  MarkedText out;
  std::size_t done = 0;
  if (from.empty()) {  // Python puts it before each character and at the end.
    const auto offsets = char_offsets(text);
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      if (limit != 0) out.append(to);
      if (limit > 0) --limit;
      if (i + 1 < offsets.size()) out.append_slice(text, offsets[i], offsets[i + 1]);
    }
    return out;
  }
  for (std::size_t at; limit != 0 && (at = text.bytes.find(from.bytes, done)) != std::string::npos; --limit) {
    out.append_slice(text, done, at);
    out.append(to);
    done = at + from.size();
  }
  out.append_slice(text, done, text.size());
  return out;
}

MarkedText map_case(const MarkedText& text, const std::function<bool(std::size_t, char32_t)>& is_upper) {
  MarkedText out;
  char32_t previous = 0;
  std::size_t index = 0;
  for (std::size_t at = 0; at < text.size(); ++index) {
    const Utf8Char c = next_utf8(text.bytes, at);
    const auto end = at + static_cast<std::size_t>(c.length);
    if (c.valid) {
      out.append(is_upper(index, previous) ? to_upper(c.code) : to_lower(c.code), text.marks[at] != 0);
    } else {
      out.append_slice(text, at, end);
    }
    previous = c.code;
    at = end;
  }
  return out;
}

std::string format_date(const std::string& format, const std::string& date, Place place) {
  static constexpr std::array<const char*, 12> kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                                          "July",    "August",   "September", "October", "November", "December"};
  static constexpr std::array<const char*, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
  const auto number = [&](std::size_t at, std::size_t n) {
    int v = 0;
    for (std::size_t i = at; i < at + n; ++i) {
      if (i >= date.size() || date[i] < '0' || date[i] > '9') fail_at(place, "the date \"" + date + "\" should be YYYY-MM-DD");
      v = v * 10 + (date[i] - '0');
    }
    return v;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  if (date.size() != 10 || month < 1 || month > 12 || day < 1 || day > 31) {
    fail_at(place, "the date \"" + date + "\" should be YYYY-MM-DD");
  }
  // Sakamoto's day of the week.
  static constexpr std::array<int, 12> kShift = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
  const int y = month < 3 ? year - 1 : year;
  const int weekday = (y + y / 4 - y / 100 + y / 400 + kShift[static_cast<std::size_t>(month - 1)] + day) % 7;
  const std::string month_name = kMonths[static_cast<std::size_t>(month - 1)];
  const std::string day_name = kDays[static_cast<std::size_t>(weekday)];
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'Y': out += date.substr(0, 4); break;
      case 'y': out += date.substr(2, 2); break;
      case 'm': out += date.substr(5, 2); break;
      case 'd': out += date.substr(8, 2); break;
      case '-':  // %-d and %-m: without the leading zero.
        if (i + 1 < format.size() && (format[i + 1] == 'd' || format[i + 1] == 'm')) {
          out += std::to_string(format[++i] == 'd' ? day : month);
          break;
        }
        fail_at(place, "strftime_now knows %-d and %-m alone of the %- kind");
      case 'B': out += month_name; break;
      case 'b': out += month_name.substr(0, 3); break;
      case 'A': out += day_name; break;
      case 'a': out += day_name.substr(0, 3); break;
      case 'H': case 'M': case 'S': out += "00"; break;
      case '%': out += '%'; break;
      default: fail_at(place, std::string("strftime_now does not know %") + format[i]);
    }
  }
  return out;
}

}  // namespace onggi::text::jinja
