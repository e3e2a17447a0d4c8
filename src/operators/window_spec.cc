#include "operators/window_spec.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace laminar {

namespace {

/// The largest offset + n * step that is ≤ time. Exact for negative times too.
int64_t FloorTo(int64_t time, int64_t step, int64_t offset) {
  const __int128 shifted = static_cast<__int128>(time) - offset;
  __int128 steps = shifted / step;
  if (shifted % step < 0) --steps;
  return static_cast<int64_t>(steps * step + offset);
}

int64_t CeilTo(int64_t time, int64_t step, int64_t offset) {
  const int64_t floor = FloorTo(time, step, offset);
  return floor == time ? floor : floor + step;
}

}  // namespace

PaneGrid::PaneGrid(const WindowSpec& spec)
    : kind_(spec.kind), size_us_(spec.size_us), slide_us_(spec.slide_us), offset_us_(spec.offset_us) {
  if (kind_ != WindowKind::kHop && kind_ != WindowKind::kCumulate) slide_us_ = size_us_;
  LAMINAR_CHECK(size_us_ > 0 && slide_us_ > 0, "a window without length");
  LAMINAR_CHECK(slide_us_ <= size_us_, "a slide beyond the window's size");
  pane_us_ = std::gcd(size_us_, slide_us_);
  offset_us_ %= kind_ == WindowKind::kCumulate ? size_us_ : slide_us_;
}

int64_t PaneGrid::PaneStart(int64_t time_us) const { return FloorTo(time_us, pane_us_, offset_us_); }

int64_t PaneGrid::FirstEnd(int64_t pane_start) const {
  const int64_t pane_end = pane_start + pane_us_;
  if (kind_ == WindowKind::kCumulate) {
    const int64_t start = FloorTo(pane_start, size_us_, offset_us_);
    return std::min(start + size_us_, CeilTo(pane_end, slide_us_, start));
  }
  // Ends lie at offset + size + n * slide.
  return CeilTo(pane_end, slide_us_, offset_us_ + size_us_);
}

int64_t PaneGrid::LastEnd(int64_t pane_start) const {
  if (kind_ == WindowKind::kCumulate) return FloorTo(pane_start, size_us_, offset_us_) + size_us_;
  return FloorTo(pane_start, slide_us_, offset_us_) + size_us_;
}

int64_t PaneGrid::NextEnd(int64_t pane_start, int64_t time_us) const {
  const int64_t first = FirstEnd(pane_start);
  if (first > time_us) return first;
  if (kind_ == WindowKind::kCumulate) {
    const int64_t start = FloorTo(pane_start, size_us_, offset_us_);
    return std::min(start + size_us_, FloorTo(time_us, slide_us_, start) + slide_us_);
  }
  return FloorTo(time_us, slide_us_, offset_us_ + size_us_) + slide_us_;
}

int64_t PaneGrid::WindowStart(int64_t end) const {
  if (kind_ == WindowKind::kCumulate) return FloorTo(end - 1, size_us_, offset_us_);
  return end - size_us_;
}

}  // namespace laminar
