#pragma once

/// Windows of fixed length, and the panes that they share. Pure arithmetic; all times are microseconds since
/// 1970 (UTC).

#include <cstdint>

namespace laminar {

enum class WindowKind {
  kTumble,
  kHop,
  kCumulate,  ///< windows of one `size` have the same start and end at each multiple of `slide`
  kSession,
  kFromColumns,  ///< the input is windowed already: columns hold each row's window
};

struct WindowSpec {
  WindowKind kind = WindowKind::kTumble;
  int64_t size_us = 0;    ///< SESSION: the gap
  int64_t slide_us = 0;   ///< HOP: the slide; CUMULATE: the step; others: ignored
  int64_t offset_us = 0;  ///< moves all windows
  bool processing_time = false;
};

/// Cuts time into panes such that each TUMBLE, HOP or CUMULATE window is a run of whole panes.
class PaneGrid {
 public:
  explicit PaneGrid(const WindowSpec& spec);

  int64_t pane_us() const { return pane_us_; }
  /// Start of the pane that holds `time_us` (towards −∞).
  int64_t PaneStart(int64_t time_us) const;
  /// End of the first and of the last window that hold the pane.
  int64_t FirstEnd(int64_t pane_start) const;
  int64_t LastEnd(int64_t pane_start) const;
  /// End of the first window that holds the pane and ends after `time_us`, which is below LastEnd.
  int64_t NextEnd(int64_t pane_start, int64_t time_us) const;
  int64_t WindowStart(int64_t end) const;

 private:
  WindowKind kind_;
  int64_t size_us_, slide_us_, offset_us_, pane_us_;
};

}  // namespace laminar
