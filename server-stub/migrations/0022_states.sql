-- Of people who are found by words, what a list may ask beside: read from here, not from the rows of all of them.
CREATE INDEX users_states ON users (id, catalog_state);
