// What errno means for a disk: a code of ours, and what to do.
#pragma once

#include "tubing/channel/disk_request.h"

namespace tubing::channel::detail {

/// `number` is the errno that stopped `request`.
Error error_of_errno(const DiskRequest& request, int number);

}  // namespace tubing::channel::detail
