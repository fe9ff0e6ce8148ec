//! `cardlab`: software smart cards in virtual readers, and everything around a locked card.

fn main() -> std::process::ExitCode {
    cardlab::run()
}
