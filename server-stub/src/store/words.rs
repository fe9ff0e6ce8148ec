//! Tables of words: by which people and cards are found, and the tags of cards.

use super::Tx;
use super::given::Given;
use super::page::{Condition, Source};
use crate::model::refusal::Refusal;
use crate::model::search::Sought;
use serde_json::{Value, json};

/// A table of words: its name, the columns of what has them and of the word, and those of its places in lists.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub(super) table: &'static str,
    pub(super) of: &'static str,
    pub(super) word: &'static str,
    pub(super) places: &'static [&'static str],
    pub(super) source: Source,
}

/// What has words, its words, each once, and its places.
pub(super) fn has(of: &str, words: impl IntoIterator<Item = String>, places: &[&str]) -> Value {
    let words: Vec<String> = words.into_iter().collect();
    let row = [json!(of), json!(words)].into_iter().chain(places.iter().map(|place| json!(place)));
    Value::Array(row.collect())
}

impl Words {
    /// What has one of the words that are sought, of each of these.
    pub(super) fn have(self, words: &[Sought]) -> Vec<Condition> {
        let have = |sought: &Sought| {
            let begins = sought.begin.iter().fold(Condition::none(), |any, word| any.or_begins(self.source, word));
            begins.or_among(self.source, self.word, sought.is.iter().map(String::as_str))
        };
        words.iter().map(have).collect()
    }

    /// These have these words ([`has`]), and no others. What is there already is not written again.
    pub(super) async fn set(self, tx: &mut Tx, these: Vec<Value>) -> Result<(), Refusal> {
        let Self { table, of, word, .. } = self;
        let these = Given::new(these);
        // Put so that both engines find each by the table's key; PostgreSQL reads all words for a NOT IN.
        let delete = format!(
            "DELETE FROM {table} WHERE ({of}, {word}) IN (\
             SELECT {of}, {word} FROM {table} WHERE {of} IN (SELECT given.value ->> 0 FROM {{given}}) \
             EXCEPT SELECT given.value ->> 0, one.value FROM {{given}}, {{each 1}} AS one)"
        );
        these.run(tx, &delete).await?;
        self.put(tx, &these).await
    }

    /// As [`Self::set`], of what has no words yet.
    pub(super) async fn insert(self, tx: &mut Tx, this: Value) -> Result<(), Refusal> {
        self.put(tx, &Given::new(vec![this])).await
    }

    async fn put(self, tx: &mut Tx, these: &Given) -> Result<(), Refusal> {
        let Self { table, of, word, places, .. } = self;
        let (mut columns, mut values, mut set, mut differ) = (String::new(), String::new(), Vec::new(), Vec::new());
        for (place, column) in places.iter().enumerate() {
            columns.push_str(&format!(", {column}"));
            values.push_str(&format!(", given.value ->> {}", place + 2));
            set.push(format!("{column} = excluded.{column}"));
            differ.push(format!("{table}.{column} <> excluded.{column}"));
        }
        let there = match places {
            [] => "NOTHING".to_owned(),
            _ => format!("UPDATE SET {} WHERE {}", set.join(", "), differ.join(" OR ")),
        };
        let insert = format!(
            "INSERT INTO {table} ({of}, {word}{columns}) SELECT given.value ->> 0, one.value{values} \
             FROM {{given}}, {{each 1}} AS one WHERE true ON CONFLICT ({of}, {word}) DO {there}"
        );
        these.run(tx, &insert).await
    }
}
