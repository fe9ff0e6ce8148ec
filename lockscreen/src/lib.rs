//! The lock screen of a workstation, as a page: what a credential provider shows for a card.
//!
//! What happens and what is said is an unlock session's ([`cardlab_client::unlock::session`]), which a desk drives
//! ([`cardlab_client::unlock::desk`]); here is only the page: what is shown becomes HTML, and forms become acts. The page
//! holds no secret and knows no card. It works with any reader that PC/SC shows.
#![forbid(unsafe_code)]

pub mod page;
