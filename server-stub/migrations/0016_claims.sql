-- What workstations say without having been given a response is told apart from what is known: however much of it there is, it
-- is not read to tell what has happened to a card or a user.
CREATE INDEX events_known_of_card ON events (card, seq) WHERE name NOT IN ('PIN_BLOCK_SEEN', 'PIN_WRONG_SEEN', 'REPORT_UNCONFIRMED');
CREATE INDEX events_known_of_user ON events (user_id, seq) WHERE name NOT IN ('PIN_BLOCK_SEEN', 'PIN_WRONG_SEEN', 'REPORT_UNCONFIRMED');
CREATE INDEX events_claimed_of_card ON events (card, seq) WHERE name IN ('PIN_BLOCK_SEEN', 'PIN_WRONG_SEEN', 'REPORT_UNCONFIRMED');
CREATE INDEX events_claimed_of_user ON events (user_id, seq) WHERE name IN ('PIN_BLOCK_SEEN', 'PIN_WRONG_SEEN', 'REPORT_UNCONFIRMED');
