# What the pages say, in English. Syntax: projectfluent.org. Names of settings are the product's own.
# $name, $user, $by and $operator are texts that people have chosen.

## The frame
area-doors = Card management
area-console = Card management
area-self-service = Self-Service
area-remote = Remote Self-Service
frame-language = en
frame-skip = Go to the content
frame-menu = Menu
frame-crumbs = Where you are
frame-log-out = Log out
menu-users = Users
menu-cards = Cards
menu-connected = Connected cards
menu-unlock = Unlock
menu-log = Log
menu-configuration = Configuration

## Doors
doors-title = Card management
doors-console = Management Console
doors-console-for = For operators and administrators: users, cards, unlocking, the log and the configuration.
doors-self-service = Self-Service
doors-self-service-for = For users: your cards, and your answers to security questions.
doors-remote = Remote Self-Service
doors-remote-for = For users whose card is locked and who have no other computer at hand.
doors-api = Interface for programs

## Login
login-console = Log in to the Management Console
login-self-service = Log in to Self-Service
login-name = Name
login-name-hint-user = DOMAIN\Name or name@domain
login-password = Password
login-go = Log in
login-ended = Your login has ended: nothing was done here for a while, or somebody logged you out. Log in again to go on.
login-kept = What you typed was not sent yet. Log in, look at it once more and send it.
login-kept-secrets = What is secret you type once more.
kept-say = You are logged in again. What you had typed before your login ended is below and is not sent yet: look at it once more, and send it.
kept-too-much = What was typed and ticked was too much to be kept; the form is as it is saved. Make your change again.

## What was refused
error-title = That cannot be done
error-title-not-found = Not found
error-title-refused = Your role does not allow this
error-title-other-site = This was sent from elsewhere
error-title-wrong-host = The server has another name
error-title-down = The server cannot answer now
error-back = Back

## Where who finds neither users nor cards begins
start-title = What you may do
start-everywhere = Your role { $name } allows, for all policies:
start-somewhere = Your role { $name } allows, for some policies:
start-no-role = You have no role yet: so far you may do nothing.
start-nothing = Your role { $name } allows nothing yet.
start-no-page = None of it has a page that you may see: most of it is done at a user or a card, which have to be found.
start-ask = Ask an administrator, who gives roles and says what they allow. It holds at once: load this page again.
start-unlock = Unlock a card
start-serial-hint = All digits of its serial, as the workstation or the card's papers show them. Capitals and blanks do not count.

## Words that many pages have
none = None
search = Find
filter = Filter
reset-filters = Show all
save = Save
cancel = Cancel
delete = Delete
copy = Copy
copied = Copied
any = Any
pages = Pages
page-next = Next page
page-first = First page
export-csv = Save as CSV
time-utc = Times and days are those of UTC.
time-here = Times and days are those of your clock: { $name }.
unknown = Not known
saved-meanwhile = Saved meanwhile: { $name }
on = on
off = off
yes = Yes
no = No

## States
state-Clean = Clean
state-Assigned = Assigned
state-Pending = Pending
state-Issued = Issued
state-Disabled = Disabled
state-Revoked = Revoked
user-active = Active
user-locked = User is locked
user-disabled = Disabled in the catalog

## Users
users-title = Users
users-search = Name, logon name, mail or telephone
users-state = State
users-policy = Policy
users-page = { $count } users on this page
users-found =
    { $count ->
        [0] Nobody found
        [one] { $count } user
       *[other] { $count } users
    }
users-name = Name
users-logon = Logon name
users-phone = Telephone
users-cards = Cards
users-status = Status
users-new = New user
user-mail = Mail
user-policy = Policy { $name }
user-no-policy = No policy
user-answers = Answers to security questions
user-answers-set =
    { $count ->
        [0] None set: online unlock is not possible
        [one] { $count } set
       *[other] { $count } set
    }
user-answers-too-few = Fewer than the policy asks: online unlock is not possible until the user sets more in Self-Service
user-wrong =
    { $count ->
        [one] { $count } wrong answer since the last right ones
       *[other] { $count } wrong answers since the last right ones
    }
user-assigned-cards = Assigned cards
user-their-cards = These cards in the list of all
user-no-cards = No card is assigned to this user.
user-operations = User
user-unlock = Unlock user
user-unlock-ask = The user's answers are compared again. Cards and answers stay as they are.
user-unlock-go = Unlock
user-reset = Reset answers to security questions
user-reset-ask = The answers are deleted. The user sets new ones in Self-Service; until then online unlock is not possible. This cannot be undone.
user-reset-go = Reset
user-disable = Disable user
user-disable-ask = The user can neither log in nor unlock a card until somebody enables the user again. Open logins end.
user-disable-go = Disable
user-enable = Enable user
user-unlocked = The user is unlocked.
user-answers-reset = The answers are reset; the user sets new ones in Self-Service.
user-is-disabled = The user is disabled.
user-is-enabled = The user is enabled.
user-policies = Policies of the user
user-policies-say = Of several the first holds. Cards that were issued under a policy stay under it.
user-policies-saved = The user's policies are saved; they hold from now on.
user-correct = Correct data
user-correct-say = Answers, cards and open logins stay. The user logs in by the new names from now on, and the old ones are nobody's.
user-corrected = The data of { $name } are saved.
user-happened = What happened
user-all-events = All events of this user

## Cards
cards-title = Cards
cards-search = Beginning or end of the serial, label, tag, or name of the owner
cards-search-cards = Beginning or end of the serial, label or tag
cards-page = { $count } cards on this page
cards-found =
    { $count ->
        [0] No card found
        [one] { $count } card
       *[other] { $count } cards
    }
cards-card = Card
cards-owner = Owner
cards-type = Type
cards-label = Label
cards-state = State
card-title = Card { $name }
card-serial = Serial
card-atr = Answer to reset
card-type = Type
card-issued = Issued
card-issued-to = to { $user } by { $by }, { $name }
card-issued-by = by { $by }, { $name }
card-label = Label
card-nobody = Nobody's
card-key = Administrator key
card-key-known = Known to the server
card-key-unknown = Not known: this card cannot be unlocked with a response
card-revoked = Revoked
card-pin-tries =
    { $count ->
        [one] { $count } attempt, then the PIN locks
       *[other] { $count } attempts, then the PIN locks
    }
