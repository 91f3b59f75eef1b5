// Codec: values to bytes and back. msgpack, driven by each type's list of fields.
#pragma once

#include <concepts>
#include <string_view>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"
#include "tubing/channel/detail/codec_kinds.h"
#include "tubing/channel/detail/codec_reader.h"
#include "tubing/channel/fields.h"

namespace tubing {

/// A type that can be encoded: one that lists its fields, and the standard types
///
/// | C++ | msgpack |
/// | --- | --- |
/// | bool, integers, enums | bool, the shortest integer |
/// | float, double | float 32, float 64 |
/// | std::string | str |
/// | Bytes, std::array<std::byte, N> | bin |
/// | std::vector, std::array, std::pair, std::tuple | array |
/// | std::map | map |
/// | std::optional | nil, or the value |
/// | std::variant | array of the alternative's index and its value; std::monostate is nil |
/// | std::chrono::duration | its count |
/// | Duplex, Sender, Receiver | the channel's number; only inside a channel's message: duplex.h |
template <class T>
concept Encodable = std::default_initializable<T> && detail::is_encodable<T>();

/// How types with fields are written. Both forms are read at any time.
enum class Form : std::uint8_t {
  array,  ///< The fields' values in order: the shortest.
  map,    ///< Names with values: for bytes that outlive the program, or that others read.
};

/// Appends `value` to `out`; a top-level Bytes goes as it is, without msgpack around it.
/// Allocates nothing where `out` has the room. Requires: no string or container in it has 2^32
/// elements or more.
template <class T>
void encode(const T& value, ByteBuffer& out, Form form = Form::array);

/// Reads one value that fills all of `bytes`, in either form.
///
/// Sender and receiver may be of different ages: listed fields that the message lacks get the
/// value that they have in a fresh T, and what the message has beyond the list is skipped. An enum
/// takes any value of its underlying type. Integers of any encoded width are taken where the
/// value fits. A repeated key is refused.
///
/// Errors: invalid_argument, resource_exhausted at a limit; both name the field. `out` then holds
/// some value of its type.
template <class T>
Result<> decode(ByteView bytes, T& out, const DecodeLimits& limits = {});

/// The name by which both ends of a channel compare their types: `T::type_name`, or one put
/// together, such as "int64", "bytes", "list<string>". An enum goes by its underlying type.
template <class T>
constexpr std::string_view type_name_of();

}  // namespace tubing

#include "tubing/channel/detail/codec_read.inl.h"
#include "tubing/channel/detail/codec_type_name.inl.h"
#include "tubing/channel/detail/codec_write.inl.h"
