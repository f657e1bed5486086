//! A progress bar on standard error, for work of over a second.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::options::ShowProgress;
use crate::report::grouped;
use crate::source::Source;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far a source has been read.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    position: Arc<AtomicU64>,
}

impl Progress {
    pub(crate) fn new(source: &Source, show: ShowProgress) -> Self {
        let visible = show == ShowProgress::OnTerminal && std::io::stderr().is_terminal();
        let bar = visible.then(|| {
            let (bar, template) = match source.size() {
                Some(size) => (
                    ProgressBar::new(size),
                    "{prefix} {bar:30} {percent:>3} %  {bytes_per_sec}, {msg}, {eta} left",
                ),
                None => (
                    ProgressBar::no_length(),
                    "{prefix} {bytes} {bytes_per_sec}, {msg}",
                ),
            };
            bar.set_draw_target(ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template(template).expect("the template is right");
            bar.with_style(style).with_prefix(source.name().to_owned())
        });
        Self {
            bar,
            started: Instant::now(),
            position: source.position(),
        }
    }

    /// Notes that so many messages have been replayed.
    pub(crate) fn update(&self, messages: u64) {
        let Some(bar) = &self.bar else { return };
        // Also while nothing is drawn, so that the first picture knows the rate.
        bar.set_position(self.position.load(Ordering::Relaxed));
        let elapsed = self.started.elapsed();
        if elapsed < PATIENCE {
            return;
        }
        let rate = messages as f64 / elapsed.as_secs_f64() / 1e6;
        bar.set_message(format!("{} messages, {rate:.1} M/s", grouped(messages)));
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.tick();
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
