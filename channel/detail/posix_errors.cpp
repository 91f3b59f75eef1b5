#include "tubing/channel/detail/posix_errors.h"

#include <errno.h>
#include <fmt/format.h>
#include <string.h>

namespace tubing::channel::detail {
namespace {

struct Row {
  int number;
  Code code;
  std::string_view advice;
};

constexpr Row kRows[] = {
    {ENOENT, Code::not_found, "make it first, or look at the path"},
    {EEXIST, Code::already_exists, "open it without create_new, or choose another name"},
    {ENOTEMPTY, Code::failed_precondition, "remove what is in the folder first"},
    {EACCES, Code::permission_denied, "give this user the right, or run as the folder's owner"},
    {EPERM, Code::permission_denied, "look at the file's owner and attributes (lsattr)"},
    {EROFS, Code::permission_denied, "mount the file system for writing"},
    {ENOSPC, Code::resource_exhausted, "make room on the disk (df -h, df -i), then go on"},
    {EDQUOT, Code::resource_exhausted, "raise the user's quota or make room, then go on"},
    {EFBIG, Code::out_of_range, "stay below the largest file allowed (ulimit -f)"},
    {EISDIR, Code::invalid_argument, "name a file in place of a folder"},
    {ENOTDIR, Code::invalid_argument, "name a folder in place of a file"},
    {ELOOP, Code::invalid_argument, "a symbolic link leads to itself; remove it"},
    {ENAMETOOLONG, Code::invalid_argument, "use a shorter name"},
    {EMFILE, Code::unavailable, "raise the limit of open files (ulimit -n), or close some"},
    {ENFILE, Code::unavailable, "raise the system's limit of open files (fs.file-max)"},
    {ENOMEM, Code::unavailable, "give the machine more memory"},
    {EWOULDBLOCK, Code::failed_precondition,
     "another process, or another File, holds the lock: stop it, or use another folder"},
    {EBUSY, Code::failed_precondition, "something else uses it: stop that first"},
    {ETXTBSY, Code::failed_precondition, "a program runs from it: stop that first"},
    {EOPNOTSUPP, Code::unimplemented,
     "the file system cannot do this: write zeros instead, or use another"},
    {EIO, Code::data_loss, "the device failed: look at dmesg and smartctl before trusting it"},
    {ENXIO, Code::data_loss, "the device is gone: look at dmesg"},
    {ENODEV, Code::data_loss, "the device is gone: look at dmesg"},
    {ESTALE, Code::data_loss, "the server forgot the file: mount it again"},
    {EUCLEAN, Code::data_loss, "the file system is damaged: run fsck"},
    {EBADMSG, Code::data_loss, "a checksum does not fit: the device or file system is damaged"},
};

}  // namespace

Error error_of_errno(const DiskRequest& request, int number) {
  const char* name = ::strerrorname_np(number);
  const char* meaning = ::strerrordesc_np(number);
  const std::string what = fmt::format("{} ({})", meaning ? meaning : "an unknown error",
                                       name ? std::string(name) : std::to_string(number));
  for (const Row& row : kRows)
    if (row.number == number)
      return request.error(row.code, fmt::format("{}: {}", what, row.advice));
  return request.error(Code::unknown, fmt::format("{}: look at errno(3) and dmesg", what));
}

}  // namespace tubing::channel::detail
