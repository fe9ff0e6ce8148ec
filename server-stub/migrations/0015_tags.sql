-- Tags of a card, for people: a list in JSON, in the order in which they are shown.
ALTER TABLE cards ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
-- The same as they are compared, so that the cards of a tag are listed without reading all.
CREATE TABLE card_tags (
    card TEXT NOT NULL REFERENCES cards (serial), tag TEXT COLLATE {bytewise} NOT NULL, PRIMARY KEY (card, tag)
);
CREATE INDEX card_tags_by_tag ON card_tags (tag, card);
