//! Asking for memory before it is needed.
//!
//! A load that misses the cache keeps the processor from finishing what comes behind it, so reading ahead costs nearly as
//! much as reading in time. What is asked for comes while other work is finished. A replay of all books on one thread,
//! which asks for an instrument's book and messages while it applies those of the one before, takes 49 ns a message
//! instead of 54 (55 when it reads them ahead). With quotes it takes 65 instead of 73, with the rows of orders 82 instead
//! of 93, as what is to be pushed is asked for while the rows before are pushed.

use prefetch_index::prefetch_index;

/// Asks for the cache line where a value starts and does not wait for it.
///
/// Does nothing on processors other than x86 and ARM.
#[inline]
pub fn prefetch<T>(value: &T) {
    prefetch_index(std::slice::from_ref(value), 0);
}
