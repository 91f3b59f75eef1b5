// Rows about judges: how many operations of a history they decide in a second.
#pragma once

#include "report.h"

namespace tubing::bench {

/// checker_ops_per_s at 5, 30 and 100 clients, legal and not.
void add_judge_rows(Report& report);

}  // namespace tubing::bench
