//! The README and the docs say what is so.

mod document;
mod links;
mod manual;
mod references;
mod spelling;
mod transcripts;
