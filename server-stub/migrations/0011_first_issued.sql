-- When a card was first issued, 0 for never. Nobody has written it until now; the log knows of those that are issued no more.
UPDATE cards SET issued_at = COALESCE((
    SELECT MIN(events.at) FROM events WHERE events.card = cards.serial AND events.name = 'CARD_STATE_CHANGED'
    AND (events.detail LIKE '%"operation":"issue"%' OR events.detail LIKE '%"operation":"revoke"%')
), 0);
UPDATE cards SET issued_at = 1 WHERE issued_at = 0 AND state NOT IN ('Clean', 'Assigned');