card-pin-unlocked = Unlocked { $name }
card-key-blocked = Can no longer be unlocked, seen { $name }
card-claim-pin-blocked = Not confirmed: PIN blocked, reported { $name }
card-claim-pin-wrong = Not confirmed: wrong PIN entered, reported { $name }
card-claim-unlocked = Not confirmed: unlocked, reported { $name }
card-claim-refused = Not confirmed: refused a response, reported { $name }
card-claim-admin-key-blocked = Not confirmed: can no longer be unlocked, reported { $name }
card-claim-gone = Not confirmed: removed before it had its response, reported { $name }
card-operations = Card operations
card-unlock = Unlock
card-about = About this card
card-happened = This card
card-all-events = All events of this card
card-operation-assign = Assign
card-operation-issue = Issue
card-operation-disable = Disable
card-operation-enable = Enable
card-operation-revoke = Revoke
card-operation-withdraw = Withdraw
card-operation-ask-disable = The card cannot be unlocked while it is disabled. It can be enabled again.
card-operation-ask-revoke = The card is out of use for good. This cannot be undone.
card-operation-ask-withdraw = The card is taken from its user and can be assigned to another.
card-assign-to = Logon name of the user
card-reason = Reason
card-reset-pin = Reset user PIN
card-reset-pin-ask = The card in a reader of the server gets the default PIN of its type; the user changes it in Self-Service.
card-reset-pin-go = Reset
card-roll-key = New administrator key
card-roll-key-ask = The card in a reader of the server gets a new administrator key; the old one is of no use any more. This cannot be undone.
card-roll-key-go = Write a new key
card-correct-key = Correct administrator key
card-correct-key-ask = For a card of which the server knows another key than it has. Nothing is written to the card.
card-correct-key-none = Nobody knows its key
card-correct-key-go = Correct
card-key-corrected = The administrator key of the card is corrected.
card-key-tried = The card was asked and has it.
card-key-held = The administrator key was not tried: another program holds the card in { $name }, which may be this one. End that program, and correct the key to have it tried.
card-key-untried = The card is in no reader of the server: its administrator key was not tried.
card-key-none = It has no administrator key that is known: it cannot be unlocked with a response.
card-tags = Tags
card-tag = Tag
card-tag-add = New tag
card-tag-hint = Up to 40 characters without a comma. Cards are found by it.
card-tag-go = Add tag
card-tag-remove = Remove tag
card-tags-changed = The tags of the card are changed.
card-remove = Delete card
card-remove-ask = The card was never issued. It is taken from the repository, with what the server knows of its administrator key; the log keeps what happened.
card-remove-go = Delete
card-removed = The card { $name } is deleted.
card-agent = Reset user PIN on agent
card-agent-say = For a card that is elsewhere: its user answers the security questions at the workstation that has the card, and sets a new PIN.
card-agent-comment = Comment
card-agent-workstation = Workstation
card-agent-workstation-hint = Empty: any that has the card
card-agent-go = Order
card-agent-ordered = The task waits for the workstation that has the card; its user answers the questions there.
card-task-cancelled = The task is cancelled.
card-tasks = Tasks
card-task-by = Ordered by
card-task-slow = { $name }, for more than ten minutes
card-task-cancel = Cancel task
card-responses = Responses given
card-responses-time = Time
card-responses-by = By
card-responses-channel = Way
card-responses-outcome = What became of it
card-responses-times =
    { $count ->
        [one] once
       *[other] { $count } times
    }
channel-online = Lock screen, online
channel-agent = Agent
channel-operator = Operator
channel-remote = Remote Self-Service
card-is = The card is { $name } now.
card-pin-is = Its PIN is { $name }. It is shown only now.
card-puk-is = Its PUK is { $name }: setting the number of PIN attempts gave it the maker's, so it got a new one. Keep it with the card's papers; the server does not.
card-is-locked = Its PIN is blocked: the user unlocks the card and so sets the first PIN.
card-registered = The card is registered.
## Connected cards
connected-title = Connected cards
connected-none = No card is in a reader of the server's machine.
connected-not-registered = Not registered
connected-not-told = This card does not tell its serial
connected-held = Another program holds this card; what it is cannot be read until it lets go.
connected-held-by = { $program } (process { $process }) has been connected to this card since { $name } and holds it; what it is cannot be read until that program lets go.
connected-pin =
    { $count ->
        [0] The PIN is locked; it allows { $all } attempts.
       *[other] PIN attempts left: { $count } of { $all }.
    }
connected-pin-left =
    { $count ->
        [0] The PIN is locked.
       *[other] PIN attempts left: { $count }.
    }
connected-add = Add card
connected-type = Card type
connected-label = Label
connected-key-which = Administrator key that the card has now
connected-key-maker = That of its maker, as new cards of this kind have it
connected-key-derived = The one that is derived from the master key
connected-key-other = Another one, which is typed below
connected-key-none = Nobody knows it: the card cannot be unlocked with a response
connected-key-typed = Another key, hexadecimal
connected-key-tried = The key is tried at the card; a wrong one costs one of its tries, and a card without tries is lost.
connected-key = Administrator key that the card has now, hexadecimal
connected-untried = Add it without trying the key, for a card with one try left or none
connected-key-hint = Empty: the card has the key that is derived from the master key. The key is tried at the card; a wrong one costs one of its tries, and a card without tries is lost.

## Unlock
unlock-title = Unlock
unlock-step-questions = Questions
unlock-step-challenge = Challenge
unlock-step-response = Response
unlock-left =
    { $count ->
        [one] { $count } response left this hour
       *[other] { $count } responses left this hour
    }
unlock-ask = Ask { $name }
unlock-ask-hint = Type the answers as they are spoken. Capitals do not count, nor do blanks before and behind; a blank between words does.
unlock-check-answers = Check answers
unlock-answers-right = The answers are right.
unlock-answers-wrong =
    { $count ->
        [one] The answers are not right. { $count } try is left.
       *[other] The answers are not right. { $count } tries are left.
    }
unlock-answers-ended = The answers are not right, and there is no try left in this unlock. Begin again later, or check who is calling.
unlock-again = The policy asks for the user's answers now. Begin the unlock again.
unlock-too-few = { $name } has set fewer answers than the policy asks. Only those that are set are asked here.
unlock-challenge = What { $name } reads to you
unlock-challenge-data = Challenge data
unlock-challenge-hint = { $count } characters, in groups of four. Capitals, blanks and dashes do not count.
unlock-check = Check code
unlock-check-hint = If { $name } reads it: a digit that was misheard is found before it costs the card a try.
unlock-get = Get response
unlock-read = Read this to { $name }, group by group
unlock-response = Response data
unlock-check-code = Check code
unlock-for = for challenge
unlock-given = Given at { $name }.
unlock-waiting-say = This page says how it ended as soon as the workstation tells the server.
unlock-reload = Look again
unlock-new-challenge = New challenge
unlock-next = Next user
unlock-back = Back to the card
unlock-also = Also open: { $name }. The card takes the response to its latest challenge.
unlock-not-possible = This card cannot be unlocked now
unlock-stopped = This unlock does not go on

## What became of a response
given-waiting = Waiting for the workstation.
given-waiting-for = Waiting for { $name }.
given-unlocked = The card is unlocked.
given-refused = The card refused the response.
given-refused-left =
    { $count ->
        [one] The card refused the response; { $count } try left.
       *[other] The card refused the response; { $count } tries left.
    }
given-admin-key-blocked = The card refused the response and has no try left: it can no longer be unlocked with a response.
given-gone = The card was removed or used by another program; a new challenge is needed.

