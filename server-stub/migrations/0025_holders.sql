-- Whose the card was when a task was ordered and when a response was given: who had it before is none of a local role's, and a task
-- is of who had the card then alone. Empty where the log does not say.
ALTER TABLE tasks ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
UPDATE tasks SET user_id = COALESCE((
    SELECT MAX(events.user_id) FROM events WHERE events.card = tasks.card AND events.name = 'TASK_ORDERED'
    AND events.detail LIKE '%"task":"' || tasks.id || '"%'
), '');
ALTER TABLE givings ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
UPDATE givings SET user_id = actor WHERE channel <> 'operator';
-- An operator's, by the event that was written with it.
UPDATE givings SET user_id = COALESCE((
    SELECT events.user_id FROM events WHERE events.card = givings.card AND events.name = 'RESPONSE_GIVEN'
    AND events.at >= givings.again_at AND events.detail LIKE '%"channel":"operator"%' ORDER BY events.seq LIMIT 1
), '') WHERE channel = 'operator';
-- Nobody can do any more what was ordered for who had the card before.
UPDATE tasks SET state = 'Cancelled' WHERE state IN ('Idle', 'Running') AND user_id <> COALESCE((
    SELECT cards.user_id FROM cards WHERE cards.serial = tasks.card
), '');
