//! What an older version of the server has left bare: the columns by which people, cards and settings are found and compared.

use super::{Tx, called, cards, users};
use crate::model::refusal::Refusal;
use sqlx::query;

/// Fills it. Rows are read and written thousands at once ([`super::given`]).
pub(crate) async fn fill(tx: &mut Tx) -> Result<(), Refusal> {
    // In KiB. SQLite keeps 2 MB of a database by itself, and writes a page of a large index to the disk again for each of its rows
    // that comes.
    cache(tx, "PRAGMA cache_size = -131072").await?;
    users::fill(tx).await?;
    cards::fill(tx).await?;
    called::fill(tx).await?;
    cache(tx, "PRAGMA cache_size = -2000").await
}

async fn cache(tx: &mut Tx, size: &'static str) -> Result<(), Refusal> {
    if !tx.is_postgres() {
        tx.run(query(size)).await?;
    }
    Ok(())
}