## Log
log-title = Log
log-search-card = Card
log-search-user = User
log-search-by = Done by
log-search-event = Event
log-from = From
log-to = Until
log-kind = Kind
log-time = Time
log-what = What happened
log-where = Workstation
log-page = { $count } events on this page
log-found =
    { $count ->
        [0] Nothing found
        [one] { $count } event
       *[other] { $count } events
    }
log-detail = Detail
log-event-number = Number
log-detail-programs = As programs read it
detail-changed = { $before } → { $after }
detail-answers = Answers compared
detail-tries-left = Tries left
detail-status-word = Status word of the card
detail-clock = By the workstation's clock
detail-address = Address
detail-key-tried = Key tried at the card
detail-role = Role
detail-place = Place in the order
detail-another = Another one
detail-all-policies = All policies
detail-policies =
    { $count ->
        [one] { $count } policy
       *[other] { $count } policies
    }
detail-other-policies =
    { $count ->
        [one] { $count } policy, not the same
       *[other] { $count } policies, not the same
    }
log-check = Check the log
log-whole = Every event follows from the one before it: nothing was changed or taken out.
log-broken = Event number { $count } does not follow from the one before it: the log was changed.
event-information = Information
event-warning = Warning
event-error = Error
event-somebody = somebody
event-a-workstation = a workstation
event-a-card = without a serial
event-the-server = the server
event-CARD_ADDED = { $by } added the card { $card }
event-CARD_NOT_ADDED = { $by } could not add the card { $card }: { $why }
event-CARD_TAGS_CHANGED =
    { $tagged ->
        [0] { $by } took the last tag from the card { $card }
       *[other] { $by } changed the tags of the card { $card } to { $tags }
    }
event-CARD_TAGS_NOT_CHANGED = { $by } could not change the tags of the card { $card }: { $why }
event-CARD_REMOVED = { $by } deleted the card { $card }
event-CARD_NOT_REMOVED = { $by } could not delete the card { $card }: { $why }
event-UNLOCK_OPENED =
    { $mode ->
        [offline] { $workstation } asked to unlock the card { $card } online; it was sent to offline unlock: { $why }
        [agent] { $workstation } took the task to reset the PIN of the card { $card } of { $user }
       *[online] { $workstation } opened an online unlock of the card { $card } of { $user }
    }
event-ANSWERS_RIGHT =
    { $channel ->
        [operator] { $by } asked { $user } the security questions: the answers were right
        [remote] { $user } answered the security questions right in Remote Self-Service
       *[other] { $user } answered the security questions right at { $workstation }
    }
event-ANSWERS_WRONG =
    { $channel ->
        [operator] { $by } asked { $user } the security questions: the answers were wrong
        [remote] { $user } answered the security questions wrong in Remote Self-Service
       *[other] { $user } answered the security questions wrong at { $workstation }
    }
event-USER_LOCKED = { $user } was locked after wrong answers
event-USER_UNLOCKED = { $by } unlocked the user { $user }
event-USER_NOT_UNLOCKED = { $by } could not unlock the user { $user }: { $why }
event-ANSWERS_SET =
    { $operation ->
        [own-question-added] { $user } wrote a question of their own
        [own-question-deleted] { $user } deleted a question of their own
       *[other] { $user } set answers to security questions
    }
event-ANSWERS_NOT_SET = { $user } could not set answers: { $why }
event-ANSWERS_RESET = { $by } reset the answers of { $user }
event-ANSWERS_NOT_RESET = { $by } could not reset the answers of { $user }: { $why }
event-RESPONSE_GIVEN =
    { $channel ->
        [operator] { $by } gave { $user } a response for the card { $card }
        [remote] { $user } got a response for the card { $card } in Remote Self-Service
       *[other] { $workstation } got a response for the card { $card } of { $user }
    }
event-RESPONSE_REFUSED =
    { $serial ->
        [none] { $by } was not let on with unlocking a card: { $why }
       *[some] { $by } got no response for the card { $card }: { $why }
    }
event-CARD_UNLOCKED = The card { $card } of { $user } was unlocked at { $workstation }
event-CARD_REFUSED_RESPONSE =
    { $left ->
        [-1] The card { $card } refused a response at { $workstation }
        [one] The card { $card } refused a response at { $workstation }; { $left } try left
       *[other] The card { $card } refused a response at { $workstation }; { $left } tries left
    }
event-CARD_GONE = The card { $card } was removed at { $workstation } before it had its response
event-ADMIN_KEY_BLOCKED = The card { $card } of { $user } can no longer be unlocked: no try is left
event-PIN_BLOCK_SEEN = { $workstation } reports that the PIN of the card { $card } of { $user } is blocked; nobody has confirmed it
event-PIN_WRONG_SEEN =
    { $left ->
        [-1] { $workstation } reports a wrong PIN for the card { $card } of { $user }; nobody has confirmed it
        [one] { $workstation } reports a wrong PIN for the card { $card } of { $user }, with { $left } try left; nobody has confirmed it
       *[other] { $workstation } reports a wrong PIN for the card { $card } of { $user }, with { $left } tries left; nobody has confirmed it
    }
event-REPORT_UNCONFIRMED =
    { $report ->
        [unlocked] { $workstation } reports that the card { $card } of { $user } was unlocked; nobody has confirmed it
        [refused] { $workstation } reports that the card { $card } of { $user } refused a response; nobody has confirmed it
        [admin-key-blocked] { $workstation } reports that the card { $card } of { $user } can no longer be unlocked; nobody has confirmed it
        [gone] { $workstation } reports that the card { $card } of { $user } was removed before it had its response; nobody has confirmed it
       *[other] { $workstation } reports how an unlock of the card { $card } of { $user } ended; nobody has confirmed it
    }
event-PIN_RESET = The PIN of the card { $card } of { $user } was reset by { $by }
event-PIN_CHANGED = { $user } changed the PIN of the card { $card } in Self-Service
event-PIN_NOT_CHANGED = { $user } could not change the PIN of the card { $card } in Self-Service: { $why }
event-PIN_NOT_RESET = { $by } could not reset the PIN of the card { $card }: { $why }
event-ADMIN_KEY_ROLLED = { $by } gave the card { $card } a new administrator key
event-ADMIN_KEY_NOT_ROLLED = { $by } could not give the card { $card } a new administrator key: { $why }
event-ADMIN_KEY_CORRECTED = { $by } corrected the administrator key of the card { $card }
event-ADMIN_KEY_NOT_CORRECTED = { $by } could not correct the administrator key of the card { $card }: { $why }
event-CARD_INITIALIZED = { $by } initialized the card { $card } for { $user }
event-CARD_NOT_INITIALIZED = { $by } could not initialize the card { $card }: { $why }
event-POLICY_CHANGED =
    { $change ->
        [renamed] { $by } gave the policy { $before } another name: { $policy }
        [moved] { $by } moved a policy up: { $policy }
        [added] { $by } added to the configuration: { $policy }{ $type }
        [deleted] { $by } deleted from the configuration: { $policy }{ $type }
       *[changed] { $by } changed the configuration: { $policy }{ $type }
    }
