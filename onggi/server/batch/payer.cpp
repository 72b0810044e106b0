#include "onggi/server/batch/payer.h"

namespace onggi::server {

Payer payer_of(const KeyRing* keys, const std::string& owner) {
  Payer payer;
  if (keys == nullptr || owner.empty()) return payer;
  payer.caller = keys->find_name(owner);
  if (!payer.caller) {
    payer.obstacle = "there is no key \"" + owner + "\" any more; it goes on when there is one, or cancel it";
  } else if (!payer.caller->has(Scope::kBatch)) {
    payer.obstacle = "the key \"" + owner + "\" is not for batches any more; it goes on when it is, or cancel it";
  } else if (const auto over = payer.caller->budget->token_refusal()) {
    payer.obstacle = "the " + std::string(over->limit) + " of the key \"" + owner + "\" are used up";
    payer.retry_after_ms = over->retry_after_ms;
  }
  return payer;
}

}  // namespace onggi::server
