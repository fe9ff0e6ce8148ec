//! The Generic Identity Device Specification: Microsoft's card edge, and the admin-key unblock that
//! managed PIV cards share with it.

mod admin;
mod files;
mod keys;
mod pin;
mod unblock;

use crate::book::Book;

const GIDS: &str = "GIDS 2.0";

pub(super) fn fill(book: &mut Book) {
    pin::fill(book);
    files::fill(book);
    keys::fill(book);
    admin::fill(book);
    unblock::fill(book);
}
