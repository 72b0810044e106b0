#include "onggi/cli/command.h"
#include "onggi/cli/session.h"
#include "onggi/kernels/kernels.h"

#ifndef ONGGI_COMMIT
#define ONGGI_COMMIT "unknown"
#endif

namespace onggi::cli {

std::string commit() { return ONGGI_COMMIT; }

std::string version_text() {
  std::string sets;
  for (const auto* table : kernels::available_kernels()) sets += (sets.empty() ? "" : ", ") + std::string(table->isa);
  return std::string("onggi 0.1.0 (commit ") + ONGGI_COMMIT + ")\ncompiler: " + __VERSION__ + "\ninstruction sets: " +
         sets + " (using " + std::string(kernels::kernels().isa) + ")\n";
}

}  // namespace onggi::cli
