#pragma once

#include <cstdint>
#include <memory>

#include "onggi/server/call_record.h"

namespace onggi::server {

/// How a line of a batch is asked.
struct LineTerms {
  // In place of what the moment gives, so that the line has the same answer, byte for byte, each time.
  std::int64_t created = 0;  ///< Unix seconds.
  std::uint64_t seed = 0;    ///< Of a body that has none.

  std::shared_ptr<CallRecord> record;  ///< Whose budget and models it is; null: nobody's.
};

}  // namespace onggi::server
