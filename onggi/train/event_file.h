#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onggi/core/files.h"

namespace onggi::train {

/// CRC-32C (Castagnoli), as RFC 3720 has it: "123456789" gives 0xE3069283.
std::uint32_t crc32c(std::string_view bytes);

/// One record of a TensorBoard event file, as far as we write them.
struct Event {
  double wall_time = 0.0;  ///< Seconds since 1970.
  std::int64_t step = 0;
  std::string file_version;  ///< First record only: "brain.Event:2".
  std::vector<std::pair<std::string, float>> scalars;
};

/// The bytes of one record: u64 length, masked CRC of it, protobuf, masked CRC of that (docs/formats/run_folder.md).
std::string encode_event(const Event& event);

/// Records of an event file, up to the first torn or corrupt one.
struct EventLog {
  std::vector<Event> events;
  std::vector<std::size_t> ends;  ///< Byte offset after each event.
};
EventLog decode_events(std::string_view bytes);

/// Appends scalars to a TensorBoard event file. Confined to one thread.
class EventWriter {
 public:
  /// Opens or creates the file. Records after `last_step` and a torn end are cut off, so that a resumed run does not
  /// show a step twice. Throws kUnavailable.
  EventWriter(const std::filesystem::path& path, std::int64_t last_step, double wall_time);
  void add(std::int64_t step, std::span<const std::pair<std::string, float>> scalars, double wall_time);
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
};

}  // namespace onggi::train
