# What a lock screen and the Unlock tool say, in English. Syntax: projectfluent.org.
# Sentences begin with a capital and end with a full stop; what is pressed is named as on its button.

## Buttons and fields
sign-in = Sign in
answer-questions = Answer your questions
check-answers = Check answers
unlock = Unlock
use-puk = Unlock with your PUK
sure = Use the last response
sure-puk = Use the last try
all-the-same = Set a new PIN all the same
cancel = Cancel
ok = OK
lock-again = Lock again
try-again = Try again
other-card = Use another card
response = Response data
challenge = Challenge data
confirm = Confirm new PIN
puk = PUK
pin = PIN
operator = Call the service desk
or-questions = Or answer your security questions
new-pin-characters = New PIN, { $least } to { $most } characters
new-pin-digits = New PIN, { $least } to { $most } digits
rules-characters = { $least } to { $most } characters
rules-digits = { $least } to { $most } digits

## The page alone
page-lock-screen = Lock screen
page-session = Unlock card
page-others = Other cards
page-read-it = Challenge data – read it to them:
page-check-code = Check code
page-response = What they read to you
page-group = Response data, group { $count }
page-digit = “{ $digit }” is no digit of a code: only 0 to 9 and A to F.
page-so-far = { $count } of { $all } digits
page-too-many = Too many digits: { $count } of { $all }
page-compare = Check code { $code }. Compare it with your operator.
page-refused = That cannot be done
page-back = Back to the lock screen
page-no-such = There is no such page.
page-elsewhere = The lock screen is for this machine only: open it at 127.0.0.1 or localhost.
page-too-long = That is too long: a form has at most { $most } bytes. Nothing was sent to the card.
page-not-our-form = This form is not from the lock screen's own page; load it again.
page-no-form = The lock screen has no such form.

## Cards
card = Card { $digits }
card-gids = GIDS card
card-gids-new = GIDS card, not initialised
card-piv = PIV card
card-piv-managed = PIV card, managed
chip-looking = Being looked at.
chip-held = In use by another program.
chip-locked = Locked.
chip-not-locked = Not locked.
chip-not-locked-left =
    { $count ->
        [one] Not locked, { $count } try left.
       *[other] Not locked, { $count } tries left.
    }
tries-left =
    { $count ->
        [one] { $count } try left
       *[other] { $count } tries left
    }

## Headlines
title-looking = Looking for card readers
title-no-service = There is no card reader
title-insert = Insert your card
title-choose = Choose your card
title-choose-looking = Looking at the card
title-choose-held = The card is in use
title-choose-none = This card cannot be used
title-put-back = Put the card back
title-put-back-card = Put the card { $digits } back
title-pin = Smart card
title-pin-name = Hello, { $name }
title-welcome = Welcome
title-welcome-name = Welcome, { $name }
title-not-blocked = Your card is not locked
title-not-blocked-name = { $name }, your card is not locked
title-locked = Your card is locked
title-locked-name = { $name }, your card is locked
title-last-response = This is the last response that the card takes
title-last-puk = This is the last try of the PUK
title-task = Your operator asks you to set a new PIN
title-questions = Your security questions
title-new-pin = Choose a new PIN
title-asking = Asking the server
title-judging = Checking your answers
title-verifying = Checking your PIN
title-unlocking = Unlocking the card
title-done = The card is unlocked
title-no-pin = This card has no PIN yet
title-lost = Your card cannot be unlocked any more
title-lost-name = { $name }, your card cannot be unlocked any more
title-no-task = There is nothing to do for this card

## What stands below
pulled-out = The { $kind } was pulled out. Any reader will do.
pulled-out-of = The { $kind } of { $name } was pulled out. Any reader will do.
pin-right = The PIN is right.
pin-not-blocked = The PIN is not blocked. There is nothing to unlock.
pin-not-blocked-left =
    { $count ->
        [one] The PIN is not blocked, { $count } try left. There is nothing to unlock.
       *[other] The PIN is not blocked, { $count } tries left. There is nothing to unlock.
    }
last-response-lost = A wrong one blocks the administrator key, and the card is lost for good.
last-response-compare = Compare the check code with your operator before you use it.
last-puk-lost = A wrong one blocks the PUK, and the card is lost for good.
capitals = Upper and lower case do not matter.
answers-right = Your answers are right.
moment = One moment, please. Leave the card in the reader.
pin-set = Your new PIN is set.
remote-desktop = Unlocking a card is not supported on the lock screen of a Remote Desktop connection.
remote-desktop-then = Unlock it at the computer itself, or sign in another way and unlock it in the session.
no-task = The server has no task for it.
lost-key = The administrator key is blocked after too many wrong responses. Ask for a replacement.
lost-puk = The PUK is blocked after too many wrong ones. Ask for a replacement.
lost-both = Administrator key and PUK are both blocked. Ask for a replacement.
lost-not-initialised = It is not initialised: there is nothing to unlock.
wrongly-often = The PIN was entered wrongly too often.
wrongly =
    { $count ->
        [one] The PIN was entered wrongly.
        [2] The PIN was entered wrongly twice.
        [3] The PIN was entered wrongly three times.
        [4] The PIN was entered wrongly four times.
        [5] The PIN was entered wrongly five times.
       *[other] The PIN was entered wrongly { $count } times.
    }
pin-blocked = Its PIN is blocked.
offline-off = Your administrator has switched off unlocking with an operator (Unblock card offline).
offline-puk-only = This card is unlocked with its PUK.
offline-key-blocked = Its administrator key is blocked after too many wrong responses; its PUK unlocks it still.
offline-leave = Leave the card in the reader: the code ends with it.
offline-drawing = The card makes a code.
offline-none = There is no code now.
lookalikes = Cyrillic letters were read as the Latin ones that they look like.
responses-left-key =
    { $count ->
        [one] { $count } response left before the administrator key is blocked.
       *[other] { $count } responses left before the administrator key is blocked.
    }
