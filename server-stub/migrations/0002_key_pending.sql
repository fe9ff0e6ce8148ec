-- The version of the administration key that is being put on a card; 0 when none is.
ALTER TABLE cards ADD COLUMN key_pending BIGINT NOT NULL DEFAULT 0;
