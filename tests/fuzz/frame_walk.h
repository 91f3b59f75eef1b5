// Reads every frame of a record's plaintext, as a peer would.
#pragma once

#include "tubing/rpc/wire.h"

namespace tubing::fuzz {

/// Reads one frame behind its kind and hands it to `visit`. Returns: whether it was well formed.
template <class Frame, class Visit>
bool visit_frame(rpc::FrameReader& in, Visit& visit) {
  Frame frame;
  if (!rpc::read_frame(in, frame)) return false;
  visit(frame);
  return true;
}

template <class Visit>
bool visit_next(rpc::FrameReader& in, Visit& visit) {
  using rpc::FrameKind;
  switch (static_cast<FrameKind>(in.byte())) {
    case FrameKind::settings: return visit_frame<rpc::SettingsFrame>(in, visit);
    case FrameKind::refused: return visit_frame<rpc::RefusedFrame>(in, visit);
    case FrameKind::open: return visit_frame<rpc::OpenFrame>(in, visit);
    case FrameKind::accept: return visit_frame<rpc::AcceptFrame>(in, visit);
    case FrameKind::data: return visit_frame<rpc::DataFrame>(in, visit);
    case FrameKind::data_begin: return visit_frame<rpc::DataBeginFrame>(in, visit);
    case FrameKind::data_more: return visit_frame<rpc::DataMoreFrame>(in, visit);
    case FrameKind::credit: return visit_frame<rpc::CreditFrame>(in, visit);
    case FrameKind::close: return visit_frame<rpc::CloseFrame>(in, visit);
    case FrameKind::stop: return visit_frame<rpc::StopFrame>(in, visit);
    case FrameKind::reset: return visit_frame<rpc::ResetFrame>(in, visit);
    case FrameKind::ping: return visit_frame<rpc::PingFrame>(in, visit);
    case FrameKind::pong: return visit_frame<rpc::PongFrame>(in, visit);
    case FrameKind::goaway: return visit_frame<rpc::GoawayFrame>(in, visit);
    case FrameKind::goodbye: return visit_frame<rpc::GoodbyeFrame>(in, visit);
    case FrameKind::certificate: return visit_frame<rpc::CertificateFrame>(in, visit);
    case FrameKind::pass: return visit_frame<rpc::PassFrame>(in, visit);
    case FrameKind::blocked: return visit_frame<rpc::BlockedFrame>(in, visit);
    case FrameKind::places: return visit_frame<rpc::PlacesFrame>(in, visit);
    case FrameKind::padding: return visit_frame<rpc::PaddingFrame>(in, visit);
    default: return false;
  }
}

/// Calls `visit` with each frame, up to the first that is malformed or of an unknown kind.
/// Returns: whether that was all of the plaintext.
template <class Visit>
bool visit_frames(ByteView plaintext, Visit visit) {
  rpc::FrameReader in(plaintext);
  while (!in.done()) {
    if (!visit_next(in, visit)) return false;
  }
  return true;
}

}  // namespace tubing::fuzz
