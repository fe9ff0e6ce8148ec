-- Cards are found by the end of their serial, people by their telephone number however it is written: the words for that are made
-- at the start, where a key is empty.
UPDATE cards SET search_key = '';
UPDATE users SET name_key = '' WHERE phone <> '';
