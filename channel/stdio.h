// Standard input and output, and other descriptors, as channels.
#pragma once

#include "tubing/channel/channel.h"
#include "tubing/channel/uv_reactor.h"

namespace tubing {

/// What a descriptor gives, in chunks as they come; the channel closes at its end. Reading waits
/// while nobody receives. As long as a handle lives, the descriptor is taken.
/// Errors: invalid_argument where the descriptor is not open for reading.
Result<Receiver<Bytes>> read_chunks(channel::UvReactor& reactor, int descriptor);

/// The longest line that read_lines gives; a longer one comes in pieces of this size. Units: bytes.
inline constexpr std::size_t kLineBytesMax = 64 * 1024;

/// The lines that a descriptor gives, without their line ends; the last needs none.
/// Errors: as read_chunks.
Result<Receiver<std::string>> read_lines(channel::UvReactor& reactor, int descriptor);

/// Writes chunks to a descriptor. A chunk is accepted once all before it have left, so sending an
/// empty one waits until everything was written. Closing it closes the descriptor.
/// Errors: invalid_argument where the descriptor is not open for writing. A later failure ends the
/// channel: `stopped` where the reader of a pipe has gone, resource_exhausted for a full disk.
Result<Sender<Bytes>> write_chunks(channel::UvReactor& reactor, int descriptor);

/// Whether read_chunks or write_chunks would take the descriptor, for those who would rather know
/// before they begin. Errors: invalid_argument.
Result<> check_readable(int descriptor);
Result<> check_writable(int descriptor);

/// Keeps what the process opens from becoming its standard input, output or error where it was
/// started with one of them closed; to use that one is an error, as before. run_main and
/// rpc::Program call it.
void reserve_standard_descriptors();

}  // namespace tubing