responses-left-card =
    { $count ->
        [one] { $count } response left before the card is lost for good.
       *[other] { $count } responses left before the card is lost for good.
    }
online-asking = Asking the server whether you can answer your security questions.
held = Another program is using the card in { $reader }. Waiting for it.

## What has just happened
card-reset = Another program reset the card; try it again.
puk-blocked = The PUK is blocked.
no-sense = The card gives no answer that makes sense. Pull it out and put it in again.
response-wrong-last = The response was wrong, and it was the last: the administrator key is blocked.
response-wrong-left =
    { $count ->
        [one] The response was wrong; { $count } try left. The code is used up. Here is a new one.
       *[other] The response was wrong; { $count } tries left. The code is used up. Here is a new one.
    }
response-wrong = The response was wrong. The code is used up. Here is a new one.
dead-reset = Another program reset the card; its code is dead. Here is a new one.
dead-other = Another program used the card: it no longer waits for this response. No try was spent. Here is a new one.
dead-overtaken = Another program has taken a new code from the card: the one of before is dead. If you try again, that program's code is dead.
dead-time = Ten minutes are over: the card was free for other programs. Here is a new one.
dead-removed = The card was pulled out: the code of before is dead, and so is the response to it.
unlocked-elsewhere = Another program has unlocked the card.
answers-wrong = That is not right. Try again.
online-not = Questions cannot be answered for this card now; your operator can help.
online-over = That was wrong too often. Your operator can help.
session-over = The time for answering is over. You can start again.
operator-helps = { $said } Your operator can help.
no-serial = This card has no serial that the server could know it by.
too-late = That came too late; look again at what is shown.
given-up = Given up. Nothing was sent to the card.

## What is wrong with what was typed
fault-pin-empty = The PIN is empty.
fault-pin-length = A PIN of this card has { $least } to { $most } characters, not { $found }.
fault-pin-digits = A PIN of this card has digits only.
fault-pin-ascii = A PIN has letters, digits and signs of the plain keyboard only (ASCII); others come out differently elsewhere.
fault-pin-confirmation = The confirmation differs from the new PIN.
fault-pin-card = The card refuses this PIN by rules of its own; choose another.
fault-puk-length = A PUK has 6 to 8 characters.
fault-code-digit =
    '{ $digit }' at place { $place } is no digit of the code: only 0 to 9 and A to F{ $digit ->
        [O] ; is it the digit 0?
        [o] ; is it the digit 0?
        [I] ; is it the digit 1?
        [l] ; is it the digit 1?
        [L] ; is it the digit 1?
        [i] ; is it the digit 1?
        [S] ; is it the digit 5?
        [s] ; is it the digit 5?
       *[other] .
    }
fault-code-length = { $found } digits, but the code has { $expected }.
fault-code-zeros = A challenge of zeros only is none that a card gives.
or = { $one } or { $other }

## What a card says
wrong-PIN =
    { $count ->
        [-1] Wrong PIN.
        [0] Wrong PIN; no tries left.
        [one] Wrong PIN; { $count } try left.
       *[other] Wrong PIN; { $count } tries left.
    }
wrong-PUK =
    { $count ->
        [-1] Wrong PUK.
        [0] Wrong PUK; no tries left.
        [one] Wrong PUK; { $count } try left.
       *[other] Wrong PUK; { $count } tries left.
    }
wrong-response =
    { $count ->
        [-1] Wrong response.
        [0] Wrong response; no tries left.
        [one] Wrong response; { $count } try left.
       *[other] Wrong response; { $count } tries left.
    }
blocked-PIN = The PIN is blocked.
blocked-PUK = The PUK is blocked.
blocked-response = The administrator key is blocked: nothing unblocks this card any more.
challenge-gone = The card no longer waits for this response.
another-card = This is another card than before; nothing was sent to it.
not-authenticated = The card wants a right response to its challenge first.
unknown-card = The card is neither a GIDS nor a PIV card.
unexpected = The card answered { $status } to command { $command }.
removed = The card was removed.
reset = Another program reset the card.
no-reader = The reader is no longer there.
busy = Another program holds the card.
short = The card answered { $count } bytes, which is no response APDU.
endless = The card's answer has no end.

## What a server says
server-other-card = The server answered for another card; nothing was sent to this one.
server-certificates = What is to be trusted is no certificate in PEM.
server-user-info = A server's address has no '@' and nothing before it: write https://HOST[:PORT], or http:// on this machine.
server-address = '{ $address }' is no server address: write https://HOST[:PORT], or http:// on this machine.
server-over = The session at the server is over; start again.
server-status = The server answered with status { $status }.
server-too-often =
    That was too often in too short a time; try again { $minutes ->
        [0] later
        [one] in { $minutes } minute
       *[other] in { $minutes } minutes
    }.
server-busy = The server is busy; try again in a moment.
server-store = The server cannot work now. It says: { $said }
server-malformed = The server does not take what was sent. It says: { $said }
server-unreachable =
    The server cannot be reached: { $why ->
        [listens] no program listens at its address
        [slow] it took too long to answer
        [name] its name is not known here
        [way] the network has no way to it
        [issuer] its certificate is not trusted here
        [other-name] its certificate is for another name
        [expired] its certificate has expired, or the clock of this computer is wrong
        [not-yet] its certificate is not valid yet, or the clock of this computer is wrong
        [revoked] its certificate was revoked
        [unusable] its certificate is none that can be trusted
       *[sense] its answer makes no sense, or broke off
    }.
