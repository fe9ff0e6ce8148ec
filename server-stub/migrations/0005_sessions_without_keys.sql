-- A session is stored and logged under the SHA-256 of what opens it. Those that were open end: what opens them stands in the
-- log.
DELETE FROM flows;
UPDATE tasks SET state = 'Idle', flow = '' WHERE state = 'Running';
UPDATE tasks SET flow = '' WHERE state <> 'Idle';
-- Who opened it: an operator's id, else the address.
ALTER TABLE flows ADD COLUMN opener TEXT NOT NULL DEFAULT '';
-- The session that was given the response last: another one may be of a card whose challenges repeat.
ALTER TABLE responses ADD COLUMN flow TEXT NOT NULL DEFAULT '';
-- What is over is found by its time.
CREATE INDEX hits_by_time ON hits (at);
CREATE INDEX flows_by_time ON flows (expires);
