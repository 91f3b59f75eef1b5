// Passed ends: from handles to numbers and back.
#pragma once

#include "tubing/channel/detail/passed_ends.h"
#include "tubing/channel/detail/port_binding.h"

namespace tubing::detail {

/// The direction that a one-way end lacks.
struct NoValue {
  static constexpr std::string_view type_name = "none";
};

/// The two directions of an end, seen from its owner; one that it lacks is null.
template <class End>
struct EndParts;
template <class Sent, class Received>
struct EndParts<Duplex<Sent, Received>> {
  using Out = Sent;
  using In = Received;
  static ChannelCore<Out>* out(const Duplex<Sent, Received>& end) { return end.tx.core(); }
  static ChannelCore<In>* in(const Duplex<Sent, Received>& end) { return end.rx.core(); }
  static Duplex<Sent, Received> make(ChannelCore<Out>* out, ChannelCore<In>* in) {
    return {Sender<Out>(out), Receiver<In>(in)};
  }
};
template <class T>
struct EndParts<Sender<T>> {
  using Out = T;
  using In = NoValue;
  static ChannelCore<T>* out(const Sender<T>& end) { return end.core(); }
  static ChannelCore<NoValue>* in(const Sender<T>&) { return nullptr; }
  static Sender<T> make(ChannelCore<T>* out, ChannelCore<NoValue>*) { return Sender<T>(out); }
};
template <class T>
struct EndParts<Receiver<T>> {
  using Out = NoValue;
  using In = T;
  static ChannelCore<NoValue>* out(const Receiver<T>&) { return nullptr; }
  static ChannelCore<T>* in(const Receiver<T>& end) { return end.core(); }
  static Receiver<T> make(ChannelCore<NoValue>*, ChannelCore<T>* in) { return Receiver<T>(in); }
};

template <class End>
bool is_empty_end(const End& end) {
  return !EndParts<End>::out(end) && !EndParts<End>::in(end);
}

template <class T>
std::string_view passed_type_name() {
  if constexpr (std::is_same_v<T, NoValue>) {
    return NoValue::type_name;
  } else {
    static_assert(type_name_of<T>().size() <= kPassedTypeNameMax,
                  "codec: the type's name is too long for a channel that is passed; give it a "
                  "type_name of at most 200 bytes");
    return type_name_of<T>();
  }
}

/// What the one who passes `End` says of its channel: it keeps the other end.
template <class End>
channel::ChannelSpec spec_of_passed(std::size_t capacity) {
  using Parts = EndParts<End>;
  return {.service = "",
          .out_type = std::string(passed_type_name<typename Parts::In>()),
          .in_type = std::string(passed_type_name<typename Parts::Out>()),
          .capacity = static_cast<std::uint32_t>(std::min<std::size_t>(capacity, UINT32_MAX))};
}

/// Calls `visit` for every end in `value`, in the order in which they are encoded.
template <class T, class Visit>
void for_each_end(T& value, Visit& visit) {
  if constexpr (EndType<T>) {
    visit(value);
  } else if constexpr (!kCarriesEnds<T>) {
    return;
  } else if constexpr (HasFields<T>) {
    for_each_field(value, [&](std::string_view, auto& member) { for_each_end(member, visit); });
  } else if constexpr (ListType<T> || FixedListType<T>) {
    for (auto& element : value) for_each_end(element, visit);
  } else if constexpr (MapType<T>) {
    for (auto& [key, element] : value) for_each_end(element, visit);
  } else if constexpr (TupleType<T>) {
    std::apply([&](auto&... element) { (for_each_end(element, visit), ...); }, value);
  } else if constexpr (VariantType<T>) {
    std::visit([&](auto& held) { for_each_end(held, visit); }, value);
  } else if constexpr (OptionalType<T>) {
    if (value) for_each_end(*value, visit);
  }
}

template <class T>
Travel may_travel(ChannelCore<T>* core) {
  if (!core) return Travel::allowed;
  if (core->sink() || core->source()) return Travel::elsewhere;
  if (core->capacity() == 0) return Travel::rendezvous;
  if (!core->is_fresh()) return Travel::used;
  return core->mark_travelling() ? Travel::allowed : Travel::twice;
}

/// The end that stays may wait for values already, or have said that it sends none.
template <class End>
Travel may_travel_end(const End& end) {
  auto* const out = EndParts<End>::out(end);
  auto* const in = EndParts<End>::in(end);
  if (out && out->ended()) return Travel::used;
  if (in && !in->receivers().empty()) return Travel::used;
  if (in && in->ended() && in->how_ended().code() != Code::closed) return Travel::used;
  const Travel verdict = may_travel(out);
  return verdict == Travel::allowed ? may_travel(in) : verdict;
}

template <class End>
void unmark_end(const End& end) {
  if (auto* const out = EndParts<End>::out(end)) out->unmark_travelling();
  if (auto* const in = EndParts<End>::in(end)) in->unmark_travelling();
}

/// Opens the channel of `end` and puts the end that stays behind on it: what the travelling one
/// sends is now received from the port, and the other way round.
template <class End>
void open_end(channel::Port& carrier, const End& end) {
  using Parts = EndParts<End>;
  auto* const arriving = Parts::out(end);
  auto* const leaving = Parts::in(end);
  const std::size_t capacity = arriving ? arriving->capacity() : 1;
  PortBinding<typename Parts::In, typename Parts::Out>::bind(
      carrier.open_passed(spec_of_passed<End>(capacity)), leaving, arriving);
}

template <class T>
Result<bool> send_with_ends(channel::Port& carrier, T& value, bool may_move) {
  Travel verdict = Travel::allowed;
  auto check = [&](auto& end) {
    if (verdict == Travel::allowed) verdict = may_travel_end(end);
  };
  auto unmark = [](auto& end) { unmark_end(end); };
  for_each_end(value, check);
  for_each_end(value, unmark);
  if (Result<> free = check_travel(verdict); !free) return std::move(free).error();

  EndWriter writer(carrier.begin_message(), carrier);
  writer.write(value);
  if (writer.failure()) {
    carrier.rollback();
    return *writer.failure();
  }
  Result<bool> committed = carrier.commit();
  if (!committed || !*committed) return committed;
  auto leave = [&](auto& end) {
    if (is_empty_end(end)) return;
    open_end(carrier, end);
    if (may_move) end = {};
  };
  for_each_end(value, leave);
  return true;
}

template <class T>
Result<> decode_with_ends(channel::Port& carrier, ByteView message, T& value) {
  EndReader in(message, carrier);
  if (read(in, value) && in.finish()) return {};
  return in.error(root_name<T>());
}

template <EndType End>
void Writer::write_end(const End& end) {
  write_number(is_empty_end(end) ? 0 : static_cast<EndWriter&>(*this).next_number());
}

template <EndType End>
bool read_end(BoundedReader& in, End& end) {
  using Parts = EndParts<End>;
  std::uint64_t number = 0;
  if (!in.read_integer(number)) return false;
  end = {};
  if (number == 0) return true;
  auto claimed = static_cast<EndReader&>(in).claim(number, spec_of_passed<End>(1));
  if (!claimed) return in.fail(std::string(claimed.error().detail()), claimed.error().code());
  const std::uint32_t capacity = std::min(claimed->spec.capacity, kPassedCapacityMax);
  const std::uint32_t room = claimed->port->accept(capacity);
  ChannelCore<typename Parts::Out>* out = nullptr;
  ChannelCore<typename Parts::In>* in_core = nullptr;
  if constexpr (!std::is_same_v<typename Parts::Out, NoValue>)
    out = new ChannelCore<typename Parts::Out>(0);
  if constexpr (!std::is_same_v<typename Parts::In, NoValue>)
    in_core = new ChannelCore<typename Parts::In>(room);
  end = Parts::make(out, in_core);
  PortBinding<typename Parts::Out, typename Parts::In>::bind(std::move(claimed->port), out,
                                                             in_core);
  return true;
}

}  // namespace tubing::detail
