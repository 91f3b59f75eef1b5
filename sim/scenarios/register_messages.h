// What clients and replicas of the scenario `register` say to each other.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "tubing/channel/fields.h"
#include "tubing/channel/service.h"

namespace tubing::sim {

/// Orders what was written to a key. No two writes ever have the same: a client uses no counter
/// twice in one life, and its process counts its lives.
struct RegisterTag {
  std::uint64_t counter = 0;  ///< 0: nothing was written.
  std::uint64_t client = 0;   ///< Breaks a tie between counters.
  std::uint64_t life = 0;     ///< Of the client's process, from 1.

  static constexpr std::string_view type_name = "RegisterTag";
  static constexpr auto fields = tubing::fields("counter", &RegisterTag::counter, "client",
                                                &RegisterTag::client, "life", &RegisterTag::life);
  friend auto operator<=>(const RegisterTag&, const RegisterTag&) = default;
};

/// What a replica has of a key.
struct RegisterEntry {
  RegisterTag tag;
  std::string value;

  static constexpr std::string_view type_name = "RegisterEntry";
  static constexpr auto fields =
      tubing::fields("tag", &RegisterEntry::tag, "value", &RegisterEntry::value);
  friend bool operator==(const RegisterEntry&, const RegisterEntry&) = default;
};

/// A client asks for the entry of a key, or for one to be stored unless a newer one is there.
struct RegisterAsk {
  std::uint64_t number = 0;  ///< Of the client's rounds, so that a late answer is told apart.
  std::uint32_t key = 0;
  bool stores = false;
  RegisterEntry entry = {};

  static constexpr std::string_view type_name = "RegisterAsk";
  static constexpr auto fields =
      tubing::fields("number", &RegisterAsk::number, "key", &RegisterAsk::key, "stores",
                     &RegisterAsk::stores, "entry", &RegisterAsk::entry);
};

/// What the replica has then, safe from a loss of power.
struct RegisterAnswer {
  std::uint64_t number = 0;
  RegisterEntry entry = {};

  static constexpr std::string_view type_name = "RegisterAnswer";
  static constexpr auto fields =
      tubing::fields("number", &RegisterAnswer::number, "entry", &RegisterAnswer::entry);
};

inline constexpr Service<RegisterAsk, RegisterAnswer> kRegister{.name = "register", .capacity = 16};

}  // namespace tubing::sim