event-POLICY_NOT_CHANGED = { $by } could not change the configuration: { $why }
event-ROLE_CHANGED =
    { $about ->
        [operator] { $by } added or deleted the operator { $operator }
        [operator-added] { $by } added the operator { $operator }
        [operator-deleted] { $by } deleted the operator { $operator }
        [operator-renamed] { $by } gave the operator { $before } another name: { $operator }
        [operator-password] { $by } gave the operator { $operator } another password
        [operator-anew] { $by } gave the operator { $before } another name, { $operator }, and another password
        [member] { $by } gave the operator { $operator } the role { $role }
        [member-none] { $by } took the role of the operator { $operator } away
        [role-deleted] { $by } deleted the role { $role }
        [role-renamed] { $by } gave the role { $was } another name: { $role }
        [role-anew] { $by } gave the role { $was } another name, { $role }, and set what it allows
       *[role] { $by } set what the role { $role } allows
    }
event-ROLE_NOT_CHANGED = { $by } could not change roles or operators: { $why }
event-QUESTION_CHANGED =
    { $change ->
        [moved] { $by } moved a security question up
        [added] { $by } added a security question
        [deleted] { $by } deleted a security question
       *[changed] { $by } changed a security question
    }
event-QUESTION_NOT_CHANGED = { $by } could not change the security questions: { $why }
event-CARD_STATE_CHANGED =
    { $operation ->
        [assign] { $by } assigned the card { $card } to { $user }
        [issue] { $by } issued the card { $card } to { $user }
        [disable] { $by } disabled the card { $card } of { $user }
        [enable] { $by } enabled the card { $card } of { $user }
        [revoke] { $by } revoked the card { $card } of { $user }
        [withdraw] { $by } withdrew the card { $card }
       *[other] { $by } changed the card { $card } to { $to }
    }
event-CARD_STATE_NOT_CHANGED =
    { $operation ->
        [assign] { $by } could not assign the card { $card }: { $why }
        [issue] { $by } could not issue the card { $card }: { $why }
        [disable] { $by } could not disable the card { $card }: { $why }
        [enable] { $by } could not enable the card { $card }: { $why }
        [revoke] { $by } could not revoke the card { $card }: { $why }
        [withdraw] { $by } could not withdraw the card { $card }: { $why }
       *[other] { $by } could not change the card { $card }: { $why }
    }
event-RATE_LIMITED =
    { $times ->
        [one] { $by } was turned away: too many in too short a time
       *[other] { $by } was turned away { $times } times: too many in too short a time
    }
event-NOT_LET_IN =
    { $times ->
        [one] { $by } was not let in to what the role does not cover
       *[other] { $by } was not let in { $times } times to what the role does not cover
    }
event-TASK_ORDERED = { $by } ordered a PIN reset for the card { $card } of { $user }
event-TASK_NOT_ORDERED = { $by } could not order a PIN reset for the card { $card }: { $why }
event-TASK_CANCELLED = { $by } cancelled a task for the card { $card }
event-TASK_NOT_CANCELLED = { $by } could not cancel a task: { $why }
event-TASK_CANCELLED_BY_USER = { $user } put off the PIN reset of the card { $card }
event-LOGGED_IN =
    { $door ->
        [self-service] { $by } logged in to Self-Service
       *[other] { $by } logged in
    }
event-LOGGED_OUT =
    { $door ->
        [self-service] { $by } logged out of Self-Service
       *[other] { $by } logged out
    }
event-LOGIN_FAILED =
    { $door ->
        [self-service] Somebody tried to log in to Self-Service as { $by }
       *[other] Somebody tried to log in as { $by }
    }
event-USER_ADDED = { $by } added the user { $user }
event-USER_NOT_ADDED = { $by } could not add a user: { $why }
event-USER_CORRECTED = { $by } corrected the data of the user { $user }: { $changed }
event-USER_NOT_CORRECTED = { $by } could not correct the data of the user { $user }: { $why }
event-corrected = { $field } { $before } → { $after }
event-USER_POLICY_CHANGED = { $by } put the user { $user } under { $policy }
event-USER_POLICY_NOT_CHANGED = { $by } could not put the user { $user } under another policy: { $why }
event-USER_STATE_CHANGED =
    { $to ->
        [active] { $by } enabled the user { $user }
       *[other] { $by } disabled the user { $user }
    }
event-USER_STATE_NOT_CHANGED = { $by } could not enable or disable the user { $user }: { $why }

## Reasons, by their codes
reason-unknown = no reason was noted
reason-MALFORMED = what was typed cannot be right, by its length or its characters
reason-TOO_LONG = it was too long
reason-NOT_LOGGED_IN = no login
reason-NO_PRIVILEGE = the role does not allow it
reason-DISABLED_BY_POLICY = the policy does not allow it
reason-USER_LOCKED = the user is locked
reason-USER_DISABLED = the user is disabled in the catalog
reason-CARD_STATE = the card is in another state
reason-NO_ADMIN_KEY = the server does not have the card's administrator key
reason-ANSWERS_NOT_SET = the user has set no answers
reason-SELF_SERVICE_ONLY = it is the operator's own card
reason-CAPTCHA = the letters were not typed
reason-ANSWERS_FIRST = the answers come before the challenge
reason-NOT_FOUND = there is no such card or user
reason-CONFLICT = it is in use, or there is one already
reason-NO_READERS = the card is in no reader of the server
reason-CARD_REFUSED = the card did not do what it was asked
reason-SESSION_OVER = the session was over
reason-RATE_LIMITED = too many in too short a time

## Self-Service
ss-title = Your cards and answers
ss-cards = Your cards
ss-no-cards = You have no card.
ss-card-locked-how = If its PIN is locked: the lock screen shows a challenge to read to your operator, or asks your security questions.
ss-answers = Answers to security questions
ss-answers-hint = They let you unlock your card yourself, and tell your operator that it is you. Nobody can read them here.
ss-no-questions = There are no security questions yet. An administrator makes them.
ss-asked =
    { $count ->
        [one] { $count } of them is asked when you unlock a card.
       *[other] { $count } of them are asked when you unlock a card.
    }
ss-first = Set your answers now: without them you cannot unlock your card yourself.
ss-too-few =
    { $count ->
        [one] Set { $count } more: until then you cannot unlock your card yourself.
       *[other] Set { $count } more: until then you cannot unlock your card yourself.
    }
ss-set = Set
ss-not-set = Not set
ss-change = Change
ss-set-first = Set
ss-answer = Your answer
ss-again = Once more
ss-minimum =
    { $count ->
        [one] At least { $count } character.
       *[other] At least { $count } characters.
    }
ss-show = Show
ss-save = Save answers
ss-answers-not-here = Answers are not set here. Ask your operator.
ss-saved = Your answers are saved.
ss-locked = You are locked after wrong answers. Ask your operator to unlock you; answers can be set meanwhile.
ss-differs = The two entries differ.
ss-own = Your own questions
ss-own-hint = Questions that only you know to ask. Your operator asks them on the telephone, besides the others; they are shown nowhere else.
ss-own-most =
    { $count ->
        [0] None is asked any more.
        [one] You may write one.
       *[other] You may write { $count }.
    }
