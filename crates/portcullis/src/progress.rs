//! How far a scan is, for a person who waits: on standard error, on a terminal only.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Scans that end sooner show nothing: a bar that flashes tells nobody anything.
const QUIET: Duration = Duration::from_millis(400);

/// A bar that is drawn once it is worth it.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    start: Instant,
}

impl Progress {
    /// Counts `total` roots. `on` is whether anybody may want to see it; without a terminal nobody
    /// does.
    pub(crate) fn new(total: usize, on: bool) -> Self {
        let bar = (on && total > 1 && crate::stderr_is_terminal()).then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
            if let Ok(style) = ProgressStyle::with_template(
                "{bar:24.cyan} {pos} of {len} roots judged, {eta} left",
            ) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, start: Instant::now() }
    }

    /// One root more is done.
    pub(crate) fn step(&self) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.start.elapsed() > QUIET {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
