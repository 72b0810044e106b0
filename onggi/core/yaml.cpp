#include "onggi/core/yaml.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include <libfyaml.h>

#include "onggi/core/error.h"
#include "onggi/core/options.h"

namespace onggi {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxBytes = 16 << 20;

struct DiagClose {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};
struct ParserClose {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};

/// Plain text by the core schema (YAML 1.2.2 section 10.3.2), without its octal and hexadecimal numbers.
Json plain_value(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::string_view number = text[0] == '+' ? text.substr(1) : text;
  const bool begins_well = !number.empty() && ((number[0] >= '0' && number[0] <= '9') ||
                                               ((number[0] == '-' || number[0] == '.') && number.size() > 1 &&
                                                text[0] != '+' && (number[1] >= '0' && number[1] <= '9')));
  if (begins_well) {
    const char* end = number.data() + number.size();
    std::int64_t whole = 0;
    if (const auto got = std::from_chars(number.data(), end, whole); got.ec == std::errc() && got.ptr == end)
      return whole;
    double real = 0;
    if (const auto got = std::from_chars(number.data(), end, real);
        got.ec == std::errc() && got.ptr == end && std::isfinite(real))
      return real;
  }
  return std::string(text);
}

/// Bytes of the UTF-8 character (RFC 3629) that `text` begins with; 0 if it is none, or one that YAML takes nowhere.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\n' || first == '\r' || first == '\t' ? 1 : 0;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  unsigned code = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  return first < 0xC2 || first > 0xF4 || code < kLeast[size] || code > 0x10FFFF || is_surrogate ? 0 : size;
}

/// Refuses what the parser must not see: on directives with odd bytes libfyaml 0.7.12 goes on for ever.
void check_bytes(std::string_view text, const std::string& where) {
  int line = 1, column = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text.substr(at));
    const bool is_directive = text[at] == '%' && column == 1;
    if (size == 0 || is_directive) {
      throw Error(ErrorCode::kCorrupt,
                  is_directive ? "directives (%YAML, %TAG) are not taken" : "not valid YAML: a byte that is no text",
                  where + ":" + std::to_string(line) + ":" + std::to_string(column));
    }
    ++column;
    if (text[at] == '\n') ++line, column = 1;
    at += size;
  }
}

class Builder {
 public:
  Builder(std::string_view text, const std::string& where) : where_(where) {
    fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = nullptr;
    diag_config.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
    diag_.reset(fy_diag_create(&diag_config));
    require(diag_ != nullptr, "no memory for the YAML parser", ErrorCode::kUnavailable);
    fy_diag_set_collect_errors(diag_.get(), true);
    const fy_parse_cfg config = {
        .search_path = "", .flags = FYPCF_COLLECT_DIAG, .userdata = nullptr, .diag = diag_.get()};
    parser_.reset(fy_parser_create(&config));
    require(parser_ != nullptr && fy_parser_set_string(parser_.get(), text.data(), text.size()) == 0,
            "no memory for the YAML parser", ErrorCode::kUnavailable);
  }

  Yaml document() {
    Yaml root;
    bool has_root = false;
    while (true) {
      const Event event = next();
      switch (event.type) {
        case FYET_NONE:
        case FYET_STREAM_END: return root;
        case FYET_STREAM_START:
        case FYET_DOCUMENT_END: break;
        case FYET_DOCUMENT_START:
          if (has_root) fail(event, "expected one document, found a second");
          has_root = true;
          break;
        default: root = value(event, 0);
      }
    }
  }

 private:
  struct Event {
    fy_event_type type = FYET_NONE;
    int line = 1, column = 1;
    std::string text;
    bool is_plain = false;
  };

  [[noreturn]] void fail(const Event& at, const std::string& message) const {
    throw Error(ErrorCode::kCorrupt, message, where_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column));
  }

  [[noreturn]] void fail_as_parser_says() const {
    void* iterator = nullptr;
    const fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &iterator);
    Event at;
    if (error != nullptr) at.line = std::max(1, error->line), at.column = std::max(1, error->column);
    fail(at, std::string("not valid YAML: ") + (error == nullptr || error->msg == nullptr ? "no reason" : error->msg));
  }

  Event next() {
    const auto release = [this](fy_event* e) { fy_parser_event_free(parser_.get(), e); };
    const std::unique_ptr<fy_event, decltype(release)> event(fy_parser_parse(parser_.get()), release);
    if (event == nullptr) {
      if (fy_parser_get_stream_error(parser_.get()) || fy_diag_got_error(diag_.get())) fail_as_parser_says();
      return {};
    }
    Event got{.type = event->type};
    if (const fy_mark* mark = fy_event_start_mark(event.get()); mark != nullptr)
      got.line = mark->line + 1, got.column = mark->column + 1;
    fy_token* tag = nullptr;
    switch (event->type) {
      case FYET_ALIAS:
        got.column = std::max(1, got.column - 1);  // the mark is behind the star
        fail(got, "aliases (*name) are not taken: write the value out");
      case FYET_SCALAR: {
        tag = event->scalar.tag;
        std::size_t size = 0;
        const char* text = event->scalar.value == nullptr ? nullptr : fy_token_get_text(event->scalar.value, &size);
        if (text != nullptr) got.text.assign(text, size);
        got.is_plain = event->scalar.value == nullptr || fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
        break;
      }
      case FYET_SEQUENCE_START: tag = event->sequence_start.tag; break;
      case FYET_MAPPING_START: tag = event->mapping_start.tag; break;
      default: break;
    }
    if (tag != nullptr) fail(got, "tags (!name) are not taken");
    return got;
  }

  Yaml value(const Event& event, int depth) {
    if (depth > kMaxDepth) fail(event, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    Yaml made;
    made.line = event.line;
    made.column = event.column;
    if (event.type == FYET_SCALAR) {
      made.scalar = event.is_plain ? plain_value(event.text) : Json(event.text);
      return made;
    }
    if (event.type == FYET_SEQUENCE_START) {
      made.kind = Yaml::Kind::kList;
      for (Event item = next(); item.type != FYET_SEQUENCE_END; item = next())
        made.items.push_back(value(item, depth + 1));
      return made;
    }
    if (event.type != FYET_MAPPING_START) fail(event, "not valid YAML: it ends too early");
    made.kind = Yaml::Kind::kMap;
    for (Event key = next(); key.type != FYET_MAPPING_END; key = next()) {
      if (key.type != FYET_SCALAR) fail(key, "expected a name, found a list or a map");
      if (made.find(key.text) != nullptr) fail(key, "\"" + key.text + "\" stands here twice");
      const Event first = next();
      made.members.push_back({key.text, key.line, key.column, value(first, depth + 1)});
    }
    return made;
  }

  const std::string& where_;
  std::unique_ptr<fy_diag, DiagClose> diag_;
  std::unique_ptr<fy_parser, ParserClose> parser_;
};

}  // namespace

