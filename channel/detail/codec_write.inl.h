// Writing: each kind of type through msgpack-c's packer.
#pragma once

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <msgpack/pack.hpp>
#include <span>

#include "tubing/channel/codec.h"
#include "tubing/channel/detail/codec_dispatch.h"

namespace tubing {
namespace detail {

/// What msgpack-c's packer writes to.
struct PackerStream {
  ByteBuffer& out;
  void write(const char* bytes, std::size_t count) {
    std::memcpy(out.reserve(count).data(), bytes, count);
    out.commit(count);
  }
};

class Writer {
 public:
  Writer(ByteBuffer& out, Form form) : stream_{out}, packer_(stream_), form_(form) {}

  template <class T>
  void write(const T& value) {
    write_by_kind(*this, value);
  }

  // One function a kind, for write_by_kind.
  void write_string(std::string_view text) {
    packer_.pack_str(checked_count(text.size()));
    if (!text.empty()) stream_.write(text.data(), text.size());
  }
  void write_bytes(ByteView bytes) {
    packer_.pack_bin(checked_count(bytes.size()));
    stream_.out.append(bytes);
  }
  template <class T>
  void write_number(T value);
  template <class T>
  void write_list(const T& list);
  template <class T>
  void write_map(const T& map);
  template <class T>
  void write_variant(const T& variant);
  template <class T>
  void write_record(const T& record);
  template <class T>
  void write_tuple(const T& tuple);
  void write_nil() { packer_.pack_nil(); }
  /// Defined in passed_ends.inl.h, for an EndWriter alone.
  template <EndType End>
  void write_end(const End& end);

 private:
  using Packer = msgpack::packer<PackerStream>;

  /// msgpack-c 4 would write whole floats as integers: -0.0 would lose its sign, and 2^64 is
  /// converted out of range. Here a float is a float.
  template <std::unsigned_integral Bits>
  void write_float(std::byte head, Bits bits) {
    stream_.out.append(head);
    const Bits big_endian = std::endian::native == std::endian::little ? std::byteswap(bits) : bits;
    stream_.out.append(std::as_bytes(std::span(&big_endian, 1)));
  }

  static std::uint32_t checked_count(std::size_t count) {
    TUBING_ASSERT(count <= std::numeric_limits<std::uint32_t>::max(), count);
    return static_cast<std::uint32_t>(count);
  }

  PackerStream stream_;
  Packer packer_;
  const Form form_;
};

template <class T>
void Writer::write_number(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    value ? packer_.pack_true() : packer_.pack_false();
  } else if constexpr (std::is_same_v<T, float>) {
    write_float(std::byte{0xca}, std::bit_cast<std::uint32_t>(value));
  } else if constexpr (std::is_same_v<T, double>) {
    write_float(std::byte{0xcb}, std::bit_cast<std::uint64_t>(value));
  } else if constexpr (std::is_signed_v<T>) {
    packer_.pack_int64(value);
  } else {
    packer_.pack_uint64(value);
  }
}

template <class T>
void Writer::write_list(const T& list) {
  packer_.pack_array(checked_count(list.size()));
  for (const auto& element : list) write<typename T::value_type>(element);
}

template <class T>
void Writer::write_map(const T& map) {
  packer_.pack_map(checked_count(map.size()));
  for (const auto& [key, value] : map) {
    write(key);
    write(value);
  }
}

template <class T>
void Writer::write_variant(const T& variant) {
  TUBING_ASSERT(!variant.valueless_by_exception());
  packer_.pack_array(2);
  packer_.pack_uint64(variant.index());
  std::visit([&](const auto& value) { write(value); }, variant);
}

template <class T>
void Writer::write_record(const T& record) {
  if (form_ == Form::array) {
    packer_.pack_array(kFieldCount<T>);
    for_each_field(record, [&](std::string_view, const auto& value) { write(value); });
  } else {
    packer_.pack_map(kFieldCount<T>);
    for_each_field(record, [&](std::string_view name, const auto& value) {
      write_string(name);
      write(value);
    });
  }
}

template <class T>
void Writer::write_tuple(const T& tuple) {
  packer_.pack_array(std::tuple_size_v<T>);
  std::apply([&](const auto&... element) { (write(element), ...); }, tuple);
}

}  // namespace detail

template <class T>
void encode(const T& value, ByteBuffer& out, Form form) {
  detail::check_no_ends<T>();
  if constexpr (detail::BytesType<T>) {
    out.append(value);
  } else {
    detail::Writer(out, form).write(value);
  }
}

}  // namespace tubing
