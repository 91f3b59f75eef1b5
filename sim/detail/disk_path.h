// The parts of a disk's path.
#pragma once

#include <string>
#include <string_view>

namespace tubing::sim::detail {

/// The folder that holds the last name; "" for the root.
inline std::string_view parent_of(std::string_view path) {
  const std::size_t end = path.rfind('/');
  return end == std::string_view::npos ? std::string_view() : path.substr(0, end);
}

inline std::string name_of(std::string_view path) {
  const std::size_t end = path.rfind('/');
  return std::string(end == std::string_view::npos ? path : path.substr(end + 1));
}

inline std::string path_below(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty()) path += '/';
  return path += name;
}

}  // namespace tubing::sim::detail
