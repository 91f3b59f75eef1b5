// run_main: a whole program around one task, for programs that stay in one process.
#pragma once

#include "tubing/channel/task.h"

namespace tubing {

/// Runs `main_task` on a Scheduler of its own over the real clock, and returns the exit status:
/// 0, or 1 after printing the error to standard error.
///
///     int main() { return tubing::run_main(my_main()); }
int run_main(Task<> main_task);

/// Returns: the exit status for `result`: 0, or 1 after printing its error to standard error.
int exit_status(const Result<>& result);

}  // namespace tubing
