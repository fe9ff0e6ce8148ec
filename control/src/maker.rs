//! New cards for readers that are up. How cards are made here - from which seed, with whose keys - knows the program, which hands
//! in a maker.

use crate::view::NewCard;
use cardlab_vreader::VirtualCard;

/// Makes cards. Generating an RSA key takes seconds: call it where that holds up nobody.
pub trait Maker: Send + Sync {
    /// A new card for the reader of this number.
    ///
    /// # Errors
    /// A sentence that says what to change.
    fn make(&self, order: &NewCard, reader: usize) -> Result<VirtualCard, String>;
}
