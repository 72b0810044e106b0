#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "onggi/http/message.h"

namespace onggi::http {

/// What a part of a form says of itself.
struct PartHead {
  std::string name;      ///< Of the form's field.
  std::string filename;  ///< Empty: a plain value.
  std::string content_type;
};

/// Reads a multipart/form-data body (RFC 7578) that comes in pieces, however it is cut. Keeps no more than a part's head
/// and a delimiter. Confined to one thread.
class MultipartReader {
 public:
  struct Events {
    std::function<void(const PartHead&)> began;
    std::function<void(std::string_view)> bytes;  ///< Of the part that began last, in order.
    std::function<void()> ended;
  };

  /// `boundary` as boundary_of gives it.
  MultipartReader(std::string_view boundary, Events events);

  /// Throws kCorrupt where the body is no form, kExhausted for a head longer than 8 KiB or a form of more than 32 parts;
  /// what the events throw passes through. After that the reader is of no use.
  void read(std::string_view piece);
  /// After the last piece. Throws kCorrupt if the form has not come to its end.
  void finish() const;

 private:
  enum class State { kPreamble, kBoundary, kHead, kBody, kEnd };
  bool step();
  bool read_boundary();
  bool read_head();
  bool read_body();

  const std::string delimiter_;  ///< CR LF, two dashes, boundary.
  const Events events_;
  State state_ = State::kPreamble;
  std::string pending_;
  int num_parts_ = 0;
};

/// The boundary that a content-type of multipart/form-data names; empty if it names none that RFC 2046 allows.
std::string boundary_of(std::string_view content_type);

}  // namespace onggi::http
