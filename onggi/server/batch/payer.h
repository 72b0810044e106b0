#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "onggi/server/key_ring.h"

namespace onggi::server {

/// Whose budget the lines of an owner's batches are charged to, and whether there is something left of it.
struct Payer {
  std::shared_ptr<const Caller> caller;  ///< Null: nobody's.
  std::string obstacle;                  ///< Why no line may be asked now; empty: it may.
  std::int64_t retry_after_ms = 0;       ///< Until it may be, where that is known; else 0.
};

/// As the keys are now. Lines cost nobody where there are no keys (`keys` null) and where the owner is nobody (empty).
/// Those of a key that was taken away, or is not for batches any more, may not be asked.
Payer payer_of(const KeyRing* keys, const std::string& owner);

}  // namespace onggi::server