const Yaml* Yaml::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, [](const Member& m) -> std::string_view { return m.name; });
  return found == members.end() ? nullptr : &found->value;
}

Json Yaml::to_json() const {
  if (kind == Kind::kScalar) return scalar;
  Json json = kind == Kind::kList ? Json::array() : Json::object();
  for (const Yaml& item : items) json.push_back(item.to_json());
  for (const Member& member : members) json[member.name] = member.value.to_json();
  return json;
}

std::string Yaml::description() const {
  if (kind == Kind::kList) return "a list";
  if (kind == Kind::kMap) return "a map";
  if (scalar.is_null()) return "nothing";
  constexpr std::size_t kMostBytes = 80;
  const std::string text = scalar.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kMostBytes ? text : text.substr(0, kMostBytes) + "...";
}

Yaml parse_yaml(std::string_view text, const std::string& where) {
  require(
      text.size() <= kMaxBytes, [&] { return "longer than " + std::to_string(kMaxBytes) + " bytes"; },
      ErrorCode::kExhausted, where);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  check_bytes(text, where);
  return Builder(text, where).document();
}

void refuse_yaml(const Yaml& value, const std::string& where, std::string_view name, std::string_view expected) {
  throw Error(ErrorCode::kInvalidArgument,
              std::string(name) + ": expected " + std::string(expected) + ", found " + value.description(),
              place_of(value, where));
}

void require_members(const Yaml& map, const std::string& where, std::string_view what,
                     std::span<const std::string> known) {
  if (map.kind != Yaml::Kind::kMap) refuse_yaml(map, where, what, "a map");
  for (const auto& member : map.members) {
    if (std::ranges::find(known, member.name) != known.end()) continue;
    std::string message = std::string(what) + " has no \"" + member.name.substr(0, 80) + "\"";
    if (const std::string near = nearest_name(member.name, known); !near.empty()) {
      message += "; did you mean \"" + near + "\"?";
    } else {
      message += "; expected one of";
      for (const auto& name : known) message += (&name == known.data() ? " " : ", ") + name;
    }
    throw Error(ErrorCode::kInvalidArgument, message,
                where + ":" + std::to_string(member.line) + ":" + std::to_string(member.column));
  }
}

std::string text_member(const Yaml& map, const std::string& where, const std::string& name) {
  const Yaml* value = map.find(name);
  if (value == nullptr || (value->kind == Yaml::Kind::kScalar && value->scalar.is_null())) return {};
  if (value->kind != Yaml::Kind::kScalar || !value->scalar.is_string())
    refuse_yaml(*value, where, name, "a text (put it in quotation marks)");
  return value->scalar.get<std::string>();
}

std::vector<std::string> texts_member(const Yaml& map, const std::string& where, const std::string& name) {
  const Yaml* value = map.find(name);
  if (value == nullptr || (value->kind == Yaml::Kind::kScalar && value->scalar.is_null())) return {};
  if (value->kind != Yaml::Kind::kList) refuse_yaml(*value, where, name, "a list of texts");
  std::vector<std::string> texts;
  for (const Yaml& item : value->items) {
    if (item.kind != Yaml::Kind::kScalar || !item.scalar.is_string()) refuse_yaml(item, where, name, "a text");
    texts.push_back(item.scalar.get<std::string>());
  }
  return texts;
}

std::int64_t whole_member(const Yaml& map, const std::string& where, const std::string& name, std::int64_t least,
                          std::int64_t otherwise) {
  const Yaml* value = map.find(name);
  if (value == nullptr || (value->kind == Yaml::Kind::kScalar && value->scalar.is_null())) return otherwise;
  if (value->kind != Yaml::Kind::kScalar || !value->scalar.is_number_integer() ||
      value->scalar.get<std::int64_t>() < least)
    refuse_yaml(*value, where, name, "a whole number of at least " + std::to_string(least));
  return value->scalar.get<std::int64_t>();
}

std::string place_of(const Yaml& value, const std::string& where) {
  return where + ":" + std::to_string(value.line) + ":" + std::to_string(value.column);
}

}  // namespace onggi
