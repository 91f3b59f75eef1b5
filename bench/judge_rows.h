// Rows about judges: how many operations of a history they decide in a second.
#pragma once

#include "report.h"

namespace tubing::bench {

/// checker_ops_per_s at 5, 30 and 100 clients, legal and not; witness_ops_per_s of more and more
/// operations, which should stay about the same.
void add_judge_rows(Report& report);

}  // namespace tubing::bench
