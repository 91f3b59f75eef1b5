// ServiceNames: what the channels of a session are called; each name is kept once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tubing::rpc::detail {

/// Owns: the names that a channel uses. The number of channels bounds them.
class ServiceNames {
 public:
  using Entry = std::pair<const std::string, std::size_t>;

  /// Returns: the name's entry, which stays until as many `drop` it as kept it.
  const Entry* keep(std::string_view name) {
    auto at = uses_.find(name);
    if (at == uses_.end()) at = uses_.emplace(std::string(name), 0).first;
    ++at->second;
    return &*at;
  }
  void drop(const Entry* entry) {
    const auto at = uses_.find(entry->first);
    if (--at->second == 0) uses_.erase(at);
  }

 private:
  std::map<std::string, std::size_t, std::less<>> uses_;
};

}  // namespace tubing::rpc::detail
