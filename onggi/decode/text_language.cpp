#include "onggi/decode/text_language.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "onggi/core/error.h"
#include "onggi/decode/regex.h"

namespace onggi::decode {
namespace {

ByteDfa searched(std::string_view source, const std::string& where) {
  return ByteDfa::of_search(parse_regex(source, {.has_slots = false, .has_anchors = true, .where = where}));
}

/// Tells `see(index, depth)` of each sign that is neither escaped nor inside a class, with the number of groups that
/// are open after it, until that says true: gives where, or npos.
template <class See>
std::size_t find_outside_of_classes(std::string_view text, See see) {
  int depth = 0;
  bool in_class = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = text[i] != ']';
    } else if (text[i] == '[') {
      in_class = true;
    } else {
      if (text[i] == '(' || text[i] == ')') depth += text[i] == '(' ? 1 : -1;
      if (see(i, depth)) return i;
    }
  }
  return std::string_view::npos;
}

/// Length of the group that begins the text, with its brackets; 0 if it does not end.
std::size_t group_length(std::string_view text) {
  return find_outside_of_classes(text, [&](std::size_t i, int depth) { return text[i] == ')' && depth == 0; }) + 1;
}

/// Alternatives outside of groups.
bool has_top_alternative(std::string_view text) {
  const auto is_top = [&](std::size_t i, int depth) { return text[i] == '|' && depth == 0; };
  return find_outside_of_classes(text, is_top) != std::string_view::npos;
}

// RFC 3339, with the leap day in leap years and the leap second at the end of a day of UTC.
const std::string kDate =
    "(\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
    "|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
const std::string kTime =
    "(([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)|23:59:60(\\.\\d+)?([Zz]|[+-]00:"
    "00))";
const std::string kTimeSpan = "T(\\d+H(\\d+M(\\d+S)?)?|\\d+M(\\d+S)?|\\d+S)";
const std::string kDuration =
    "P((\\d+Y(\\d+M(\\d+D)?)?|\\d+M(\\d+D)?|\\d+D)(" + kTimeSpan + ")?|" + kTimeSpan + "|\\d+W)";
// RFC 1123; labels whose third and fourth sign are hyphens are reserved (RFC 5891), and not judged here.
const std::string kLabel = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const std::string kHostname = kLabel + "(\\." + kLabel + ")*";
const std::string kByte = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const std::string kIpv4 = kByte + "(\\." + kByte + "){3}";

// RFC 4291, section 2.2.
std::string ipv6() {
  const std::string group = "[0-9A-Fa-f]{1,4}";
  const std::string last = "(" + group + ":" + group + "|" + kIpv4 + ")";
  std::string all = "(" + group + ":){6}" + last;
  for (int before = 0; before <= 7; ++before) {  // Groups before "::".
    const std::string front = before == 0 ? "::" : group + "(:" + group + "){" + std::to_string(before - 1) + "}::";
    const int after = 7 - before;
    std::string tail;
    if (after >= 2) tail = "((" + group + ":){0," + std::to_string(after - 2) + "}" + last + "|" + group + ")?";
    if (after == 1) tail = "(" + group + ")?";
    all += "|" + front + tail;
  }
  return "(" + all + ")";
}

// RFC 5321 and 5322 without comments.
const std::string kAtom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const std::string kWideAtom = "([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[\\u0080-\\uFFFF]|[^\\u0000-\\uFFFF])+";
std::string email(const std::string& atom, const std::string& wide, const std::string& host) {
  return "(" + atom + "(\\." + atom + ")*|\"([ !#-\\[\\]-~" + wide + "]|\\\\[ -~])*\")@(" + host + "|\\[(" + kIpv4 +
         "|IPv6:" + ipv6() + ")\\])";
}

// RFC 3986; `wide` are the characters that RFC 3987 adds, `wide_query` those that it adds in queries.
std::string uri(const std::string& wide, const std::string& wide_query, bool is_reference) {
  const std::string escaped = "%[0-9A-Fa-f]{2}";
  const std::string plain = "A-Za-z0-9._~!$&'()*+,;=" + wide + "\\-";
  const std::string pchar = "([:@" + plain + "]|" + escaped + ")";
  const std::string host =
      "(\\[(" + ipv6() + "|[vV][0-9A-Fa-f]+\\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\\]|([" + plain + "]|" + escaped + ")*)";
  const std::string authority = "((([" + plain + ":]|" + escaped + ")*)@)?" + host + "(:\\d*)?";
  const std::string segments = "(/" + pchar + "*)*";
  const std::string tail =
      "(\\?([/?:@" + plain + wide_query + "]|" + escaped + ")*)?(#([/?:@" + plain + "]|" + escaped + ")*)?";
  const std::string rooted = "//" + authority + segments + "|/(" + pchar + "+" + segments + ")?";
  const std::string whole = "[A-Za-z][A-Za-z0-9+.-]*:(" + rooted + "|" + pchar + "+" + segments + "|)" + tail;
  if (!is_reference) return whole;
  const std::string no_colon = "([@" + plain + "]|" + escaped + ")+";
  return "(" + whole + "|(" + rooted + "|" + no_colon + segments + "|)" + tail + ")";
}
const std::string kWide =
    "\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF"
    "\U00010000-\U0001FFFD\U00020000-\U0002FFFD\U00030000-\U0003FFFD\U00040000-\U0004FFFD\U00050000-\U0005FFFD"
    "\U00060000-\U0006FFFD\U00070000-\U0007FFFD\U00080000-\U0008FFFD\U00090000-\U0009FFFD\U000A0000-\U000AFFFD"
    "\U000B0000-\U000BFFFD\U000C0000-\U000CFFFD\U000D0000-\U000DFFFD\U000E1000-\U000EFFFD";
