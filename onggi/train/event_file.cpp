#include "onggi/train/event_file.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>

namespace onggi::train {
namespace {

static_assert(std::endian::native == std::endian::little, "event files are little-endian");

constexpr std::string_view kFileVersion = "brain.Event:2";
constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 24;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}

/// A CRC of data that holds a CRC is weak, so TFRecord files rotate it and add a constant.
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U; }

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <class T>
T get(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 128) {
    out += static_cast<char>(value | 128);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

/// Protobuf key: field number and wire type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes).
void put_key(std::string& out, int field, int wire) { put_varint(out, static_cast<std::uint64_t>(field << 3 | wire)); }

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_key(out, field, 2);
  put_varint(out, bytes.size());
  out += bytes;
}

/// One protobuf field: number, and its content (bytes of a length-delimited or fixed field, or the varint).
struct Field {
  int number = 0;
  std::uint64_t varint = 0;
  std::string_view bytes;
};

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
  return std::nullopt;
}

std::optional<Field> take_field(std::string_view& in) {
  const auto key = take_varint(in);
  if (!key || *key >> 3 > 1000) return std::nullopt;
  Field field{.number = static_cast<int>(*key >> 3)};
  std::size_t size = 0;
  switch (*key & 7) {
    case 0: {
      const auto value = take_varint(in);
      if (!value) return std::nullopt;
      field.varint = *value;
      return field;
    }
    case 1: size = 8; break;
    case 5: size = 4; break;
    case 2: {
      const auto length = take_varint(in);
      if (!length || *length > in.size()) return std::nullopt;
      size = static_cast<std::size_t>(*length);
      break;
    }
    default: return std::nullopt;
  }
  if (size > in.size()) return std::nullopt;
  field.bytes = in.substr(0, size);
  in.remove_prefix(size);
  return field;
}

std::optional<std::pair<std::string, float>> decode_value(std::string_view in) {
  std::pair<std::string, float> scalar{"", 0.0F};
  while (!in.empty()) {
    const auto field = take_field(in);
    if (!field) return std::nullopt;
    if (field->number == 1) scalar.first = field->bytes;
    if (field->number == 2 && field->bytes.size() == 4) scalar.second = get<float>(field->bytes);
  }
  return scalar;
}

std::optional<Event> decode_event(std::string_view in) {
  Event event;
  while (!in.empty()) {
    const auto field = take_field(in);
    if (!field) return std::nullopt;
    if (field->number == 1 && field->bytes.size() == 8) event.wall_time = get<double>(field->bytes);
    if (field->number == 2) event.step = static_cast<std::int64_t>(field->varint);
    if (field->number == 3) event.file_version = field->bytes;
    if (field->number != 5) continue;
    std::string_view summary = field->bytes;
    while (!summary.empty()) {
      const auto value = take_field(summary);
      if (!value) return std::nullopt;
      if (value->number != 1) continue;
      auto scalar = decode_value(value->bytes);
      if (!scalar) return std::nullopt;
      event.scalars.push_back(std::move(*scalar));
    }
  }
  return event;
}

/// Bytes of the file up to and with the last record of `last_step` or before; 0 if there is none.
std::ptrdiff_t bytes_to_keep(const std::filesystem::path& path, std::int64_t last_step) {
  if (!std::filesystem::exists(path)) return 0;
  const EventLog log = decode_events(read_file(path));
  std::size_t keep = 0;
  for (std::size_t i = 0; i < log.events.size() && log.events[i].step <= last_step; ++i) keep = log.ends[i];
  return static_cast<std::ptrdiff_t>(keep);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

std::string encode_event(const Event& event) {
  std::string body;
  put_key(body, 1, 1);
  put(body, event.wall_time);
  if (event.step != 0) {
    put_key(body, 2, 0);
    put_varint(body, static_cast<std::uint64_t>(event.step));
  }
  if (!event.file_version.empty()) put_bytes(body, 3, event.file_version);
  std::string summary;
  for (const auto& [tag, number] : event.scalars) {
    std::string value;
    put_bytes(value, 1, tag);
    put_key(value, 2, 5);
    put(value, number);
    put_bytes(summary, 1, value);
  }
  if (!summary.empty()) put_bytes(body, 5, summary);

  std::string record;
  put(record, static_cast<std::uint64_t>(body.size()));
  put(record, masked_crc(record));
  record += body;
  put(record, masked_crc(body));
  return record;
}

EventLog decode_events(std::string_view bytes) {
  EventLog log;
  std::size_t at = 0;
  while (bytes.size() - at >= 16) {
    const std::string_view rest = bytes.substr(at);
    const auto size = get<std::uint64_t>(rest);
    if (size > kMaxRecordBytes || size > rest.size() - 16) break;
    const std::string_view body = rest.substr(12, static_cast<std::size_t>(size));
    if (get<std::uint32_t>(rest.substr(8)) != masked_crc(rest.substr(0, 8))) break;
    if (get<std::uint32_t>(rest.substr(12 + body.size())) != masked_crc(body)) break;
    auto event = decode_event(body);
    if (!event) break;
    at += 16 + body.size();
    log.events.push_back(std::move(*event));
    log.ends.push_back(at);
  }
  return log;
}

EventWriter::EventWriter(const std::filesystem::path& path, std::int64_t last_step, double wall_time)
    : file_(path, bytes_to_keep(path, last_step)) {
  if (std::filesystem::file_size(path) == 0) {
    file_.append(encode_event({.wall_time = wall_time, .file_version = std::string(kFileVersion)}));
  }
}

void EventWriter::add(std::int64_t step, std::span<const std::pair<std::string, float>> scalars, double wall_time) {
  file_.append(encode_event({.wall_time = wall_time, .step = step, .scalars = {scalars.begin(), scalars.end()}}));
}

}  // namespace onggi::train