ss-own-new = New question of your own
ss-own-add = Add question
ss-own-added = Your question is there.
ss-own-deleted = Your question is deleted.
ss-own-delete-ask = Your operator does not ask it any more. The answer is deleted with it.

ss-unlock = Unlock in Remote Self-Service
own-disable = Disable
own-disable-ask = The card cannot be unlocked while it is disabled. For a card that is mislaid.
own-enable = Enable
own-enable-ask = The card is put into use again.
own-revoke = Revoke
own-revoke-ask = The card is out of use for good, and you get another one. This cannot be undone.
own-revoke-why = Why
own-reason-lost = It is lost
own-reason-faulty = It is faulty
own-reason-compromised = Somebody else may know its PIN
own-change-pin = Change PIN
own-change-pin-ask = The card is in a reader of the server's machine. A wrong old PIN costs one of its attempts.
own-pin-old = PIN that it has now
own-pin-new = New PIN
own-pin-again = New PIN once more
own-pin-changed = The card { $card } has its new PIN.
own-pin-differs = The two entries of the new PIN differ; nothing was changed.
own-card-is = The card { $card } is { $name } now.

## Remote Self-Service
rss-who = Who are you?
rss-name = Logon name
rss-name-hint = DOMAIN\Name or name@domain
rss-name-forms = write the name as DOMAIN\Name or as name@domain: a name alone is not enough here
rss-next = Next
rss-captcha = Letters of the picture
rss-captcha-alt = A picture of letters. The sound below says the same letters.
rss-captcha-sound = The letters, spoken in English
rss-captcha-hint = Capitals do not count.
rss-captcha-others = Other letters
rss-questions = Security questions
rss-wrong = The answers are not right. Begin again, or ask your operator.
rss-cards = Your cards
rss-no-cards = You have no cards.
rss-not = This card cannot be unlocked here; ask your operator.
rss-challenge = Challenge data
rss-challenge-hint = The tool or the lock screen shows it when your card is locked.
rss-get = Get response
rss-response = Response data
rss-response-hint = Type it where the challenge is shown, and choose a new PIN.
rss-other = Another card
rss-leave = Leave

## Configuration
conf-tree = Configuration
conf-policies = Policies
conf-issuance = Issuance
conf-workflow = Workflow
conf-authentication = Authentication
conf-types = Card types
conf-roles = Roles
conf-operators = Operators
conf-only-see = Your role allows to see this, not to change it.
policies-say = A policy says what is possible for its users and their cards. Changes hold from the next step of any unlock on.
policies-users =
    { $count ->
        [0] No user
        [one] { $count } user
       *[other] { $count } users
    }
policies-cards =
    { $count ->
        [0] no card
        [one] { $count } card
       *[other] { $count } cards
    }
policies-order = Of several policies that a user is under, the first of this list holds.
policy-up = Move up
policy-moved = The order of the policies is changed; it holds from now on.
policy-rename = Rename
policy-renamed = The policy has its new name.
policy-new = New policy
policy-name = Name
policy-copy-from = Copy from
policy-copy-none = Usual settings
policy-create = Create policy
policy-added = The policy is there; nobody is under it yet.
policy-delete-ask = Its questions are deleted with it. This cannot be undone.
policy-delete-not = A policy is deleted when nobody and no card is under it.
policy-deleted = The policy is deleted.
policy-saved = Saved. It holds from now on.
void-while-off = Needs { $name }, which is off.
void-while-on = Not while { $name } is on.
policy-card-issue = Card issue
policy-maximum-cards = Maximum number of cards per user
policy-initialize-card = Initialize card
policy-initialize-card-help = Issuing gives the card in a reader of the server an administrator key of its own and a PIN.
policy-require-tags = Require tags
policy-require-tags-help = A card without a tag is not issued; cards that are issued already stay as they are.
policy-lock-card = Lock card
policy-lock-card-help = The card is issued blocked; its user unlocks it and so sets the first PIN. Needs Initialize card, and excludes Set random user PIN.
policy-random-pin = Set random user PIN
policy-random-pin-help = Else the card gets the default PIN of its type. Needs Initialize card. The PIN is shown once.
policy-random-length = Length of the random PIN
policy-random-groups = Characters of the random PIN
policy-random-digits = Digits
policy-random-upper = Capital letters
policy-random-lower = Small letters
policy-random-special = Special characters
policy-random-forbidden = Forbidden characters
policy-random-forbidden-help = At most 16. No character comes twice in a random PIN.
policy-card-initialization = Card initialization
policy-pin-tries = Maximum PIN attempts
policy-pin-tries-help = Empty: as many as the card has. With Initialize card it is written to the card, if the card has a command for it. A card that allows another number is not issued, nor is one that is in no reader of the server. Cards that are issued already keep theirs. A YubiKey gets the maker's PIN and PUK when it is set; both are set anew, and the new PUK is shown once.
policy-administrator-permissions = Administrator permissions
policy-reset-user-pin = Reset user PIN
policy-reset-user-pin-help = Operators set the default PIN of a card, or order its reset at the workstation that has the card.
policy-unblock-offline = Unblock card offline
policy-unblock-offline-help = Off: nobody gets a response, neither operators nor users in Remote Self-Service. Online unlock goes on.
policy-validate-answers = Validate answers to security questions
policy-validate-answers-help = Operators ask before they get a response. It does nothing while Unblock card offline is off. Online unlock always asks.
policy-allow-self = Operators may unlock cards of their own
policy-user-permissions = User permissions
policy-set-answers = Set answers to security questions in Self-Service
policy-set-answers-help = Off: answers stay as they are. Who has none cannot unlock a card online.
policy-unlock-remote = Unlock card in Remote Self-Service
policy-unlock-remote-help = Off: users get no response there. It does nothing while Unblock card offline is off.
policy-disable-card = Disable card
policy-disable-card-help = In Self-Service and Remote Self-Service: a card that is mislaid is not unlocked while it is disabled.
policy-enable-card = Enable card
policy-enable-card-help = In Self-Service and Remote Self-Service: the user puts a disabled card into use again.
policy-revoke-card = Revoke card
policy-revoke-card-help = In Self-Service and Remote Self-Service: the user takes a lost, faulty or compromised card out of use for good.
policy-change-pin = Change PIN
policy-change-pin-help = In Self-Service: of a card in a reader of the server's machine, for its old PIN.
policy-security-questions = Security questions
policy-questions-to-ask = Number of questions to ask
policy-questions-to-ask-more = Only { $count } are defined: define more first.
policy-maximum-retry = Maximum authentication retry count
policy-maximum-retry-help = When so many wrong answers came in a row, the user is locked.
policy-count-operator = Wrong answers typed by operators count
policy-captcha = CAPTCHA in Remote Self-Service
policy-captcha-help = Who says a name there types letters that are shown, and can be heard. Nobody is known yet then: that of the policy Default holds for all.
policy-own-title = Users' own questions
policy-own-questions = Number of own questions
policy-own-questions-help = So many a user may write in Self-Service. Only operators ask them, when they validate answers, besides the others; 0 is none.
policy-own-question-length = Minimum length of an own question
policy-own-answer-length = Minimum answer length of an own question
policy-no-questions = None yet: users cannot set answers, and online unlock is not possible.
question-text = Question
question-minimum = Minimum answer length
question-create = Create security question
question-edit = Edit
question-down = Move down
question-moved = The order of the questions is changed; in it they are asked.
questions-order = In this order they are listed, and asked at the lock screen and by operators. Remote Self-Service asks each name in an order of its own.
question-delete-ask = It can be deleted while nobody has answered it.
question-added = The question is there.
question-changed = The question is changed; answers to it stay.
question-deleted = The question is deleted.
types-name = Type
types-cipher = Cipher of the administrator key
types-pin = Default user PIN
types-pin-hidden = Not shown to your role
types-new = New card type
types-create = Create card type
type-added = The card type is there.
type-changed = The card type is changed. Cards keep the PIN that they have.
type-deleted = The card type is deleted.
type-delete-ask = No card has it. It is deleted for good.
types-change-say = The PIN is that of what is issued or reset from then on; cards keep the one that they have.
types-cipher-stays = Cards have this type: the cipher of their keys stays.
types-delete-not = A card type can be deleted while no card has it.
roles-say = An operator without a role can do nothing. Changes hold from the next step on.
roles-everywhere = For all policies
roles-somewhere = For some policies
roles-policies = Policies
roles-policies-hint = None: all of them.
roles-privileges = Privileges
roles-own = This is your own role: another administrator changes it.
roles-new = New role
roles-new-hint = It allows nothing until it is given privileges.
roles-create = Create role
role-name = Name of the role
role-saved = The role { $name } is saved; it holds from now on.
role-deleted = The role is deleted.
role-delete-ask = Nobody has it. This cannot be undone.
role-delete-not = A role is deleted when nobody has it.
operators-name = Name
operators-role = Role
operators-role-of = Role of { $name }
operators-new = New operator
operators-password = Password, 8 characters or more
operators-user = Logon name of the catalog user who this is, if any
operators-add = Add operator
operators-you = This is you: another administrator changes your role.
operator-added = Operator { $name } is added.
operator-role-saved = The role holds from now on.
operators-new-password = New password, 8 characters or more; empty: as it is
operator-changed = The operator is changed; with a new password open logins have ended.
operator-delete-ask = The operator can log in no more, and open logins end. The log keeps the name. This cannot be undone.
operator-deleted = The operator is deleted.
privilege-view-user = Find and view users
privilege-unlock-user = Unlock users
privilege-reset-questions = Reset security questions
privilege-view-cards = View the card repository
privilege-unlock-card = Unlock cards
privilege-reset-pin = Reset PINs of users
privilege-issue-card = Add, assign and issue cards
privilege-enable-card = Enable cards
privilege-disable-card = Disable cards
privilege-revoke-card = Revoke and withdraw cards
privilege-view-log = View the log
privilege-view-policy = View policies
privilege-change-policy = Change policies, questions, users and card types
privilege-change-roles = Change roles and their members

