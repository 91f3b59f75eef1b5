#include "tubing/sim/disk.h"

#include <fmt/format.h>

#include <utility>

namespace tubing::sim {

using channel::DiskOperation;
using channel::DiskRequest;

Disk::Disk(VirtualReactor& reactor, DiskMedium& medium, channel::DiskLimits limits)
    : channel::Disk(limits),
      reactor_(reactor),
      medium_(medium),
      order_(medium.orders_of_disks_.next()) {
  medium_.attach(*this);
}

Disk::~Disk() {
  cut();
  medium_.detach(*this);
}

void Disk::start(std::unique_ptr<DiskRequest> request) {
  if (cut_) {
    orphans_.push_back(std::move(request));
    return;
  }
  Line& line = lines_[static_cast<std::size_t>(request->queue)];
  line.waiting.push_back({std::move(request), medium_.last_change()});
  if (!line.current.request) begin_next(line);
}

void Disk::begin_next(Line& line) {
  if (line.waiting.empty()) return;
  std::swap(line.waiting[order_.below(line.waiting.size())], line.waiting.back());
  line.current = std::move(line.waiting.back());
  line.waiting.pop_back();
  const DiskRequest& request = *line.current.request;
  line.hung = medium_.draw_hang(request);
  if (line.hung) return;
  complete_at(line, reactor_.world_now() + medium_.draw_time(request));
}

void Disk::complete_at(Line& line, Time at) {
  line.done_at = at;
  line.done = reactor_.schedule(at, [this, &line] { complete(line); });
}

void Disk::hasten() {
  for (Line& line : lines_) {
    if (!line.done.pending()) continue;
    const Time anew = reactor_.world_now() + medium_.draw_healthy_time(*line.current.request);
    complete_at(line, std::min(line.done_at, anew));
  }
}

DiskMedium::Opening& Disk::opening(const DiskRequest& request) {
  return request.file == 0 ? none_ : openings_[request.file];
}

void Disk::complete(Line& line) {
  const detail::ChangeId covered = line.current.covered;
  auto request = std::move(line.current.request);
  medium_.perform(*request, opening(*request), covered);
  if (request->operation == DiskOperation::close ||
      (request->operation == DiskOperation::open && !request->result))
    openings_.erase(request->file);
  if (request->entries.size() > limits().entries_max) {
    request->result = request->error(
        Code::out_of_range, fmt::format("more than {} names lie in it; spread them over folders, "
                                        "or raise DiskLimits::entries_max",
                                        limits().entries_max));
  }
  begin_next(line);
  finish(std::move(request));
}

void Disk::release_hung() {
  for (Line& line : lines_) {
    if (!std::exchange(line.hung, false)) continue;
    complete_at(line, reactor_.world_now());
  }
}

void Disk::cut() {
  if (std::exchange(cut_, true)) return;
  for (Line& line : lines_) {
    line.done.cancel();
    line.hung = false;
    if (line.current.request) {
      medium_.perform_part(*line.current.request, opening(*line.current.request));
      orphans_.push_back(std::move(line.current.request));
    }
    for (Queued& queued : line.waiting) orphans_.push_back(std::move(queued.request));
    line.waiting.clear();
  }
  for (auto& [id, opened] : openings_) medium_.close(opened);
  openings_.clear();
}

}  // namespace tubing::sim
