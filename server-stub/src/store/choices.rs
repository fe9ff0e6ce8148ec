//! What people choose from where cards are listed: of two tables in one statement.

use super::rows::text;
use super::{Snapshot, policies};
use crate::model::policy::NamedPolicy;
use crate::model::refusal::Refusal;
use sqlx::query;

/// Names of all card types, and all policies in their order.
pub(crate) async fn of_cards(conn: &mut Snapshot) -> Result<(Vec<String>, Vec<NamedPolicy>), Refusal> {
    let all = "SELECT 'policy' AS what, id, name, body, position FROM policies \
               UNION ALL SELECT 'type', id, '', '', 0 FROM card_types ORDER BY what, position, id";
    let (mut types, mut found) = (Vec::new(), Vec::new());
    for row in conn.all(query(all)).await? {
        match text(&row, "what")?.as_str() {
            "policy" => found.push(policies::of_row(&row)?),
            _ => types.push(text(&row, "id")?),
        }
    }
    Ok((types, found))
}