const std::string kWideQuery = "\\uE000-\\uF8FF\U000F0000-\U000FFFFD\U00100000-\U0010FFFD";

// RFC 4648; strings without line breaks.
const std::string kBase64 = "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?";
const std::string kBase32 = "([A-Z2-7]{8})*([A-Z2-7]{2}={6}|[A-Z2-7]{4}={4}|[A-Z2-7]{5}={3}|[A-Z2-7]{7}=)?";
const std::string kBase16 = "([0-9A-Fa-f]{2})*";

const std::string kJsonPointer = "(/([^~/]|~[01])*)*";
const std::string kTemplateName =
    "([A-Za-z0-9_]|%[0-9A-Fa-f]{2})(\\.?([A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*(:[1-9]\\d{0,3}|\\*)?";

const std::map<std::string, std::string>& expressions() {
  static const std::map<std::string, std::string> all = {
      {"date", kDate},
      {"time", kTime},
      {"date-time", kDate + "[Tt]" + kTime},
      {"duration", kDuration},
      {"hostname", kHostname},
      {"ipv4", kIpv4},
      {"ipv6", ipv6()},
      {"email", email(kAtom, "", kHostname)},
      {"idn-email", email(kWideAtom, "\\u0080-\\uFFFF\U00010000-\U0010FFFF", "([A-Za-z0-9.-]|[\\u0080-\\uFFFF])+")},
      {"uri", uri("", "", false)},
      {"uri-reference", uri("", "", true)},
      {"iri", uri(kWide, kWideQuery, false)},
      {"iri-reference", uri(kWide, kWideQuery, true)},
      {"uuid", "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"},
      {"json-pointer", kJsonPointer},
      {"relative-json-pointer", "(0|[1-9]\\d*)(#|" + kJsonPointer + ")"},
      {"uri-template", "([!#$&'()*+,\\-./0-;=?-\\[\\]_a-z~" + kWide + kWideQuery +
                           "]|%[0-9A-Fa-f]{2}|\\{[+#./;?&=,!@|]?" + kTemplateName + "(," + kTemplateName + ")*\\})*"},
  };
  return all;
}

}  // namespace

ByteDfa pattern_language(std::string_view source, const std::string& where) {
  // "^(?!a)b" are the texts of "^b" that are none of "^a".
  ByteDfa out = ByteDfa::universal();
  std::string rest(source);
  while (rest.starts_with("^(?!") || rest.starts_with("^(?=")) {
    const std::size_t length = group_length(std::string_view(rest).substr(1));
    if (length == 0 || has_top_alternative(rest)) break;
    const ByteDfa ahead = searched("^(?:" + rest.substr(4, length - 4) + ")", where);
    out = rest[3] == '!' ? ByteDfa::minus(out, ahead) : ByteDfa::both(out, ahead);
    rest = "^" + rest.substr(length + 1);
  }
  return ByteDfa::both(out, searched(rest, where));
}

std::shared_ptr<const ByteDfa> encoding_language(const std::string& name) {
  const std::string& expression = name == "base64" ? kBase64 : name == "base32" ? kBase32 : kBase16;
  if (name != "base64" && name != "base32" && name != "base16") return nullptr;
  return std::make_shared<const ByteDfa>(
      ByteDfa::of_pattern(parse_regex(expression, {.has_slots = false, .where = name})));
}

const FormatLanguage* format_language(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, FormatLanguage> known;
  const auto expression = expressions().find(name);
  if (expression == expressions().end()) return nullptr;
  const std::scoped_lock lock(mutex);
  if (const auto found = known.find(name); found != known.end()) return &found->second;
  ByteDfa texts =
      ByteDfa::of_pattern(parse_regex(expression->second, {.has_slots = false, .has_anchors = true, .where = name}));
  if (name == "hostname" || name == "email") {
    texts = ByteDfa::minus(texts, searched(name == "email" ? "@([^@]*[.])?[^.@]{2}--" : "(^|[.])[^.]{2}--", name));
  }
  const int max_length = name == "hostname" ? 253 : -1;
  return &known.emplace(name, FormatLanguage{std::make_shared<const ByteDfa>(std::move(texts)), max_length})
              .first->second;
}

}  // namespace onggi::decode
