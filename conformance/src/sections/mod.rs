//! The bodies of the tests, one file a section of a standard.

mod common;
mod firmware;
mod gids;
mod iso;
mod minidriver;
mod pcsc;
mod piv;
mod yubikey;

use crate::book::Book;

pub(crate) fn fill(book: &mut Book) {
    iso::fill(book);
    piv::fill(book);
    yubikey::fill(book);
    firmware::fill(book);
    gids::fill(book);
    minidriver::fill(book);
    pcsc::fill(book);
}
