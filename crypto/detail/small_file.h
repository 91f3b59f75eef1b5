// Small files: read whole into a given buffer, and written so that a crash leaves old or new.
#pragma once

#include <sys/types.h>

#include <string>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/entropy.h"

namespace tubing::crypto::detail {

/// Who may read a file: its owner alone, or everyone. Of a list that says whom to believe, which
/// everyone may read, nobody but its owner may be the writer.
enum class Readers : std::uint8_t { owner, everyone, everyone_of_a_list };

/// Fills the front of `out` with the whole file. Blocks on the disk.
/// Returns: the file's size.
/// Errors: not_found; out_of_range where the file is longer than `out`; permission_denied, also
/// where others than the allowed ones may read or write it, with the chmod that mends it;
/// invalid_argument where it is no regular file.
Result<std::size_t> read_small_file(const std::string& path, Readers readers, MutableBytes out);

/// Writes `bytes` to a temporary file beside `path`, forces it to the disk, and gives it its name.
/// Errors: already_exists, not_found (the folder), permission_denied, unavailable; each with path
/// and reason.
Result<void> write_small_file(const std::string& path, Readers readers, ByteView bytes,
                              IfExists if_exists, Entropy& entropy);

}  // namespace tubing::crypto::detail
