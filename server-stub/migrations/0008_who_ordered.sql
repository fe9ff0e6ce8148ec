-- A session is its opener's, who is an operator where the session is an operator's; "operator" was an id there, and the name of
-- who had ordered an agent's task elsewhere.
ALTER TABLE flows DROP COLUMN operator;
-- The name of who has ordered it, as the log has it.
ALTER TABLE tasks RENAME COLUMN operator TO ordered_by;
