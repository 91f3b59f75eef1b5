// The closing line of a list of which nothing may be lost: it counts what stands before it, and
// sums it, so that a list that was cut off or damaged is not taken for a shorter one.
#pragma once

#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"

namespace tubing::crypto::detail {

/// `text` with the line `end COUNT CHECKSUM` behind it: how many of its lines have words, and a
/// checksum of all its bytes. It keeps no forger away.
/// Source: the section "Revoked" of CERTIFICATE.md.
std::string with_closing_line(std::string text);

/// What stands before the closing line of `text`, which ends with it.
/// Errors: data_loss where there is none or it does not fit, with what was found.
Result<std::string_view> before_closing_line(std::string_view text);

/// `text` without closing lines, wherever an edit has left them.
std::string without_closing_lines(std::string_view text);

}  // namespace tubing::crypto::detail
