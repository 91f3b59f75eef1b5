// Fields: the one list of a type's fields, which the codec, JSON and reflection read.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tubing {

/// The names and members of `Class`, in the order in which they are encoded. Made by `fields`.
template <class Class, class... Members>
struct FieldList {
  static constexpr std::size_t kCount = sizeof...(Members);
  using Owner = Class;

  std::array<std::string_view, kCount> names;
  std::tuple<Members Class::*...> members;
};

namespace detail {

/// Taken as a type's list where the type has none.
struct NoFields {};

template <class Pointer>
struct PointedMember;
template <class M, class C>
struct PointedMember<M C::*> {
  using Member = M;
  using Class = C;
};

template <class T>
inline constexpr bool is_field_list = false;
template <class Class, class... Members>
inline constexpr bool is_field_list<FieldList<Class, Members...>> = true;

template <class T>
consteval auto own_fields() {
  if constexpr (requires { T::fields; }) {
    return T::fields;
  } else {
    return NoFields{};
  }
}

template <class T>
consteval std::string_view own_name() {
  if constexpr (requires { T::type_name; }) {
    return T::type_name;
  } else {
    return "";
  }
}

/// Not constexpr: reaching it in a list's initialiser is a compile error that shows its name.
inline void two_fields_have_the_same_name() {}

template <std::size_t... I, class Arguments>
consteval auto field_list(std::index_sequence<I...>, const Arguments& arguments) {
  using First = std::tuple_element_t<1, Arguments>;
  using List =
      FieldList<typename PointedMember<First>::Class,
                typename PointedMember<std::tuple_element_t<2 * I + 1, Arguments>>::Member...>;
  const List list{{std::string_view(std::get<2 * I>(arguments))...},
                  {std::get<2 * I + 1>(arguments)...}};
  for (std::size_t i = 0; i < List::kCount; ++i) {
    for (std::size_t k = i + 1; k < List::kCount; ++k) {
      if (list.names[i] == list.names[k]) two_fields_have_the_same_name();
    }
  }
  return list;
}

}  // namespace detail

/// Lists a type's fields inside that type, each name before its member:
///
/// `static constexpr auto fields = tubing::fields("a", &Add::a, "b", &Add::b);`
///
/// The order and the names are the wire format. New fields go to the end; a field is never taken
/// out, moved or given another type: then the type needs a new `type_name`.
template <class... NamesAndMembers>
  requires(sizeof...(NamesAndMembers) >= 2 && sizeof...(NamesAndMembers) % 2 == 0)
consteval auto fields(const NamesAndMembers&... names_and_members) {
  return detail::field_list(
      std::make_index_sequence<sizeof...(NamesAndMembers) / 2>(),
      std::tuple<std::decay_t<const NamesAndMembers&>...>(names_and_members...));
}

/// The list of T: its own `T::fields`. Specialise it for a type that must not know the codec:
///
/// `template <> inline constexpr auto tubing::fields_of<Entry> = tubing::fields("term", …);`
template <class T>
inline constexpr auto fields_of = detail::own_fields<T>();

/// The name that T was given: its own `T::type_name`, empty where it has none. Specialise it, as
/// `fields_of`, for a type that must not know the codec.
template <class T>
inline constexpr std::string_view declared_name = detail::own_name<T>();

/// A type that lists its fields.
template <class T>
concept HasFields =
    std::is_class_v<T> && detail::is_field_list<std::remove_cvref_t<decltype(fields_of<T>)>>;

/// How many fields T lists.
template <HasFields T>
inline constexpr std::size_t kFieldCount = std::remove_cvref_t<decltype(fields_of<T>)>::kCount;

/// The I-th listed field of `record`.
template <std::size_t I, class Record>
  requires HasFields<std::remove_cvref_t<Record>>
constexpr auto& field(Record& record) {
  return record.*std::get<I>(fields_of<std::remove_cvref_t<Record>>.members);
}

/// Calls `visit(name, field)` for each listed field in order.
template <class Record, class Visit>
  requires HasFields<std::remove_cvref_t<Record>>
constexpr void for_each_field(Record& record, Visit&& visit) {
  using T = std::remove_cvref_t<Record>;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (visit(fields_of<T>.names[I], field<I>(record)), ...);
  }(std::make_index_sequence<kFieldCount<T>>());
}

}  // namespace tubing
