#include "onggi/decode/slot_part.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>

#include "onggi/core/error.h"
#include "onggi/text/utf8.h"

namespace onggi::decode {
namespace {

using Characters = std::vector<std::string>;

bool is_foreign(const std::string& c) { return c.size() == 1 && std::isalnum(static_cast<unsigned char>(c[0])) != 0; }

bool joins_foreign(const std::string& c) {
  return c.size() == 1 && std::string_view(".,%+-/").find(c[0]) != std::string_view::npos;
}

/// Runs of ASCII letters and digits, with . , % + - / inside and % + at the end.
void add_foreign_runs(Nfa& nfa, const Characters& characters, int from, int to) {
  std::set<std::string> runs;
  for (std::size_t i = 0; i < characters.size();) {
    if (!is_foreign(characters[i])) {
      ++i;
      continue;
    }
    std::string run;
    std::size_t kept = 0;
    for (; i < characters.size() && (is_foreign(characters[i]) || joins_foreign(characters[i])); ++i) {
      run += characters[i];
      if (is_foreign(characters[i]) || characters[i] == "%" || characters[i] == "+") kept = run.size();
    }
    runs.insert(run.substr(0, kept));
  }
  for (const auto& run : runs) nfa.add_bytes(from, run, to);
}

/// Words of a product's name that can say what it is: not the first (the brand), none with digits (sizes), unless
/// nothing else is there.
std::vector<Characters> noun_words(const Characters& characters) {
  std::vector<Characters> words(1);
  for (const auto& c : characters) {
    if (c == " ") {
      words.emplace_back();
    } else {
      words.back().push_back(c);
    }
  }
  std::erase_if(words, [](const auto& word) { return word.empty(); });
  if (words.empty()) return words;
  const auto has_digit = [](const auto& word) {
    return std::any_of(word.begin(), word.end(), [](const auto& c) {
      return c.size() == 1 && std::isdigit(static_cast<unsigned char>(c[0])) != 0;
    });
  };
  std::vector<Characters> nouns(words.begin() + 1, words.end());
  std::erase_if(nouns, has_digit);
  return nouns.empty() ? words : nouns;
}

/// These words in their order, some left out, each of which may be cut at its front.
void add_noun(Nfa& nfa, const Characters& characters, int from, int to) {
  const auto words = noun_words(characters);
  int begin = from;  // Where word i and those after it may begin.
  for (std::size_t i = 0; i < words.size(); ++i) {
    const int next = nfa.add_state();
    int before = -1;
    for (const auto& c : words[i]) {
      const int after = nfa.add_state();
      nfa.add_bytes(begin, c, after);
      if (before >= 0) nfa.add_bytes(before, c, after);
      before = after;
    }
    nfa.add_empty(before, to);
    if (i + 1 < words.size()) {
      nfa.add_edge(before, ' ', ' ', next);
      nfa.add_empty(begin, next);
    }
    begin = next;
  }
}

/// One stretch of the text. piece: any, without a space at either end; words: whole words; tail: whole words, of which
/// the first may be cut at its front.
void add_stretches(Nfa& nfa, const Characters& characters, const std::string& kind, int from, int to) {
  const std::size_t n = characters.size();
  const auto is_space = [&](std::size_t i) { return characters[i] == " "; };
  // after[i]: i characters were read, at least one of them in this piece.
  std::vector<int> after(n + 1, -1);
  for (std::size_t i = 0; i < n; ++i) {
    after[i + 1] = nfa.add_state();
    const bool begins_word = i == 0 || is_space(i - 1);
    if (!is_space(i) && (kind != "words" || begins_word)) nfa.add_bytes(from, characters[i], after[i + 1]);
    if (i > 0) nfa.add_bytes(after[i], characters[i], after[i + 1]);
    const bool ends_word = i + 1 == n || is_space(i + 1);
    if (!is_space(i) && (kind == "piece" || ends_word)) nfa.add_empty(after[i + 1], to);
  }
}

const std::string& slot_text(const SlotPart& part, const Slots& slots) {
  for (const auto& [name, text] : slots) {
    if (name == part.slot) return text;
  }
  std::string names;
  for (const auto& [name, text] : slots) names += (names.empty() ? "" : ", ") + name;
  throw Error(ErrorCode::kInvalidArgument,
              "the guide quotes slot \"" + part.slot + "\", which the row does not have (it has: " + names + ")");
}

}  // namespace

void add_slot_part(Nfa& nfa, const SlotPart& part, const Slots& slots, int from, int to) {
  const auto characters = json_characters(slot_text(part, slots), part.in_json);
  if (part.kind == "text") {
    std::string all;
    for (const auto& c : characters) all += c;
    nfa.add_bytes(from, all, to);
  } else if (part.kind == "foreign") {
    add_foreign_runs(nfa, characters, from, to);
  } else if (part.kind == "noun") {
    add_noun(nfa, characters, from, to);
  } else {
    add_stretches(nfa, characters, part.kind, from, to);
  }
}

std::shared_ptr<const Nfa> slot_nfa(const SlotPart& part, const Slots& slots) {
  auto nfa = std::make_shared<Nfa>();
  const int end = nfa->add_state();
  add_slot_part(*nfa, part, slots, 0, end);
  nfa->set_accepting(end);
  return nfa;
}

std::vector<std::string> json_characters(std::string_view text, bool escape) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char c = text::next_utf8(text, at);
    require(c.valid, "the row's text is not valid UTF-8");
    const auto length = static_cast<std::size_t>(c.length);
    std::string s(text.substr(at, length));
    if (escape && (c.code == '"' || c.code == '\\')) s.insert(0, 1, '\\');
    if (escape && c.code < 0x20) {
      static constexpr char kHex[] = "0123456789abcdef";
      static constexpr std::string_view kShort = "btn\vfr";
      s = c.code >= 8 && c.code <= 13 && c.code != 11 ? std::string{'\\', kShort[c.code - 8]}
                                                      : std::string("\\u00") + kHex[c.code >> 4] + kHex[c.code & 15];
    }
    out.push_back(std::move(s));
    at += length;
  }
  return out;
}

}  // namespace onggi::decode
