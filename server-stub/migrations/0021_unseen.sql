-- Names are compared without what nobody sees (Default_Ignorable_Code_Point of Unicode). None of that is ASCII: of names in it
-- everything stays as it is, the others are made anew at the start, where a key is empty.
UPDATE users SET name_key = '' WHERE octet_length(cn || logon || upn || mail || phone) <> length(cn || logon || upn || mail || phone);
UPDATE cards SET search_key = '' WHERE octet_length(label || tags) <> length(label || tags);
UPDATE operators SET name_key = '' WHERE octet_length(name) <> length(name);
UPDATE policies SET name_key = '' WHERE octet_length(name) <> length(name);
UPDATE roles SET name_key = '' WHERE octet_length(name) <> length(name);
UPDATE card_types SET name_key = '' WHERE octet_length(id) <> length(id);
