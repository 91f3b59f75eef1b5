// Versions: of the library, and of the two formats that strangers read.
#pragma once

#include <cstdint>
#include <string_view>

namespace tubing {

/// The release, as CMake's project() says it.
inline constexpr std::string_view kLibraryVersion = "0.1.0";
/// The handshake's preamble and the frames after it; nodes with other numbers refuse each other.
inline constexpr std::uint8_t kWireVersion = 1;
/// The first byte of every certificate.
inline constexpr std::uint8_t kCertificateVersion = 1;

}  // namespace tubing
