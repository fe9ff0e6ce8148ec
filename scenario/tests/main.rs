//! Files of scenarios, and what the catalogue covers. One module a subject.
#![allow(clippy::unwrap_used)]

mod files;
mod recorded;
mod traceability;
