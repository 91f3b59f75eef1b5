// heap_bytes: how much memory a value takes beside itself.
#pragma once

#include <concepts>
#include <cstdint>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>

#include "tubing/channel/fields.h"

namespace tubing::sim::detail {

/// What an allocation of so many bytes takes of an allocator as glibc's.
constexpr std::uint64_t block_bytes(std::uint64_t bytes) {
  return bytes + 8 <= 32 ? 32 : (bytes + 8 + 15) / 16 * 16;
}

/// What a node of a std::map has beside its value.
inline constexpr std::uint64_t kTreeNodeBytes = 32;

/// Of what the codec knows. A container that is no vector counts as one of nodes.
template <class T>
std::uint64_t heap_bytes(const T& value) {
  std::uint64_t bytes = 0;
  const auto add = [&](const auto& part) { bytes += heap_bytes(part); };
  if constexpr (std::is_trivially_copyable_v<T>) {
    return 0;
  } else if constexpr (std::same_as<T, std::string>) {
    return value.capacity() <= std::string().capacity() ? 0 : block_bytes(value.capacity() + 1);
  } else if constexpr (HasFields<T>) {
    for_each_field(value, [&](const auto&, const auto& field) { add(field); });
  } else if constexpr (requires { std::tuple_size<T>::value; }) {
    std::apply([&](const auto&... parts) { (add(parts), ...); }, value);
  } else if constexpr (requires { std::variant_size<T>::value; }) {
    std::visit(add, value);
  } else if constexpr (requires { value.has_value(); }) {
    if (value) add(*value);
  } else if constexpr (requires { value.capacity(); }) {
    if (value.capacity() > 0) bytes = block_bytes(value.capacity() * sizeof(*value.begin()));
    for (const auto& one : value) add(one);
  } else if constexpr (std::ranges::range<const T>) {
    for (const auto& one : value) {
      bytes += block_bytes(kTreeNodeBytes + sizeof(one));
      add(one);
    }
  }
  return bytes;
}

}  // namespace tubing::sim::detail