## New user
new-user-logon = Logon name
new-user-logon-hint = DOMAIN\Name
new-user-upn = User principal name
new-user-upn-hint = name@domain
new-user-cn = Name
new-user-password = Password for Self-Service, 8 characters or more
new-user-policy = Policy
new-user-add = Add user
new-user-added = User { $name } is added.
clashes-title = Names that more than one has
clashes-say = Each of them logs in by the name exactly as it is written in the catalog, and in no other spelling of it.
clashes-operators = (operators)
clashes-also = the log cannot tell them from the operator
clashes-fixed-say = Each is told from the others by its spelling alone, and no other comes to be called so. Make one anew under another name, and delete the old one when nothing hangs on it any more.
clashes-settings-say = Each is told from the others by its spelling alone, and no other comes to be called so. Give one another name, or delete it when nothing hangs on it.

## Kinds of events, as a filter
kind-ADMIN_KEY_BLOCKED = Administrator key blocked
kind-ADMIN_KEY_CORRECTED = Administrator key corrected
kind-ADMIN_KEY_NOT_CORRECTED = Administrator key not corrected
kind-ADMIN_KEY_NOT_ROLLED = Administrator key not rolled
kind-ADMIN_KEY_ROLLED = Administrator key rolled
kind-ANSWERS_NOT_RESET = Answers not reset
kind-ANSWERS_NOT_SET = Answers not set
kind-ANSWERS_RESET = Answers reset
kind-ANSWERS_RIGHT = Answers right
kind-ANSWERS_SET = Answers set
kind-ANSWERS_WRONG = Answers wrong
kind-CARD_ADDED = Card added
kind-CARD_GONE = Card gone
kind-CARD_INITIALIZED = Card initialized
kind-CARD_NOT_ADDED = Card not added
kind-CARD_NOT_INITIALIZED = Card not initialized
kind-CARD_NOT_REMOVED = Card not deleted
kind-CARD_REFUSED_RESPONSE = Card refused response
kind-CARD_TAGS_CHANGED = Tags of a card changed
kind-CARD_TAGS_NOT_CHANGED = Tags of a card not changed
kind-CARD_REMOVED = Card deleted
kind-CARD_STATE_CHANGED = Card state changed
kind-CARD_STATE_NOT_CHANGED = Card state not changed
kind-CARD_UNLOCKED = Card unlocked
kind-LOGGED_IN = Logged in
kind-LOGGED_OUT = Logged out
kind-LOGIN_FAILED = Login failed
kind-NOT_LET_IN = Not let in
kind-PIN_BLOCK_SEEN = PIN block seen
kind-PIN_CHANGED = PIN changed
kind-PIN_NOT_CHANGED = PIN not changed
kind-PIN_NOT_RESET = PIN not reset
kind-PIN_RESET = PIN reset
kind-PIN_WRONG_SEEN = PIN wrong seen
kind-POLICY_CHANGED = Policy changed
kind-POLICY_NOT_CHANGED = Policy not changed
kind-QUESTION_CHANGED = Question changed
kind-QUESTION_NOT_CHANGED = Question not changed
kind-RATE_LIMITED = Rate limited
kind-REPORT_UNCONFIRMED = Report that nobody has confirmed
kind-RESPONSE_GIVEN = Response given
kind-RESPONSE_REFUSED = Response refused
kind-ROLE_CHANGED = Role changed
kind-ROLE_NOT_CHANGED = Role not changed
kind-TASK_CANCELLED = Task cancelled
kind-TASK_CANCELLED_BY_USER = Task cancelled by user
kind-TASK_NOT_CANCELLED = Task not cancelled
kind-TASK_NOT_ORDERED = Task not ordered
kind-TASK_ORDERED = Task ordered
kind-UNLOCK_OPENED = Unlock opened
kind-USER_ADDED = User added
kind-USER_CORRECTED = User's data corrected
kind-USER_LOCKED = User locked
kind-USER_NOT_ADDED = User not added
kind-USER_NOT_CORRECTED = User's data not corrected
kind-USER_NOT_UNLOCKED = User not unlocked
kind-USER_POLICY_CHANGED = User's policy changed
kind-USER_POLICY_NOT_CHANGED = User's policy not changed
kind-USER_STATE_CHANGED = User state changed
kind-USER_STATE_NOT_CHANGED = User state not changed
kind-USER_UNLOCKED = User unlocked

