#include "onggi/tasks/cards/card_line.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "onggi/core/error.h"
#include "onggi/core/files.h"
#include "onggi/core/hash.h"

namespace onggi::tasks {
namespace {

constexpr std::size_t kMaxNameBytes = 80;

double rounded(double value) { return std::round(value * 100) / 100; }

Json card_json(const pictures::CardText& card) {
  return {{"id", card.id},
          {"expression", card.expression},
          {"entity", card.entity},
          {"name", card.aspect},
          {"products", card.products}};
}

Json text_json(const pictures::PlacedText& text, const pictures::TextMeasure& measure) {
  return {{"role", pictures::role_name(text.role)},
          {"lines", text.lines},
          {"font_px", rounded(text.size)},
          {"color", pictures::hex_text(text.color)},
          {"box", {rounded(text.box.x), rounded(text.box.y), rounded(text.box.w), rounded(text.box.h)}},
          {"contrast", rounded(measure.contrast)},
          {"contrast_needed", text.needed_contrast()}};
}

/// A member of a JSON object from a file, or kCorrupt.
template <class T>
T member(const Json& object, const char* name, const std::string& where) {
  const auto found = object.find(name);
  require(
      found != object.end(), [&] { return "\"" + std::string(name) + "\" is missing"; }, ErrorCode::kCorrupt, where);
  try {
    return found->get<T>();
  } catch (const Json::exception&) {
    throw Error(ErrorCode::kCorrupt, "\"" + std::string(name) + "\" has another type than expected: " + found->dump(),
                where);
  }
}

/// A name of a file that lies in the folder itself.
std::string own_file(const Json& picture, const char* name, const std::string& where) {
  if (!picture.contains(name)) return {};
  const auto file = member<std::string>(picture, name, where);
  require(!file.empty() && file.find('/') == std::string::npos && file[0] != '.',
          "a picture's file must lie in the folder itself", ErrorCode::kCorrupt, where);
  return file;
}

}  // namespace

std::string file_name_of(std::string_view id) {
  std::string name;
  bool is_same = !id.starts_with('.') && !id.empty() && id.size() <= kMaxNameBytes;
  for (const char c : id.substr(0, kMaxNameBytes)) {
    const bool is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                         c == '_' || (c == '.' && !name.empty());
    is_same = is_same && is_safe;
    if (is_safe) {
      name += c;
    } else if (!name.ends_with('-')) {
      name += '-';
    }
  }
  return is_same ? name : name + "-" + sha256_hex(id).substr(0, 12);
}

std::string write_card_line(const CardLine& line, const pictures::DrawnCard& drawn) {
  Json json = card_json(line.card);
  json["alt"] = pictures::alt_text(line.card);
  json["design"] = line.design;
  json["attempt"] = line.attempt;
  Json list = Json::array();
  for (std::size_t i = 0; i < line.files.size(); ++i) {
    const auto& files = line.files[i];
    Json picture = {{"size", pictures::size_text(files.size)}};
    if (!files.png.empty()) picture["png"] = files.png;
    if (!files.svg.empty()) picture["svg"] = files.svg;
    Json texts = Json::array();
    const auto& drawn_picture = drawn.pictures[i];
    for (std::size_t k = 0; k < drawn_picture.measures.size(); ++k)
      texts.push_back(text_json(drawn_picture.picture.texts[k], drawn_picture.measures[k]));
    picture["texts"] = std::move(texts);
    list.push_back(std::move(picture));
  }
  json["pictures"] = std::move(list);
  json["fingerprint"] = line.fingerprint.text();
  return dump_json(json);
}

std::string write_failure_line(const pictures::CardText& card, std::string_view failure) {
  Json json = card_json(card);
  json["failure"] = failure;
  return dump_json(json);
}

CardLine parse_card_line(std::string_view text, const std::string& where) {
  const Json json = parse_json(text, where);
  require(json.is_object(), "expected a JSON object", ErrorCode::kCorrupt, where);
  CardLine line;
  line.card.id = member<std::string>(json, "id", where);
  line.card.expression = member<std::string>(json, "expression", where);
  line.card.entity = member<std::string>(json, "entity", where);
  line.card.aspect = member<std::string>(json, "name", where);
  line.card.products = member<std::vector<std::string>>(json, "products", where);
  if (json.contains("failure")) {
    line.failure = member<std::string>(json, "failure", where);
    return line;
  }
  line.design = member<std::string>(json, "design", where);
  line.attempt = member<int>(json, "attempt", where);
  require(line.attempt >= 0 && line.attempt < 1 << 20, "\"attempt\" is out of range", ErrorCode::kCorrupt, where);
  line.fingerprint = pictures::Fingerprint::parse(member<std::string>(json, "fingerprint", where), where);
  for (const Json& picture : member<Json>(json, "pictures", where)) {
    require(picture.is_object(), "\"pictures\" must hold objects", ErrorCode::kCorrupt, where);
    line.files.push_back({pictures::parse_size(member<std::string>(picture, "size", where)),
                          own_file(picture, "png", where), own_file(picture, "svg", where)});
  }
  return line;
}

CardFolder read_card_folder(const std::string& folder) {
  const auto lines_path = std::filesystem::path(folder) / "cards.jsonl",
             manifest_path = std::filesystem::path(folder) / "cards.manifest.json";
  const std::string where = manifest_path.string();
  const Json manifest = parse_json(read_file(manifest_path), where);
  require(manifest.is_object(), "expected a JSON object", ErrorCode::kCorrupt, where);
  const int version = member<int>(manifest, "drawing_version", where);
  require(
      version == kDrawingVersion,
      [&] {
        return "these pictures were drawn by version " + std::to_string(version) + " of the drawing, this is version " +
               std::to_string(kDrawingVersion) + "; draw them again into another folder";
      },
      ErrorCode::kInvalidArgument, where);
  CardFolder result;
  result.seed = member<std::int64_t>(manifest, "seed", where);
  for (const auto& size : member<std::vector<std::string>>(manifest, "sizes", where))
    result.sizes.push_back(pictures::parse_size(size));
  const auto formats = member<std::vector<std::string>>(manifest, "formats", where);
  result.has_png = std::find(formats.begin(), formats.end(), "png") != formats.end();
  result.has_svg = std::find(formats.begin(), formats.end(), "svg") != formats.end();
  const std::string content = read_file(lines_path);
  std::size_t begin = 0;
  for (auto end = content.find('\n'); end != std::string::npos; end = content.find('\n', begin)) {
    const auto number = result.lines.size() + 1;
    result.lines.push_back(parse_card_line(std::string_view(content).substr(begin, end - begin),
                                           lines_path.string() + ":" + std::to_string(number)));
    begin = end + 1;
  }
  return result;
}

}  // namespace onggi::tasks
