//! SP 800-73-4 and -5, parts 1 and 2: the PIV card application.

mod admin;
mod chaining;
mod change;
mod contactless;
mod content;
mod generate;
mod keys;
mod messaging;
mod objects;
mod select;
mod tearing;
mod unblock;
mod verify;
mod virtual_contact;

use crate::book::Book;

/// Standard and part as they stand in ids and sources.
const PART1: &str = "SP 800-73-4 part 1";
const PART2: &str = "SP 800-73-4 part 2";

pub(super) fn fill(book: &mut Book) {
    select::fill(book);
    objects::fill(book);
    verify::fill(book);
    change::fill(book);
    unblock::fill(book);
    admin::fill(book);
    keys::fill(book);
    chaining::fill(book);
    generate::fill(book);
    contactless::fill(book);
    messaging::fill(book);
    virtual_contact::fill(book);
    content::fill(book);
    tearing::fill(book);
}