## What is refused. Programs read these too: no full stop at the end, a page puts one.
refused-json-wanted = send JSON, with 'Content-Type: application/json'
refused-nul = a text has the character U+0000, which is none that a person types
refused-bearer = send 'Authorization: Bearer TOKEN'; POST /api/v1/login gives one
refused-host = the server is not known by this name; `serve --name NAME` gives it one
refused-address = an address is UTF-8, without the character U+0000
refused-other-site = a page of another site has made your browser ask for this; nothing was done. If you want it done, open this site yourself and do it here
refused-too-slow = the request did not come to its end in time
refused-database-late = the server's database does not answer in time
refused-method = this is not asked so; /api/openapi.json says how
refused-method-page = this address takes no such form; open its page again
refused-form-of-login = this form did not come from a page of this login; open the page again
refused-form-of-session = this form did not come from a page of this session; start again
refused-log-in-first = log in first
refused-cursor = cursor is not one of this list in this order; begin without one
refused-logon = a logon name is DOMAIN\Name
refused-upn = a UPN is name@domain
refused-mail = a mail address is name@domain, without blanks and signs such as < > , ;
refused-phone = a telephone number has 2 to 30 digits, blanks and the signs + - ( ) / . # *, with x before an extension
refused-lock-and-random = Lock card excludes Set random user PIN: a locked card has no PIN that anybody knows
refused-needs-initialize = Lock card and Set random user PIN need Initialize card: they are written to the card
refused-database-text = a text has a character that the database cannot store
refused-database-read-only = the server's database takes no changes now: it is read-only; make it writable, then try again
refused-database-full = the disk of the server's database is full: make room there, then try again; what was to be written is not
refused-database-unreachable = the server cannot reach its database; try again later
refused-card-without-user = the card has no user
refused-card-user-inactive = the card's user is not active in the catalog
refused-no-policy-holds = no policy holds for the card's user
refused-no-key-to-unlock = the server has no administrator key of this card: add it with Correct administrator key, or unblock the PIN at the card where it has a PUK
refused-user-locked = the user is locked after wrong answers; unlock the user first
refused-user-inactive = the user is not active in the catalog
refused-no-answers = the user has set no answers: set them in Self-Service, or have their validation switched off
refused-not-in-remote = your cards are not unlocked in Remote Self-Service; ask your operator
refused-answers-not-here = answers are not set in Self-Service here; ask your operator
refused-not-in-self-service = this is not done in Self-Service here; ask your operator
refused-card-not-in-use = the card is not in use; its PIN stays as it is
refused-pin-change = PINs are not changed in Self-Service here; change it where the card is used
refused-pin-reset = Reset user PIN is switched off in the card's policy
refused-not-asked = an answer is to a question that was not asked
refused-serial = a serial is 2 to 64 hexadecimal digits in pairs
refused-atr = an answer to reset is hexadecimal digits in pairs, of 33 bytes at most
refused-key-changed = the card's key was changed meanwhile; look at the card again
refused-key-hexadecimal = an administrator key is hexadecimal
refused-key-and-none = a card has an administrator key or has none
refused-key-missing = type the administrator key, or choose another
refused-captcha-not-drawn = the letters could not be drawn; load the page again
refused-captcha = type the letters of the picture; if they cannot be read, there are others
refused-default-pin = a default user PIN has 4 to 31 printable ASCII characters
refused-card-type-there = there is a card type of this name
refused-card-type-changed = { $name } has changed this card type meanwhile; look at what is saved now, and make your change again
refused-card-type-in-use = cards have this type: { $count }; it can be deleted when none has it
refused-cipher-in-use = cards have this type: { $count }; the cipher of their keys stays, so make another type
refused-role-there = there is a role of this name
refused-role-in-use = operators have this role: { $count }; give them another first
refused-role-changed = { $name } has changed this role meanwhile; look at what is saved now, and make your change again
refused-oneself = you are this operator: another administrator changes and deletes you
refused-card-there = a card with this serial is registered already
refused-tag = a tag has 1 to { $most } characters in one line, and no comma
refused-tags-most = a card has { $most } tags at most; take one away first
refused-tag-first = the card has no tag, and its policy wants one before a card is issued; give it one first
refused-card-was-issued = the card was issued, so that it stays in the repository; revoke it to take it out of use
refused-session-over = this unlock session is over; start again
refused-session-over-operator = this unlock session is over; an operator can help
refused-key-of-another-master = the card's administrator key does not open under this server's master key
refused-questions-answered = the questions of this session are answered
refused-questions-answered-again = the questions of this session are answered; start again
refused-questions-first = the questions come before the challenge
refused-card-of-another = the card is another user's now
refused-nothing-to-report = this session has nothing to report
refused-another-challenge = this session has answered another challenge; start again
refused-another-atr = the card has another answer to reset than the one that is registered
refused-answer-first = answer the questions first
refused-answers-first = the user's answers come before the challenge
refused-check-code = challenge and check code do not belong together: a digit is wrong; have it read again
refused-own-card = operators do not unlock cards of their own; use Self-Service or ask a colleague
refused-card-has-another-user = the card has another user now; start again
refused-policy-changed-issue = the policy was changed meanwhile; issue the card again
refused-no-key-to-write = the server has no administrator key of this card; nothing can be written to it
refused-cut-off = the reader's work was cut off; look at the card and try again
refused-login = wrong name or password
refused-master-key = this database belongs to another master key: give the one that it was made with
refused-no-readers = this server has no readers: start `cardlab serve --readers` on the machine that has them
refused-policy-there = there is a policy of this name
refused-policy-default = the policy Default stands by its name for those to whom none applies; it keeps the name
refused-policy-changed = { $name } has changed this policy meanwhile; look at what is saved now, and make your change again
refused-policy-first = this policy is the first already
refused-policy-in-use = users or cards are under this policy; move them first
refused-question-in-use = users have answered this question; it can be deleted when nobody uses it
refused-question-changed = { $name } has changed this question meanwhile; look at what is saved now, and make your change again
refused-question-first = this question is the first already
refused-answer-length = a minimum answer length is 1 to 50
refused-question-there = this policy asks this question already
refused-say-why = say why: the card is lost, faulty, or somebody else may know its PIN
refused-answers-changed = your answers have changed meanwhile; look at what is set, and try again
refused-answer-set-already = each question has an answer of its own: one of these is set already
refused-no-questions = there are no security questions: an administrator makes them first
refused-no-such-question-answered = an answer is to a question that there is not
refused-nothing-typed = nothing was typed
refused-no-own-questions = your policy lets you have no questions of your own
refused-own-questions-most = you may have { $most } questions of your own; delete one first
refused-own-question-short = a question of your own has { $least } characters at least, not { $length }
refused-own-question-there = there is this question already; write another one
refused-own-role = your own role is changed by another administrator
refused-last-administrator = nobody could change roles any more; give somebody that privilege first
refused-task-there = this card's PIN is to be reset already; cancel that task first
refused-no-policy = a user is under one policy at least
refused-busy = the server is busy; try again in a moment
refused-password = a password has 8 to 200 characters
refused-stopping = the server is stopping
refused-database-url = this is no database: write sqlite:FILE, sqlite::memory: or postgres://...
refused-database-busy = the server's database is busy; try again later
refused-too-long = a request has at most { $most } bytes
refused-form-too-long = what was sent is longer than a form may be, which is { $most } bytes in all: go back, shorten the longest text, and send it again; nothing was done
refused-read = { $why }
refused-value = '{ $text }' is nothing that there is here ({ $field })
refused-choice = '{ $text }' is nothing that can be chosen here
refused-no-json = the body is no JSON: { $why }
refused-body = the body is not what is asked for here: { $why }
refused-disk-full = the disk of the server's database { $place } is full: make room there, then try again; nothing was written
refused-no-number = '{ $text }' is no number for { $setting }
refused-operation = the card is { $state }; this can be done with { $states } cards
refused-cipher = no cipher '{ $cipher }'; there are: { $known }
refused-day = '{ $day }' is no day; a day is written 2026-11-24
refused-limit = limit is 1 to { $most }
refused-moment = a time is milliseconds since 1970, 0 to { $latest } (the year 9999)
refused-times = the beginning is later than the end: nothing lies between them
refused-name-missing = { $what } is missing
refused-name-long = { $what } has at most { $most } characters, not { $length }
refused-name-line = { $what } stands in one line of letters and signs; { $sign } is none
refused-name-unseen = { $what } has { $sign } in it, which nobody sees there: remove this sign, or type everything anew instead of pasting it
refused-name-path = { $what } stands in addresses: it has no / or \, and is not . or ..; give another
refused-name-policy = a policy's name
refused-name-question = a question
refused-name-logon = a logon name
refused-name-upn = a UPN
refused-name-user = a name
refused-name-mail = a mail address
refused-name-phone = a telephone number
refused-name-card-type = a card type's name
refused-name-role = a role's name
refused-name-operator = an operator's name
refused-name-tag = a tag
refused-name-label = a card's label
refused-setting = { $setting } is { $value }; it can be { $from } to { $to }
refused-random-forbidden = at most { $most } characters are forbidden in a random PIN
refused-random-groups = no character comes twice in a random PIN, so these groups give at most { $found }, not { $length }
refused-not-unlocked = the card is { $state }; only Issued cards are unlocked
refused-offline = Unblock card offline is switched off in policy '{ $policy }'
refused-answers-count = { $asked } questions were asked, { $given } answers came
refused-answer-longest = an answer has 1 to { $longest } characters
refused-key-length = { $cipher } keys have { $length } bytes, not { $found }
refused-work = { $why }
refused-by-card = { $said }
refused-only-issued = the card is { $state }; this is done with Issued cards
refused-reason-longest = a reason has at most { $longest } characters
refused-cards-most = the user has { $maximum } cards already, the most that the policy allows
refused-digits = { $what } has { $length } hexadecimal digits
refused-digits-challenge = the SHA-256 of a challenge
refused-digits-status = a status word
refused-privilege = your role does not have the privilege '{ $privilege }' here
refused-several = several users are called '{ $text }'; write the logon name
refused-several-cards = several cards are '{ $text }'; write the serial of one: { $cards }
refused-filters = the address asks for something that this list does not have, or twice for the same; use the fields of the page
refused-questions-defined = Number of questions to ask is { $asked }, of { $defined } that are defined; define more first
refused-questions-left = the policy asks { $asked } questions, and { $left } would be left; have it ask fewer first
refused-answer-characters = '{ $question }': an answer has { $least } to { $most } characters, not { $length }
refused-answer-in-question = '{ $question }': the answer stands in the question
refused-answer-twice = '{ $question }': each question has an answer of its own
refused-answers-least = answer { $least } questions at least
refused-operator-program = '{ $name }' stands for a program in the log; give another name
refused-operator-there = there is an operator '{ $name }'
refused-operator-changed = { $name } has changed this operator meanwhile; look at what is saved now, and make your change again
refused-operator-user = a user is called '{ $name }', and the log could not tell what either did; give another name, or make that user the operator
refused-user-changed = { $name } has changed the data of this user meanwhile; look at what is saved now, and make your change again
refused-user-policies-changed = { $name } has put this user under other policies meanwhile; look at what is saved now, and make your change again
refused-user-there = there is a user '{ $name }'
refused-user-operator = an operator is called '{ $name }', and the log could not tell what either did; give another name
refused-name-taken = the name '{ $name }' is taken; give another
refused-task-state = the task is { $state } already
refused-too-often = too many { $what }; try again in { $minutes } minutes
refused-database-at = database { $name }: { $why }
refused-database-value = the database has something in { $column } that this version does not know: { $why }
refused-database-name = the database has '{ $found }' in { $column }, which this version does not know
refused-challenge-digit =
    challenge: '{ $found }' at place { $place } is no digit of the code: only 0 to 9 and A to F{ $found ->
        [O] ; is it the digit 0?
        [o] ; is it the digit 0?
        [I] ; is it the digit 1?
        [l] ; is it the digit 1?
        [L] ; is it the digit 1?
        [i] ; is it the digit 1?
        [S] ; is it the digit 5?
        [s] ; is it the digit 5?
       *[other] { "" }
    }
refused-challenge-length = challenge: { $found } digits, but the code has { $expected }
refused-challenge-zeros = challenge: a challenge of zeros only is none that a card gives

## What there is not
no-such-card = there is no such card
no-such-own-card = there is no such card of yours
no-such-card-type = there is no such card type
no-such-user-action = there is no such action; there are: unlock, reset-answers, enable, disable
no-such-action = there is no such action
no-such-operation = there is no such operation
no-such-operator = there is no such operator
no-such-page = there is no such page
no-such-picture = there is no such picture
no-such-policy = there is no such policy
no-such-question = there is no such question
no-such-role = there is no such role
no-such-task = there is no such task
no-such-user = there is no such user

## What is counted: too many of it
limit-of-card-responses = responses for this card
limit-of-operator-responses = responses by this operator
limit-of-card-sessions = unlock sessions of this card from this address
limit-of-address-sessions = unlock sessions from this address
limit-of-address-ways = questions for open ways from this address
limit-of-address-reports = reports from this address
limit-of-card-reports = reports of this card from this address
limit-of-response-reports = reports of this response
limit-of-own-answers = answers that this user has set
limit-of-user-answers = answers typed for this user
limit-of-name-logins = failed logins under this name
limit-of-address-logins = failed logins from this address
