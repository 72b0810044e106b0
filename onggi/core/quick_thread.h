#pragma once

namespace onggi {

/// Asks the scheduler to let the calling thread run soon after it wakes, ahead of threads that compute: for threads
/// that do little and are waited for. On Linux from 6.12 on a shorter time slice (sched_setattr, no privilege needed);
/// elsewhere nothing happens.
void make_this_thread_quick() noexcept;

}  // namespace onggi
