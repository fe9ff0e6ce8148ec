-- Who has changed something that is configured last, by name: told to whom it was changed under the hands. No row where nobody
-- knows. It was a column, of policies alone.
CREATE TABLE changed (
    what TEXT NOT NULL,
    id TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (what, id)
);
INSERT INTO changed (what, id, changed_by) SELECT 'policy', id, changed_by FROM policies WHERE changed_by <> '';
ALTER TABLE policies DROP COLUMN changed_by;
