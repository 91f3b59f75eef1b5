// DiskImage: what lies on a disk.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "tubing/channel/base/bytes.h"

namespace tubing::sim {

/// By path, the content of a file, or nothing for a folder.
using DiskImage = std::map<std::string, std::optional<Bytes>>;

}  // namespace tubing::sim
