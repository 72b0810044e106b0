#pragma once

#include <memory>
#include <string>

#include "onggi/decode/guide.h"
#include "onggi/decode/sampler.h"
#include "onggi/tasks/label/teacher.h"
#include "onggi/tasks/row_job.h"

namespace onggi::tasks {

struct LocalTeacherOptions {
  decode::SamplingOptions sampling;
  int max_tokens = 1024;
  std::int64_t seed = 0;
  int batch_rows = 16;
  std::string guide_hash;                      ///< Of the file, for the identity; empty: none.
  std::shared_ptr<const decode::Guide> guide;  ///< Null: free.
  std::shared_ptr<const RowAdapter> adapter;   ///< Null: the base alone.
};

/// A checkpoint on this machine. Conversations are written by its chat template; without one, messages stand as they
/// are with an empty line between them. The same call has the same answer, whatever is asked beside it.
std::unique_ptr<Teacher> make_local_teacher(RowModel model, LocalTeacherOptions options);

}  // namespace onggi::tasks
