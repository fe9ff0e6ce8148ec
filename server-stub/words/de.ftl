# Was die Seiten sagen, auf Deutsch. Syntax: projectfluent.org. Die Namen der Sätze sind die von en.ftl.
# $name, $user, $by und $operator sind Texte, die Menschen gewählt haben.

## Der Rahmen
area-doors = Kartenverwaltung
area-console = Kartenverwaltung
area-self-service = Self-Service
area-remote = Remote Self-Service
frame-language = de
frame-skip = Zum Inhalt
frame-menu = Menü
frame-crumbs = Wo Sie sind
frame-log-out = Abmelden
menu-users = Benutzer
menu-cards = Karten
menu-connected = Verbundene Karten
menu-unlock = Entsperren
menu-log = Protokoll
menu-configuration = Konfiguration

## Türen
doors-title = Kartenverwaltung
doors-console = Verwaltungskonsole
doors-console-for = Für Operatoren und Administratoren: Benutzer, Karten, Entsperren, Protokoll und Konfiguration.
doors-self-service = Self-Service
doors-self-service-for = Für Benutzer: Ihre Karten und Ihre Antworten auf Sicherheitsfragen.
doors-remote = Remote Self-Service
doors-remote-for = Für Benutzer, deren Karte gesperrt ist und die keinen anderen Rechner zur Hand haben.
doors-api = Schnittstelle für Programme

## Anmeldung
login-console = Anmelden an der Verwaltungskonsole
login-self-service = Anmelden am Self-Service
login-name = Name
login-name-hint-user = DOMÄNE\Name oder name@domäne
login-password = Kennwort
login-go = Anmelden
login-ended = Ihre Anmeldung ist zu Ende: Hier geschah eine Weile nichts, oder jemand hat Sie abgemeldet. Melden Sie sich wieder an.
login-kept = Was Sie eingegeben haben, ist noch nicht gesendet. Melden Sie sich an, sehen Sie es noch einmal an und senden Sie es.
login-kept-secrets = Geheimes geben Sie noch einmal ein.
kept-say = Sie sind wieder angemeldet. Was Sie eingegeben hatten, bevor Ihre Anmeldung endete, steht unten und ist noch nicht gesendet: Sehen Sie es noch einmal an, und senden Sie es.
kept-too-much = Was eingegeben und angekreuzt war, war zu viel, um es aufzuheben; das Formular ist, wie es gespeichert ist. Machen Sie Ihre Änderung noch einmal.

## Was verweigert wurde
error-title = Das geht nicht
error-title-not-found = Nicht gefunden
error-title-refused = Ihre Rolle erlaubt das nicht
error-title-other-site = Das wurde von anderswo gesendet
error-title-wrong-host = Der Server heißt anders
error-title-down = Der Server kann jetzt nicht antworten
error-back = Zurück

## Wo anfängt, wer weder Benutzer noch Karten findet
start-title = Was Sie dürfen
start-everywhere = Ihre Rolle { $name } erlaubt, für alle Richtlinien:
start-somewhere = Ihre Rolle { $name } erlaubt, für einige Richtlinien:
start-no-role = Sie haben noch keine Rolle: Bisher dürfen Sie nichts.
start-nothing = Ihre Rolle { $name } erlaubt noch nichts.
start-no-page = Nichts davon hat eine Seite, die Sie sehen dürfen: Das meiste geschieht bei einem Benutzer oder einer Karte, die man finden muss.
start-ask = Fragen Sie einen Administrator, der Rollen gibt und sagt, was sie erlauben. Es gilt sofort: Laden Sie diese Seite neu.
start-unlock = Eine Karte entsperren
start-serial-hint = Alle Ziffern ihrer Seriennummer, wie der Arbeitsplatz oder die Papiere der Karte sie zeigen. Großschreibung und Leerzeichen zählen nicht.

## Wörter vieler Seiten
none = Keine
search = Suchen
filter = Filtern
reset-filters = Alle zeigen
save = Speichern
cancel = Abbrechen
delete = Löschen
copy = Kopieren
copied = Kopiert
any = Alle
pages = Seiten
page-next = Nächste Seite
page-first = Erste Seite
export-csv = Als CSV speichern
time-utc = Zeiten und Tage sind die von UTC.
time-here = Zeiten und Tage sind die Ihrer Uhr: { $name }.
unknown = Unbekannt
saved-meanwhile = Inzwischen gespeichert: { $name }
on = an
off = aus
yes = Ja
no = Nein

## Zustände
state-Clean = Leer
state-Assigned = Zugewiesen
state-Pending = In Ausgabe
state-Issued = Ausgegeben
state-Disabled = Abgeschaltet
state-Revoked = Widerrufen
user-active = Aktiv
user-locked = Benutzer ist gesperrt
user-disabled = Im Verzeichnis abgeschaltet

## Benutzer
users-title = Benutzer
users-search = Name, Anmeldename, E-Mail oder Telefon
users-state = Zustand
users-policy = Richtlinie
users-page = { $count } Benutzer auf dieser Seite
users-found =
    { $count ->
        [0] Niemand gefunden
        [one] { $count } Benutzer
       *[other] { $count } Benutzer
    }
users-name = Name
users-logon = Anmeldename
users-phone = Telefon
users-cards = Karten
users-status = Zustand
users-new = Neuer Benutzer
user-mail = E-Mail
user-policy = Richtlinie { $name }
user-no-policy = Keine Richtlinie
user-answers = Antworten auf Sicherheitsfragen
user-answers-set =
    { $count ->
        [0] Keine gesetzt: Online-Entsperren ist nicht möglich
        [one] { $count } gesetzt
       *[other] { $count } gesetzt
    }
user-answers-too-few = Weniger, als die Richtlinie fragt: Online-Entsperren ist erst möglich, wenn der Benutzer im Self-Service mehr gesetzt hat
user-wrong =
    { $count ->
        [one] { $count } falsche Antwort seit der letzten richtigen
       *[other] { $count } falsche Antworten seit der letzten richtigen
    }
user-assigned-cards = Zugewiesene Karten
user-their-cards = Diese Karten in der Liste aller
user-no-cards = Diesem Benutzer ist keine Karte zugewiesen.
user-operations = Benutzer
user-unlock = Benutzer entsperren
user-unlock-ask = Die Antworten des Benutzers werden wieder verglichen. Karten und Antworten bleiben, wie sie sind.
user-unlock-go = Entsperren
user-reset = Antworten auf Sicherheitsfragen zurücksetzen
user-reset-ask = Die Antworten werden gelöscht. Der Benutzer setzt neue im Self-Service; bis dahin ist Online-Entsperren nicht möglich. Das ist endgültig.
user-reset-go = Zurücksetzen
user-disable = Benutzer abschalten
user-disable-ask = Der Benutzer kann sich weder anmelden noch eine Karte entsperren, bis jemand ihn wieder einschaltet. Offene Anmeldungen enden.
user-disable-go = Abschalten
user-enable = Benutzer einschalten
user-unlocked = Der Benutzer ist entsperrt.
user-answers-reset = Die Antworten sind zurückgesetzt; der Benutzer setzt neue im Self-Service.
user-is-disabled = Der Benutzer ist abgeschaltet.
user-is-enabled = Der Benutzer ist eingeschaltet.
user-policies = Richtlinien des Benutzers
user-policies-say = Von mehreren gilt die erste. Karten, die unter einer Richtlinie ausgegeben wurden, bleiben unter ihr.
user-policies-saved = Die Richtlinien des Benutzers sind gespeichert; sie gelten ab jetzt.
user-correct = Daten berichtigen
user-correct-say = Antworten, Karten und offene Anmeldungen bleiben. Der Benutzer meldet sich ab jetzt mit den neuen Namen an, und die alten gehören niemandem.
user-corrected = Die Daten von { $name } sind gespeichert.
user-happened = Was geschah
user-all-events = Alle Ereignisse dieses Benutzers

## Karten
cards-title = Karten
cards-search = Anfang oder Ende der Seriennummer, Bezeichnung, Schlagwort oder Name des Inhabers
cards-search-cards = Anfang oder Ende der Seriennummer, Bezeichnung oder Schlagwort
cards-page = { $count } Karten auf dieser Seite
cards-found =
    { $count ->
        [0] Keine Karte gefunden
        [one] { $count } Karte
       *[other] { $count } Karten
    }
cards-card = Karte
cards-owner = Inhaber
cards-type = Typ
cards-label = Bezeichnung
cards-state = Zustand
card-title = Karte { $name }
card-serial = Seriennummer
card-atr = Answer to Reset
card-type = Typ
card-issued = Ausgegeben
card-issued-to = an { $user } von { $by }, { $name }
card-issued-by = von { $by }, { $name }
card-label = Bezeichnung
card-nobody = Gehört niemandem
card-key = Administratorschlüssel
card-key-known = Dem Server bekannt
card-key-unknown = Nicht bekannt: Diese Karte kann nicht mit einer Antwort entsperrt werden
card-revoked = Widerrufen
card-pin-tries =
    { $count ->
        [one] { $count } Versuch, dann sperrt die PIN
       *[other] { $count } Versuche, dann sperrt die PIN
    }
card-pin-unlocked = Entsperrt { $name }
card-key-blocked = Kann nicht mehr entsperrt werden, gesehen { $name }
card-claim-pin-blocked = Nicht bestätigt: PIN gesperrt, gemeldet { $name }
card-claim-pin-wrong = Nicht bestätigt: falsche PIN eingegeben, gemeldet { $name }
card-claim-unlocked = Nicht bestätigt: entsperrt, gemeldet { $name }
card-claim-refused = Nicht bestätigt: hat eine Antwort abgelehnt, gemeldet { $name }
card-claim-admin-key-blocked = Nicht bestätigt: kann nicht mehr entsperrt werden, gemeldet { $name }
card-claim-gone = Nicht bestätigt: entfernt, bevor sie ihre Antwort hatte, gemeldet { $name }
card-operations = Kartenoperationen
card-unlock = Entsperren
card-about = Über diese Karte
card-happened = Diese Karte
card-all-events = Alle Ereignisse dieser Karte
card-operation-assign = Zuweisen
card-operation-issue = Ausgeben
card-operation-disable = Abschalten
card-operation-enable = Einschalten
card-operation-revoke = Widerrufen
card-operation-withdraw = Einziehen
card-operation-ask-disable = Die Karte kann nicht entsperrt werden, solange sie abgeschaltet ist. Sie kann wieder eingeschaltet werden.
card-operation-ask-revoke = Die Karte ist endgültig außer Gebrauch. Das kann nicht zurückgenommen werden.
card-operation-ask-withdraw = Die Karte wird ihrem Benutzer genommen und kann einem anderen zugewiesen werden.
card-assign-to = Anmeldename des Benutzers
card-reason = Grund
card-reset-pin = Benutzer-PIN zurücksetzen
card-reset-pin-ask = Die Karte in einem Leser des Servers bekommt die Standard-PIN ihres Typs; der Benutzer ändert sie im Self-Service.
card-reset-pin-go = Zurücksetzen
card-roll-key = Neuer Administratorschlüssel
card-roll-key-ask = Die Karte in einem Leser des Servers bekommt einen neuen Administratorschlüssel; der alte nützt dann nichts mehr. Das ist endgültig.
card-roll-key-go = Neuen Schlüssel schreiben
card-correct-key = Administratorschlüssel berichtigen
card-correct-key-ask = Für eine Karte, von der der Server einen anderen Schlüssel kennt, als sie hat. Auf die Karte wird nichts geschrieben.
card-correct-key-none = Niemand kennt ihren Schlüssel
card-correct-key-go = Berichtigen
card-key-corrected = Der Administratorschlüssel der Karte ist berichtigt.
card-key-tried = Die Karte wurde gefragt und hat ihn.
card-key-held = Der Administratorschlüssel wurde nicht geprüft: Ein anderes Programm hält die Karte in { $name }, die diese sein kann. Beenden Sie das Programm und berichtigen Sie den Schlüssel, damit er geprüft wird.
card-key-untried = Die Karte ist in keinem Leser des Servers: Ihr Administratorschlüssel wurde nicht geprüft.
card-key-none = Sie hat keinen bekannten Administratorschlüssel: Sie kann nicht mit einer Antwort entsperrt werden.
card-tags = Schlagworte
card-tag = Schlagwort
card-tag-add = Neues Schlagwort
card-tag-hint = Bis zu 40 Zeichen ohne Komma. Karten werden daran gefunden.
card-tag-go = Schlagwort hinzufügen
card-tag-remove = Schlagwort entfernen
card-tags-changed = Die Schlagworte der Karte sind geändert.
card-remove = Karte löschen
card-remove-ask = Die Karte wurde nie ausgegeben. Sie wird aus dem Bestand genommen, mit dem, was der Server von ihrem Administratorschlüssel weiß; das Protokoll behält, was geschah.
card-remove-go = Löschen
card-removed = Die Karte { $name } ist gelöscht.
card-agent = Benutzer-PIN am Agenten zurücksetzen
card-agent-say = Für eine Karte, die anderswo ist: Ihr Benutzer beantwortet die Sicherheitsfragen am Arbeitsplatz, der die Karte hat, und setzt eine neue PIN.
card-agent-comment = Bemerkung
card-agent-workstation = Arbeitsplatz
card-agent-workstation-hint = Leer: jeder, der die Karte hat
card-agent-go = Beauftragen
card-agent-ordered = Die Aufgabe wartet auf den Arbeitsplatz, der die Karte hat; ihr Benutzer beantwortet dort die Fragen.
card-task-cancelled = Die Aufgabe ist abgebrochen.
card-tasks = Aufgaben
card-task-by = Beauftragt von
card-task-slow = { $name }, seit mehr als zehn Minuten
card-task-cancel = Aufgabe abbrechen
card-responses = Gegebene Antworten
card-responses-time = Zeit
card-responses-by = Von
card-responses-channel = Weg
card-responses-outcome = Was daraus wurde
card-responses-times =
    { $count ->
        [one] einmal
       *[other] { $count }-mal
    }
channel-online = Sperrbildschirm, online
channel-agent = Agent
channel-operator = Operator
channel-remote = Remote Self-Service
card-is = Die Karte ist jetzt: { $name }.
card-pin-is = Ihre PIN ist { $name }. Sie wird nur jetzt gezeigt.
card-puk-is = Ihre PUK ist { $name }: Mit der Zahl der PIN-Versuche bekam sie die des Herstellers, darum eine neue. Bewahren Sie sie bei den Papieren der Karte auf; der Server behält sie nicht.
card-is-locked = Ihre PIN ist gesperrt: Der Benutzer entsperrt die Karte und setzt so die erste PIN.
card-registered = Die Karte ist eingetragen.

## Verbundene Karten
connected-title = Verbundene Karten
connected-none = In keinem Leser des Servers ist eine Karte.
connected-not-registered = Nicht eingetragen
connected-not-told = Diese Karte nennt ihre Seriennummer nicht
connected-held = Ein anderes Programm hält diese Karte; was sie ist, kann erst gelesen werden, wenn es sie loslässt.
connected-held-by = { $program } (Prozess { $process }) ist seit { $name } mit dieser Karte verbunden und hält sie; was sie ist, kann erst gelesen werden, wenn das Programm sie loslässt.
connected-pin =
    { $count ->
        [0] Die PIN ist gesperrt; sie erlaubt { $all } Versuche.
       *[other] Noch { $count } von { $all } PIN-Versuchen.
    }
connected-pin-left =
    { $count ->
        [0] Die PIN ist gesperrt.
       *[other] Noch { $count } PIN-Versuche.
    }
connected-add = Karte aufnehmen
connected-type = Kartentyp
connected-label = Bezeichnung
connected-key-which = Administratorschlüssel, den die Karte jetzt hat
connected-key-maker = Der ihres Herstellers, wie ihn neue Karten dieser Art haben
connected-key-derived = Der vom Hauptschlüssel abgeleitete
connected-key-other = Ein anderer, der unten steht
connected-key-none = Niemand kennt ihn: Die Karte kann nicht mit einer Antwort entsperrt werden
connected-key-typed = Ein anderer Schlüssel, hexadezimal
connected-key-tried = Der Schlüssel wird an der Karte geprüft; ein falscher kostet einen ihrer Versuche, und eine Karte ohne Versuche ist verloren.
connected-key = Administratorschlüssel, den die Karte jetzt hat, hexadezimal
connected-untried = Aufnehmen, ohne den Schlüssel zu prüfen: für eine Karte mit einem oder keinem Versuch
connected-key-hint = Leer: Die Karte hat den Schlüssel, der vom Hauptschlüssel abgeleitet ist. Der Schlüssel wird an der Karte geprüft; ein falscher kostet einen ihrer Versuche, und eine Karte ohne Versuche ist verloren.

## Entsperren
unlock-title = Entsperren
unlock-step-questions = Fragen
unlock-step-challenge = Anfrage
unlock-step-response = Antwort
unlock-left =
    { $count ->
        [one] noch { $count } Antwort in dieser Stunde
       *[other] noch { $count } Antworten in dieser Stunde
    }
unlock-ask = Fragen Sie { $name }
unlock-ask-hint = Geben Sie die Antworten ein, wie sie gesprochen werden. Großschreibung zählt nicht, auch nicht Leerzeichen davor und dahinter; eines zwischen Wörtern zählt.
unlock-check-answers = Antworten prüfen
unlock-answers-right = Die Antworten sind richtig.
unlock-answers-wrong =
    { $count ->
        [one] Die Antworten sind nicht richtig. Noch { $count } Versuch.
       *[other] Die Antworten sind nicht richtig. Noch { $count } Versuche.
    }
unlock-answers-ended = Die Antworten sind nicht richtig, und es bleibt kein Versuch. Beginnen Sie später neu, oder prüfen Sie, wer anruft.
unlock-again = Die Richtlinie verlangt jetzt die Antworten des Benutzers. Beginnen Sie das Entsperren neu.
unlock-too-few = { $name } hat weniger Antworten gesetzt, als die Richtlinie fragt. Hier werden nur die gesetzten gefragt.
unlock-challenge = Was { $name } Ihnen vorliest
unlock-challenge-data = Anfragedaten
unlock-challenge-hint = { $count } Zeichen in Vierergruppen. Großschreibung, Leerzeichen und Striche zählen nicht.
unlock-check = Prüfzeichen
unlock-check-hint = Wenn { $name } sie vorliest: Eine verhörte Ziffer fällt auf, bevor sie die Karte einen Versuch kostet.
unlock-get = Antwort holen
unlock-read = Lesen Sie dies { $name } vor, Gruppe für Gruppe
unlock-response = Antwortdaten
unlock-check-code = Prüfzeichen
unlock-for = für Anfrage
unlock-given = Gegeben um { $name }.
unlock-waiting-say = Diese Seite sagt, wie es ausging, sobald der Arbeitsplatz es dem Server meldet.
unlock-reload = Noch einmal nachsehen
unlock-new-challenge = Neue Anfrage
unlock-next = Nächster Benutzer
unlock-back = Zurück zur Karte
unlock-also = Auch offen: { $name }. Die Karte nimmt die Antwort auf ihre letzte Anfrage.
unlock-not-possible = Diese Karte kann jetzt nicht entsperrt werden
unlock-stopped = Dieses Entsperren geht nicht weiter

## Was aus einer Antwort wurde
given-waiting = Warten auf den Arbeitsplatz.
given-waiting-for = Warten auf { $name }.
given-unlocked = Die Karte ist entsperrt.
given-refused = Die Karte hat die Antwort abgelehnt.
given-refused-left =
    { $count ->
        [one] Die Karte hat die Antwort abgelehnt; noch { $count } Versuch.
       *[other] Die Karte hat die Antwort abgelehnt; noch { $count } Versuche.
    }
given-admin-key-blocked = Die Karte hat die Antwort abgelehnt, und es bleibt kein Versuch: Sie kann nicht mehr mit einer Antwort entsperrt werden.
given-gone = Die Karte wurde entfernt oder von einem anderen Programm benutzt; eine neue Anfrage ist nötig.

## Protokoll
log-title = Protokoll
log-search-card = Karte
log-search-user = Benutzer
log-search-by = Getan von
log-search-event = Ereignis
log-from = Von
log-to = Bis
log-kind = Art
log-time = Zeit
log-what = Was geschah
log-where = Arbeitsplatz
log-page = { $count } Ereignisse auf dieser Seite
log-found =
    { $count ->
        [0] Nichts gefunden
        [one] { $count } Ereignis
       *[other] { $count } Ereignisse
    }
log-detail = Einzelheiten
log-event-number = Nummer
log-detail-programs = Wie Programme es lesen
detail-changed = { $before } → { $after }
detail-answers = Antworten verglichen
detail-tries-left = Verbleibende Versuche
detail-status-word = Statuswort der Karte
detail-clock = Nach der Uhr des Arbeitsplatzes
detail-address = Adresse
detail-key-tried = Schlüssel an der Karte geprüft
detail-role = Rolle
detail-place = Platz in der Reihenfolge
detail-another = Eine andere
detail-all-policies = Alle Richtlinien
detail-policies =
    { $count ->
        [one] { $count } Richtlinie
       *[other] { $count } Richtlinien
    }
detail-other-policies =
    { $count ->
        [one] { $count } Richtlinie, nicht dieselbe
       *[other] { $count } Richtlinien, nicht dieselben
    }
log-check = Protokoll prüfen
log-whole = Jedes Ereignis folgt auf das vorige: Nichts wurde geändert oder herausgenommen.
log-broken = Ereignis Nummer { $count } folgt nicht auf das vorige: Das Protokoll wurde geändert.
event-information = Hinweis
event-warning = Warnung
event-error = Fehler
event-somebody = jemand
event-a-workstation = ein Arbeitsplatz
event-a-card = ohne Seriennummer
event-the-server = der Server
event-CARD_ADDED = { $by } hat die Karte { $card } aufgenommen
event-CARD_NOT_ADDED = { $by } konnte die Karte { $card } nicht aufnehmen: { $why }
event-CARD_TAGS_CHANGED =
    { $tagged ->
        [0] { $by } hat der Karte { $card } das letzte Schlagwort genommen
       *[other] { $by } hat die Schlagworte der Karte { $card } geändert: { $tags }
    }
event-CARD_TAGS_NOT_CHANGED = { $by } konnte die Schlagworte der Karte { $card } nicht ändern: { $why }
event-CARD_REMOVED = { $by } hat die Karte { $card } gelöscht
event-CARD_NOT_REMOVED = { $by } konnte die Karte { $card } nicht löschen: { $why }
event-UNLOCK_OPENED =
    { $mode ->
        [offline] { $workstation } wollte die Karte { $card } online entsperren und wurde auf das Offline-Entsperren verwiesen: { $why }
        [agent] { $workstation } hat die Aufgabe übernommen, die PIN der Karte { $card } von { $user } zurückzusetzen
       *[online] { $workstation } hat ein Online-Entsperren der Karte { $card } von { $user } begonnen
    }
event-ANSWERS_RIGHT =
    { $channel ->
        [operator] { $by } hat { $user } die Sicherheitsfragen gestellt: Die Antworten waren richtig
        [remote] { $user } hat die Sicherheitsfragen im Remote Self-Service richtig beantwortet
       *[other] { $user } hat die Sicherheitsfragen an { $workstation } richtig beantwortet
    }
event-ANSWERS_WRONG =
    { $channel ->
        [operator] { $by } hat { $user } die Sicherheitsfragen gestellt: Die Antworten waren falsch
        [remote] { $user } hat die Sicherheitsfragen im Remote Self-Service falsch beantwortet
       *[other] { $user } hat die Sicherheitsfragen an { $workstation } falsch beantwortet
    }
event-USER_LOCKED = { $user } wurde nach falschen Antworten gesperrt
event-USER_UNLOCKED = { $by } hat den Benutzer { $user } entsperrt
event-USER_NOT_UNLOCKED = { $by } konnte den Benutzer { $user } nicht entsperren: { $why }
event-ANSWERS_SET =
    { $operation ->
        [own-question-added] { $user } hat eine eigene Frage geschrieben
        [own-question-deleted] { $user } hat eine eigene Frage gelöscht
       *[other] { $user } hat Antworten auf Sicherheitsfragen gesetzt
    }
event-ANSWERS_NOT_SET = { $user } konnte keine Antworten setzen: { $why }
event-ANSWERS_RESET = { $by } hat die Antworten von { $user } zurückgesetzt
event-ANSWERS_NOT_RESET = { $by } konnte die Antworten von { $user } nicht zurücksetzen: { $why }
event-RESPONSE_GIVEN =
    { $channel ->
        [operator] { $by } hat { $user } eine Antwort für die Karte { $card } gegeben
        [remote] { $user } hat im Remote Self-Service eine Antwort für die Karte { $card } bekommen
       *[other] { $workstation } hat eine Antwort für die Karte { $card } von { $user } bekommen
    }
event-RESPONSE_REFUSED =
    { $serial ->
        [none] { $by } kam beim Entsperren einer Karte nicht weiter: { $why }
       *[some] { $by } hat keine Antwort für die Karte { $card } bekommen: { $why }
    }
event-CARD_UNLOCKED = Die Karte { $card } von { $user } wurde an { $workstation } entsperrt
event-CARD_REFUSED_RESPONSE =
    { $left ->
        [-1] Die Karte { $card } hat an { $workstation } eine Antwort abgelehnt
        [one] Die Karte { $card } hat an { $workstation } eine Antwort abgelehnt; noch { $left } Versuch
       *[other] Die Karte { $card } hat an { $workstation } eine Antwort abgelehnt; noch { $left } Versuche
    }
event-CARD_GONE = Die Karte { $card } wurde an { $workstation } entfernt, bevor sie ihre Antwort hatte
event-ADMIN_KEY_BLOCKED = Die Karte { $card } von { $user } kann nicht mehr entsperrt werden: Kein Versuch ist übrig
event-PIN_BLOCK_SEEN = { $workstation } meldet, dass die PIN der Karte { $card } von { $user } gesperrt ist; niemand hat es bestätigt
event-PIN_WRONG_SEEN =
    { $left ->
        [-1] { $workstation } meldet eine falsche PIN für die Karte { $card } von { $user }; niemand hat es bestätigt
        [one] { $workstation } meldet eine falsche PIN für die Karte { $card } von { $user }, noch { $left } Versuch; niemand hat es bestätigt
       *[other] { $workstation } meldet eine falsche PIN für die Karte { $card } von { $user }, noch { $left } Versuche; niemand hat es bestätigt
    }
event-REPORT_UNCONFIRMED =
    { $report ->
        [unlocked] { $workstation } meldet, dass die Karte { $card } von { $user } entsperrt wurde; niemand hat es bestätigt
        [refused] { $workstation } meldet, dass die Karte { $card } von { $user } eine Antwort abgelehnt hat; niemand hat es bestätigt
        [admin-key-blocked] { $workstation } meldet, dass die Karte { $card } von { $user } nicht mehr entsperrt werden kann; niemand hat es bestätigt
        [gone] { $workstation } meldet, dass die Karte { $card } von { $user } entfernt wurde, bevor sie ihre Antwort hatte; niemand hat es bestätigt
       *[other] { $workstation } meldet, wie ein Entsperren der Karte { $card } von { $user } endete; niemand hat es bestätigt
    }
event-PIN_RESET = Die PIN der Karte { $card } von { $user } wurde von { $by } zurückgesetzt
event-PIN_CHANGED = { $user } hat im Self-Service die PIN der Karte { $card } geändert
event-PIN_NOT_CHANGED = { $user } konnte im Self-Service die PIN der Karte { $card } nicht ändern: { $why }
event-PIN_NOT_RESET = { $by } konnte die PIN der Karte { $card } nicht zurücksetzen: { $why }
event-ADMIN_KEY_ROLLED = { $by } hat der Karte { $card } einen neuen Administratorschlüssel gegeben
event-ADMIN_KEY_NOT_ROLLED = { $by } konnte der Karte { $card } keinen neuen Administratorschlüssel geben: { $why }
event-ADMIN_KEY_CORRECTED = { $by } hat den Administratorschlüssel der Karte { $card } berichtigt
event-ADMIN_KEY_NOT_CORRECTED = { $by } konnte den Administratorschlüssel der Karte { $card } nicht berichtigen: { $why }
event-CARD_INITIALIZED = { $by } hat die Karte { $card } für { $user } initialisiert
event-CARD_NOT_INITIALIZED = { $by } konnte die Karte { $card } nicht initialisieren: { $why }
event-POLICY_CHANGED =
    { $change ->
        [renamed] { $by } hat der Richtlinie { $before } einen anderen Namen gegeben: { $policy }
        [moved] { $by } hat eine Richtlinie nach oben gestellt: { $policy }
        [added] { $by } hat in der Konfiguration angelegt: { $policy }{ $type }
        [deleted] { $by } hat aus der Konfiguration gelöscht: { $policy }{ $type }
       *[changed] { $by } hat die Konfiguration geändert: { $policy }{ $type }
    }
event-POLICY_NOT_CHANGED = { $by } konnte die Konfiguration nicht ändern: { $why }
event-ROLE_CHANGED =
    { $about ->
        [operator] { $by } hat den Operator { $operator } angelegt oder gelöscht
        [operator-added] { $by } hat den Operator { $operator } angelegt
        [operator-deleted] { $by } hat den Operator { $operator } gelöscht
        [operator-renamed] { $by } hat dem Operator { $before } einen anderen Namen gegeben: { $operator }
        [operator-password] { $by } hat dem Operator { $operator } ein anderes Passwort gegeben
        [operator-anew] { $by } hat dem Operator { $before } einen anderen Namen, { $operator }, und ein anderes Passwort gegeben
        [member] { $by } hat dem Operator { $operator } die Rolle { $role } gegeben
        [member-none] { $by } hat dem Operator { $operator } die Rolle genommen
        [role-deleted] { $by } hat die Rolle { $role } gelöscht
        [role-renamed] { $by } hat der Rolle { $was } einen anderen Namen gegeben: { $role }
        [role-anew] { $by } hat der Rolle { $was } einen anderen Namen, { $role }, gegeben und festgelegt, was sie erlaubt
       *[role] { $by } hat festgelegt, was die Rolle { $role } erlaubt
    }
event-ROLE_NOT_CHANGED = { $by } konnte Rollen oder Operatoren nicht ändern: { $why }
event-QUESTION_CHANGED =
    { $change ->
        [moved] { $by } hat eine Sicherheitsfrage nach oben gestellt
        [added] { $by } hat eine Sicherheitsfrage angelegt
        [deleted] { $by } hat eine Sicherheitsfrage gelöscht
       *[changed] { $by } hat eine Sicherheitsfrage geändert
    }
event-QUESTION_NOT_CHANGED = { $by } konnte die Sicherheitsfragen nicht ändern: { $why }
event-CARD_STATE_CHANGED =
    { $operation ->
        [assign] { $by } hat die Karte { $card } { $user } zugewiesen
        [issue] { $by } hat die Karte { $card } an { $user } ausgegeben
        [disable] { $by } hat die Karte { $card } von { $user } abgeschaltet
        [enable] { $by } hat die Karte { $card } von { $user } eingeschaltet
        [revoke] { $by } hat die Karte { $card } von { $user } widerrufen
        [withdraw] { $by } hat die Karte { $card } eingezogen
       *[other] { $by } hat die Karte { $card } geändert: { $to }
    }
event-CARD_STATE_NOT_CHANGED =
    { $operation ->
        [assign] { $by } konnte die Karte { $card } nicht zuweisen: { $why }
        [issue] { $by } konnte die Karte { $card } nicht ausgeben: { $why }
        [disable] { $by } konnte die Karte { $card } nicht abschalten: { $why }
        [enable] { $by } konnte die Karte { $card } nicht einschalten: { $why }
        [revoke] { $by } konnte die Karte { $card } nicht widerrufen: { $why }
        [withdraw] { $by } konnte die Karte { $card } nicht einziehen: { $why }
       *[other] { $by } konnte die Karte { $card } nicht ändern: { $why }
    }
event-RATE_LIMITED =
    { $times ->
        [one] { $by } wurde abgewiesen: zu viel in zu kurzer Zeit
       *[other] { $by } wurde { $times }-mal abgewiesen: zu viel in zu kurzer Zeit
    }
event-NOT_LET_IN =
    { $times ->
        [one] { $by } wurde nicht zu etwas gelassen, das die Rolle nicht erlaubt
       *[other] { $by } wurde { $times }-mal nicht zu etwas gelassen, das die Rolle nicht erlaubt
    }
event-TASK_ORDERED = { $by } hat beauftragt, die PIN der Karte { $card } von { $user } zurückzusetzen
event-TASK_NOT_ORDERED = { $by } konnte nicht beauftragen, die PIN der Karte { $card } zurückzusetzen: { $why }
event-TASK_CANCELLED = { $by } hat eine Aufgabe für die Karte { $card } abgebrochen
event-TASK_NOT_CANCELLED = { $by } konnte eine Aufgabe nicht abbrechen: { $why }
event-TASK_CANCELLED_BY_USER = { $user } hat das Zurücksetzen der PIN der Karte { $card } verschoben
event-LOGGED_IN =
    { $door ->
        [self-service] { $by } hat sich am Self-Service angemeldet
       *[other] { $by } hat sich angemeldet
    }
event-LOGGED_OUT =
    { $door ->
        [self-service] { $by } hat sich vom Self-Service abgemeldet
       *[other] { $by } hat sich abgemeldet
    }
event-LOGIN_FAILED =
    { $door ->
        [self-service] Jemand wollte sich am Self-Service anmelden als { $by }
       *[other] Jemand wollte sich anmelden als { $by }
    }
event-USER_ADDED = { $by } hat den Benutzer { $user } angelegt
event-USER_NOT_ADDED = { $by } konnte keinen Benutzer anlegen: { $why }
event-USER_CORRECTED = { $by } hat die Daten des Benutzers { $user } berichtigt: { $changed }
event-USER_NOT_CORRECTED = { $by } konnte die Daten des Benutzers { $user } nicht berichtigen: { $why }
event-corrected = { $field } { $before } → { $after }
event-USER_POLICY_CHANGED = { $by } hat den Benutzer { $user } unter { $policy } gestellt
event-USER_POLICY_NOT_CHANGED = { $by } konnte den Benutzer { $user } unter keine andere Richtlinie stellen: { $why }
event-USER_STATE_CHANGED =
    { $to ->
        [active] { $by } hat den Benutzer { $user } eingeschaltet
       *[other] { $by } hat den Benutzer { $user } abgeschaltet
    }
event-USER_STATE_NOT_CHANGED = { $by } konnte den Benutzer { $user } weder ein- noch abschalten: { $why }

## Gründe, nach ihren Codes
reason-unknown = kein Grund ist vermerkt
reason-MALFORMED = was eingegeben wurde, kann nach Länge oder Zeichen nicht stimmen
reason-TOO_LONG = es war zu lang
reason-NOT_LOGGED_IN = keine Anmeldung
reason-NO_PRIVILEGE = die Rolle erlaubt es nicht
reason-DISABLED_BY_POLICY = die Richtlinie erlaubt es nicht
reason-USER_LOCKED = der Benutzer ist gesperrt
reason-USER_DISABLED = der Benutzer ist im Verzeichnis abgeschaltet
reason-CARD_STATE = die Karte ist in einem anderen Zustand
reason-NO_ADMIN_KEY = der Server hat den Administratorschlüssel der Karte nicht
reason-ANSWERS_NOT_SET = der Benutzer hat keine Antworten gesetzt
reason-SELF_SERVICE_ONLY = es ist die eigene Karte des Operators
reason-CAPTCHA = die Buchstaben wurden nicht eingegeben
reason-ANSWERS_FIRST = die Antworten kommen vor der Anfrage
reason-NOT_FOUND = eine solche Karte oder einen solchen Benutzer gibt es nicht
reason-CONFLICT = es wird benutzt, oder es gibt schon eines
reason-NO_READERS = die Karte ist in keinem Leser des Servers
reason-CARD_REFUSED = die Karte hat nicht getan, was sie sollte
reason-SESSION_OVER = die Sitzung war vorbei
reason-RATE_LIMITED = zu viel in zu kurzer Zeit

## Self-Service
ss-title = Ihre Karten und Antworten
ss-cards = Ihre Karten
ss-no-cards = Sie haben keine Karte.
ss-card-locked-how = Wenn ihre PIN gesperrt ist: Der Sperrbildschirm zeigt eine Anfrage, die Sie Ihrem Operator vorlesen, oder fragt Ihre Sicherheitsfragen.
ss-answers = Antworten auf Sicherheitsfragen
ss-answers-hint = Mit ihnen entsperren Sie Ihre Karte selbst, und Ihr Operator erkennt Sie daran. Hier kann sie niemand lesen.
ss-no-questions = Es gibt noch keine Sicherheitsfragen. Ein Administrator macht sie.
ss-asked =
    { $count ->
        [one] { $count } davon wird gefragt, wenn Sie eine Karte entsperren.
       *[other] { $count } davon werden gefragt, wenn Sie eine Karte entsperren.
    }
ss-first = Setzen Sie jetzt Ihre Antworten: Ohne sie können Sie Ihre Karte nicht selbst entsperren.
ss-too-few =
    { $count ->
        [one] Setzen Sie { $count } mehr: Bis dahin können Sie Ihre Karte nicht selbst entsperren.
       *[other] Setzen Sie { $count } mehr: Bis dahin können Sie Ihre Karte nicht selbst entsperren.
    }
ss-set = Gesetzt
ss-not-set = Nicht gesetzt
ss-change = Ändern
ss-set-first = Setzen
ss-answer = Ihre Antwort
ss-again = Noch einmal
ss-minimum =
    { $count ->
        [one] Mindestens { $count } Zeichen.
       *[other] Mindestens { $count } Zeichen.
    }
ss-show = Zeigen
ss-save = Antworten speichern
ss-answers-not-here = Antworten werden hier nicht gesetzt. Fragen Sie Ihren Operator.
ss-saved = Ihre Antworten sind gespeichert.
ss-locked = Sie sind nach falschen Antworten gesperrt. Bitten Sie Ihren Operator, Sie zu entsperren; Antworten können Sie inzwischen setzen.
ss-differs = Die beiden Eingaben sind verschieden.
ss-own = Ihre eigenen Fragen
ss-own-hint = Fragen, auf die nur Sie kommen. Ihr Operator stellt sie am Telefon, neben den anderen; sonst werden sie nirgends gezeigt.
ss-own-most =
    { $count ->
        [0] Keine wird mehr gestellt.
        [one] Sie können eine schreiben.
       *[other] Sie können { $count } schreiben.
    }
ss-own-new = Neue eigene Frage
ss-own-add = Frage hinzufügen
ss-own-added = Ihre Frage ist da.
ss-own-deleted = Ihre Frage ist gelöscht.
ss-own-delete-ask = Ihr Operator stellt sie nicht mehr. Die Antwort wird mit ihr gelöscht.

ss-unlock = Im Remote Self-Service entsperren
own-disable = Abschalten
own-disable-ask = Die Karte kann nicht entsperrt werden, solange sie abgeschaltet ist. Für eine verlegte Karte.
own-enable = Einschalten
own-enable-ask = Die Karte kommt wieder in Gebrauch.
own-revoke = Widerrufen
own-revoke-ask = Die Karte ist endgültig außer Gebrauch, und Sie bekommen eine andere. Das kann nicht zurückgenommen werden.
own-revoke-why = Warum
own-reason-lost = Sie ist verloren
own-reason-faulty = Sie ist defekt
own-reason-compromised = Jemand anderes kennt vielleicht ihre PIN
own-change-pin = PIN ändern
own-change-pin-ask = Die Karte ist in einem Leser des Servers. Eine falsche alte PIN kostet einen ihrer Versuche.
own-pin-old = PIN, die sie jetzt hat
own-pin-new = Neue PIN
own-pin-again = Neue PIN noch einmal
own-pin-changed = Die Karte { $card } hat ihre neue PIN.
own-pin-differs = Die beiden Eingaben der neuen PIN sind verschieden; nichts wurde geändert.
own-card-is = Die Karte { $card } ist jetzt: { $name }.

## Remote Self-Service
rss-who = Wer sind Sie?
rss-name = Anmeldename
rss-name-hint = DOMÄNE\Name oder name@domäne
rss-name-forms = Schreiben Sie den Namen als DOMÄNE\Name oder als name@domäne: ein Name allein genügt hier nicht
rss-next = Weiter
rss-captcha = Buchstaben des Bildes
rss-captcha-alt = Ein Bild mit Buchstaben. Der Ton darunter sagt dieselben Buchstaben.
rss-captcha-sound = Die Buchstaben, englisch gesprochen
rss-captcha-hint = Großschreibung zählt nicht.
rss-captcha-others = Andere Buchstaben
rss-questions = Sicherheitsfragen
rss-wrong = Die Antworten sind nicht richtig. Beginnen Sie neu, oder fragen Sie Ihren Operator.
rss-cards = Ihre Karten
rss-no-cards = Sie haben keine Karten.
rss-not = Diese Karte kann hier nicht entsperrt werden; fragen Sie Ihren Operator.
rss-challenge = Anfragedaten
rss-challenge-hint = Das Werkzeug oder der Sperrbildschirm zeigt sie, wenn Ihre Karte gesperrt ist.
rss-get = Antwort holen
rss-response = Antwortdaten
rss-response-hint = Geben Sie sie dort ein, wo die Anfrage steht, und wählen Sie eine neue PIN.
rss-other = Andere Karte
rss-leave = Verlassen

## Konfiguration
conf-tree = Konfiguration
conf-policies = Richtlinien
conf-issuance = Ausgabe
conf-workflow = Abläufe
conf-authentication = Authentifizierung
conf-types = Kartentypen
conf-roles = Rollen
conf-operators = Operatoren
conf-only-see = Ihre Rolle erlaubt, dies zu sehen, nicht, es zu ändern.
policies-say = Eine Richtlinie sagt, was für ihre Benutzer und deren Karten möglich ist. Änderungen gelten ab dem nächsten Schritt jedes Entsperrens.
policies-users =
    { $count ->
        [0] Kein Benutzer
        [one] { $count } Benutzer
       *[other] { $count } Benutzer
    }
policies-cards =
    { $count ->
        [0] keine Karte
        [one] { $count } Karte
       *[other] { $count } Karten
    }
policies-order = Steht ein Benutzer unter mehreren Richtlinien, gilt die erste dieser Liste.
policy-up = Nach oben
policy-moved = Die Reihenfolge der Richtlinien ist geändert; sie gilt ab jetzt.
policy-rename = Umbenennen
policy-renamed = Die Richtlinie hat ihren neuen Namen.
policy-new = Neue Richtlinie
policy-name = Name
policy-copy-from = Kopieren von
policy-copy-none = Übliche Einstellungen
policy-create = Richtlinie anlegen
policy-added = Die Richtlinie ist da; noch steht niemand darunter.
policy-delete-ask = Ihre Fragen werden mit ihr gelöscht. Das kann nicht zurückgenommen werden.
policy-delete-not = Eine Richtlinie wird gelöscht, wenn niemand und keine Karte darunter steht.
policy-deleted = Die Richtlinie ist gelöscht.
policy-saved = Gespeichert. Es gilt ab jetzt.
void-while-off = Braucht { $name }; das ist aus.
void-while-on = Nicht, solange { $name } an ist.
policy-card-issue = Kartenausgabe
policy-maximum-cards = Höchstzahl der Karten je Benutzer
policy-initialize-card = Karte initialisieren
policy-initialize-card-help = Die Ausgabe gibt der Karte im Leser des Servers einen eigenen Administratorschlüssel und eine PIN.
policy-require-tags = Schlagworte verlangen
policy-require-tags-help = Eine Karte ohne Schlagwort wird nicht ausgegeben; schon ausgegebene Karten bleiben, wie sie sind.
policy-lock-card = Karte sperren
policy-lock-card-help = Die Karte wird gesperrt ausgegeben; ihr Benutzer entsperrt sie und setzt so die erste PIN. Braucht Karte initialisieren und schließt Zufällige Benutzer-PIN setzen aus.
policy-random-pin = Zufällige Benutzer-PIN setzen
policy-random-pin-help = Sonst bekommt die Karte die Standard-PIN ihres Typs. Braucht Karte initialisieren. Die PIN wird einmal gezeigt.
policy-random-length = Länge der zufälligen PIN
policy-random-groups = Zeichen der zufälligen PIN
policy-random-digits = Ziffern
policy-random-upper = Großbuchstaben
policy-random-lower = Kleinbuchstaben
policy-random-special = Sonderzeichen
policy-random-forbidden = Verbotene Zeichen
policy-random-forbidden-help = Höchstens 16. Kein Zeichen kommt in einer zufälligen PIN zweimal vor.
policy-card-initialization = Karteninitialisierung
policy-pin-tries = Höchstzahl der PIN-Versuche
policy-pin-tries-help = Leer: so viele, wie die Karte hat. Mit Karte initialisieren wird sie auf die Karte geschrieben, wenn diese einen Befehl dafür hat. Eine Karte, die eine andere Zahl erlaubt, wird nicht ausgegeben, ebenso wenig eine, die in keinem Leser des Servers ist. Schon ausgegebene Karten behalten ihre. Ein YubiKey bekommt dabei PIN und PUK des Herstellers; beide werden neu gesetzt, und die neue PUK wird einmal gezeigt.
policy-administrator-permissions = Rechte der Administratoren
policy-reset-user-pin = Benutzer-PIN zurücksetzen
policy-reset-user-pin-help = Operatoren setzen die Standard-PIN einer Karte oder beauftragen den Arbeitsplatz, der die Karte hat.
policy-unblock-offline = Karte offline entsperren
policy-unblock-offline-help = Aus: Niemand bekommt eine Antwort, weder Operatoren noch Benutzer im Remote Self-Service. Online-Entsperren geht weiter.
policy-validate-answers = Antworten auf Sicherheitsfragen prüfen
policy-validate-answers-help = Operatoren fragen, bevor sie eine Antwort bekommen. Ohne Karte offline entsperren bewirkt es nichts. Online-Entsperren fragt immer.
policy-allow-self = Operatoren dürfen eigene Karten entsperren
policy-user-permissions = Rechte der Benutzer
policy-set-answers = Antworten auf Sicherheitsfragen im Self-Service setzen
policy-set-answers-help = Aus: Antworten bleiben, wie sie sind. Wer keine hat, kann keine Karte online entsperren.
policy-unlock-remote = Karte im Remote Self-Service entsperren
policy-unlock-remote-help = Aus: Benutzer bekommen dort keine Antwort. Ohne Karte offline entsperren bewirkt es nichts.
policy-disable-card = Karte abschalten
policy-disable-card-help = Im Self-Service und Remote Self-Service: Eine verlegte Karte wird nicht entsperrt, solange sie abgeschaltet ist.
policy-enable-card = Karte einschalten
policy-enable-card-help = Im Self-Service und Remote Self-Service: Der Benutzer bringt eine abgeschaltete Karte wieder in Gebrauch.
policy-revoke-card = Karte widerrufen
policy-revoke-card-help = Im Self-Service und Remote Self-Service: Der Benutzer nimmt eine verlorene, defekte oder bekannt gewordene Karte endgültig außer Gebrauch.
policy-change-pin = PIN ändern
policy-change-pin-help = Im Self-Service: einer Karte in einem Leser des Servers, für ihre alte PIN.
policy-security-questions = Sicherheitsfragen
policy-questions-to-ask = Zahl der Fragen
policy-questions-to-ask-more = Nur { $count } sind da: Legen Sie zuerst mehr an.
policy-maximum-retry = Höchstzahl falscher Antworten
policy-maximum-retry-help = Nach so vielen falschen Antworten in Folge wird der Benutzer gesperrt.
policy-count-operator = Falsche Antworten, die Operatoren eingeben, zählen
policy-captcha = CAPTCHA im Remote Self-Service
policy-captcha-help = Wer dort einen Namen sagt, gibt Buchstaben ein, die gezeigt werden und zu hören sind. Noch ist dann niemand bekannt: Die Einstellung der Richtlinie Default gilt für alle.
policy-own-title = Eigene Fragen der Benutzer
policy-own-questions = Zahl der eigenen Fragen
policy-own-questions-help = So viele kann ein Benutzer im Self-Service schreiben. Nur Operatoren stellen sie, wenn sie Antworten prüfen, neben den anderen; 0 heißt keine.
policy-own-question-length = Mindestlänge einer eigenen Frage
policy-own-answer-length = Mindestlänge der Antwort auf eine eigene Frage
policy-no-questions = Noch keine: Benutzer können keine Antworten setzen, und Online-Entsperren ist nicht möglich.
question-text = Frage
question-minimum = Mindestlänge der Antwort
question-create = Sicherheitsfrage anlegen
question-edit = Ändern
question-down = Nach unten
question-moved = Die Reihenfolge der Fragen ist geändert; in ihr werden sie gestellt.
questions-order = In dieser Reihenfolge stehen sie da und werden am Sperrbildschirm und von Operatoren gestellt. Der Remote Self-Service fragt jeden Namen in einer eigenen Reihenfolge.
question-delete-ask = Sie kann gelöscht werden, solange niemand sie beantwortet hat.
question-added = Die Frage ist da.
question-changed = Die Frage ist geändert; Antworten darauf bleiben.
question-deleted = Die Frage ist gelöscht.
types-name = Typ
types-cipher = Verfahren des Administratorschlüssels
types-pin = Standard-PIN
types-pin-hidden = Ihrer Rolle nicht gezeigt
types-new = Neuer Kartentyp
types-create = Kartentyp anlegen
type-added = Der Kartentyp ist da.
type-changed = Der Kartentyp ist geändert. Karten behalten die PIN, die sie haben.
type-deleted = Der Kartentyp ist gelöscht.
type-delete-ask = Keine Karte hat ihn. Er wird endgültig gelöscht.
types-change-say = Die PIN gilt für das, was ab dann ausgegeben oder zurückgesetzt wird; Karten behalten die, die sie haben.
types-cipher-stays = Karten haben diesen Typ: Das Verfahren ihrer Schlüssel bleibt.
types-delete-not = Ein Kartentyp kann gelöscht werden, solange keine Karte ihn hat.
roles-say = Ein Operator ohne Rolle kann nichts. Änderungen gelten ab dem nächsten Schritt.
roles-everywhere = Für alle Richtlinien
roles-somewhere = Für einige Richtlinien
roles-policies = Richtlinien
roles-policies-hint = Keine: alle.
roles-privileges = Rechte
roles-own = Dies ist Ihre eigene Rolle: Ein anderer Administrator ändert sie.
roles-new = Neue Rolle
roles-new-hint = Sie erlaubt nichts, bis sie Rechte bekommt.
roles-create = Rolle anlegen
role-name = Name der Rolle
role-saved = Die Rolle { $name } ist gespeichert; sie gilt ab jetzt.
role-deleted = Die Rolle ist gelöscht.
role-delete-ask = Niemand hat sie. Das lässt sich nicht zurücknehmen.
role-delete-not = Eine Rolle wird gelöscht, wenn niemand sie hat.
operators-name = Name
operators-role = Rolle
operators-role-of = Rolle von { $name }
operators-new = Neuer Operator
operators-password = Kennwort, 8 Zeichen oder mehr
operators-user = Anmeldename des Benutzers im Verzeichnis, der dies ist, wenn es ihn gibt
operators-add = Operator anlegen
operators-you = Das sind Sie: Ein anderer Administrator ändert Ihre Rolle.
operator-added = Operator { $name } ist angelegt.
operator-role-saved = Die Rolle gilt ab jetzt.
operators-new-password = Neues Passwort, 8 Zeichen oder mehr; leer: wie es ist
operator-changed = Der Operator ist geändert; mit einem neuen Passwort sind offene Anmeldungen beendet.
operator-delete-ask = Der Operator kann sich nicht mehr anmelden, und offene Anmeldungen enden. Das Protokoll behält den Namen. Das lässt sich nicht zurücknehmen.
operator-deleted = Der Operator ist gelöscht.
privilege-view-user = Benutzer finden und sehen
privilege-unlock-user = Benutzer entsperren
privilege-reset-questions = Sicherheitsfragen zurücksetzen
privilege-view-cards = Kartenbestand sehen
privilege-unlock-card = Karten entsperren
privilege-reset-pin = PINs von Benutzern zurücksetzen
privilege-issue-card = Karten aufnehmen, zuweisen und ausgeben
privilege-enable-card = Karten einschalten
privilege-disable-card = Karten abschalten
privilege-revoke-card = Karten widerrufen und einziehen
privilege-view-log = Protokoll sehen
privilege-view-policy = Richtlinien sehen
privilege-change-policy = Richtlinien, Fragen, Benutzer und Kartentypen ändern
privilege-change-roles = Rollen und ihre Mitglieder ändern

## Neuer Benutzer
new-user-logon = Anmeldename
new-user-logon-hint = DOMÄNE\Name
new-user-upn = User Principal Name
new-user-upn-hint = name@domäne
new-user-cn = Name
new-user-password = Kennwort für den Self-Service, 8 Zeichen oder mehr
new-user-policy = Richtlinie
new-user-add = Benutzer anlegen
new-user-added = Benutzer { $name } ist angelegt.
clashes-title = Namen, die mehr als einer hat
clashes-say = Jeder von ihnen meldet sich mit dem Namen genau so an, wie er im Verzeichnis steht, und in keiner anderen Schreibweise.
clashes-operators = (Operatoren)
clashes-also = im Protokoll nicht zu unterscheiden vom Operator
clashes-fixed-say = Jede ist von den anderen nur durch ihre Schreibweise unterschieden, und keine weitere wird so heißen. Legen Sie eine unter einem anderen Namen an, und löschen Sie die alte, wenn nichts mehr an ihr hängt.
clashes-settings-say = Jeder ist von den anderen nur durch seine Schreibweise unterschieden, und kein weiterer wird so heißen. Geben Sie einem einen anderen Namen, oder löschen Sie ihn, wenn nichts an ihm hängt.

## Arten von Ereignissen, zum Filtern
kind-ADMIN_KEY_BLOCKED = Administratorschlüssel gesperrt
kind-ADMIN_KEY_CORRECTED = Administratorschlüssel berichtigt
kind-ADMIN_KEY_NOT_CORRECTED = Administratorschlüssel nicht berichtigt
kind-ADMIN_KEY_NOT_ROLLED = Administratorschlüssel nicht erneuert
kind-ADMIN_KEY_ROLLED = Administratorschlüssel erneuert
kind-ANSWERS_NOT_RESET = Antworten nicht zurückgesetzt
kind-ANSWERS_NOT_SET = Antworten nicht gesetzt
kind-ANSWERS_RESET = Antworten zurückgesetzt
kind-ANSWERS_RIGHT = Antworten richtig
kind-ANSWERS_SET = Antworten gesetzt
kind-ANSWERS_WRONG = Antworten falsch
kind-CARD_ADDED = Karte aufgenommen
kind-CARD_GONE = Karte entfernt
kind-CARD_INITIALIZED = Karte initialisiert
kind-CARD_NOT_ADDED = Karte nicht aufgenommen
kind-CARD_NOT_INITIALIZED = Karte nicht initialisiert
kind-CARD_NOT_REMOVED = Karte nicht gelöscht
kind-CARD_REFUSED_RESPONSE = Karte lehnte Antwort ab
kind-CARD_TAGS_CHANGED = Schlagworte einer Karte geändert
kind-CARD_TAGS_NOT_CHANGED = Schlagworte einer Karte nicht geändert
kind-CARD_REMOVED = Karte gelöscht
kind-CARD_STATE_CHANGED = Kartenzustand geändert
kind-CARD_STATE_NOT_CHANGED = Kartenzustand nicht geändert
kind-CARD_UNLOCKED = Karte entsperrt
kind-LOGGED_IN = Angemeldet
kind-LOGGED_OUT = Abgemeldet
kind-LOGIN_FAILED = Anmeldung misslungen
kind-NOT_LET_IN = Nicht zugelassen
kind-PIN_BLOCK_SEEN = PIN-Sperre gesehen
kind-PIN_CHANGED = PIN geändert
kind-PIN_NOT_CHANGED = PIN nicht geändert
kind-PIN_NOT_RESET = PIN nicht zurückgesetzt
kind-PIN_RESET = PIN zurückgesetzt
kind-PIN_WRONG_SEEN = Falsche PIN gesehen
kind-POLICY_CHANGED = Richtlinie geändert
kind-POLICY_NOT_CHANGED = Richtlinie nicht geändert
kind-QUESTION_CHANGED = Frage geändert
kind-QUESTION_NOT_CHANGED = Frage nicht geändert
kind-RATE_LIMITED = Zu oft
kind-REPORT_UNCONFIRMED = Meldung, die niemand bestätigt hat
kind-RESPONSE_GIVEN = Antwort gegeben
kind-RESPONSE_REFUSED = Antwort verweigert
kind-ROLE_CHANGED = Rolle geändert
kind-ROLE_NOT_CHANGED = Rolle nicht geändert
kind-TASK_CANCELLED = Aufgabe abgebrochen
kind-TASK_CANCELLED_BY_USER = Aufgabe vom Benutzer verschoben
kind-TASK_NOT_CANCELLED = Aufgabe nicht abgebrochen
kind-TASK_NOT_ORDERED = Aufgabe nicht beauftragt
kind-TASK_ORDERED = Aufgabe beauftragt
kind-UNLOCK_OPENED = Entsperren begonnen
kind-USER_ADDED = Benutzer angelegt
kind-USER_CORRECTED = Daten des Benutzers berichtigt
kind-USER_LOCKED = Benutzer gesperrt
kind-USER_NOT_ADDED = Benutzer nicht angelegt
kind-USER_NOT_CORRECTED = Daten des Benutzers nicht berichtigt
kind-USER_NOT_UNLOCKED = Benutzer nicht entsperrt
kind-USER_POLICY_CHANGED = Richtlinie des Benutzers geändert
kind-USER_POLICY_NOT_CHANGED = Richtlinie des Benutzers nicht geändert
kind-USER_STATE_CHANGED = Benutzerzustand geändert
kind-USER_STATE_NOT_CHANGED = Benutzerzustand nicht geändert
kind-USER_UNLOCKED = Benutzer entsperrt

## Was abgelehnt wird. Ohne Punkt am Ende: Die Seite setzt ihn.
refused-json-wanted = Senden Sie JSON, mit 'Content-Type: application/json'
refused-nul = Ein Text hat das Zeichen U+0000, das niemand tippt
refused-bearer = Senden Sie 'Authorization: Bearer TOKEN'; POST /api/v1/login gibt eines
refused-host = Unter diesem Namen kennt man den Server nicht; `serve --name NAME` gibt ihm einen
refused-address = Eine Adresse ist UTF-8, ohne das Zeichen U+0000
refused-other-site = Eine Seite einer anderen Website hat Ihren Browser danach fragen lassen; nichts ist geschehen. Wenn Sie es wollen, öffnen Sie diese Website selbst und tun Sie es hier
refused-too-slow = Die Anfrage kam nicht rechtzeitig zu ihrem Ende
refused-database-late = Die Datenbank des Servers antwortet nicht rechtzeitig
refused-method = So wird das nicht gefragt; /api/openapi.json sagt, wie
refused-method-page = Diese Adresse nimmt kein solches Formular an; öffnen Sie ihre Seite neu
refused-form-of-login = Dieses Formular kam nicht von einer Seite dieser Anmeldung; öffnen Sie die Seite neu
refused-form-of-session = Dieses Formular kam nicht von einer Seite dieser Sitzung; beginnen Sie neu
refused-log-in-first = Melden Sie sich zuerst an
refused-cursor = cursor ist keiner dieser Liste in dieser Reihenfolge; beginnen Sie ohne
refused-logon = Ein Anmeldename ist DOMÄNE\Name
refused-upn = Ein UPN ist name@domain
refused-mail = Eine Mailadresse ist name@domain, ohne Leerzeichen und Zeichen wie < > , ;
refused-phone = Eine Telefonnummer hat 2 bis 30 Ziffern, Leerzeichen und die Zeichen + - ( ) / . # *, mit x vor einer Durchwahl
refused-lock-and-random = Karte sperren schließt Zufällige Benutzer-PIN setzen aus: Eine gesperrte Karte hat keine PIN, die jemand kennt
refused-needs-initialize = Karte sperren und Zufällige Benutzer-PIN setzen brauchen Karte initialisieren: Sie werden auf die Karte geschrieben
refused-database-text = Ein Text hat ein Zeichen, das die Datenbank nicht speichern kann
refused-database-read-only = Die Datenbank des Servers nimmt jetzt keine Änderungen an, sie ist schreibgeschützt: Heben Sie das auf und versuchen Sie es noch einmal
refused-database-full = Die Platte der Datenbank des Servers ist voll: Machen Sie dort Platz und versuchen Sie es noch einmal; was geschrieben werden sollte, ist es nicht
refused-database-unreachable = Der Server erreicht seine Datenbank nicht; versuchen Sie es später noch einmal
refused-card-without-user = Die Karte hat keinen Benutzer
refused-card-user-inactive = Der Benutzer der Karte ist im Verzeichnis nicht aktiv
refused-no-policy-holds = Für den Benutzer der Karte gilt keine Richtlinie
refused-no-key-to-unlock = Der Server hat keinen Administratorschlüssel dieser Karte: Tragen Sie ihn mit Administratorschlüssel berichtigen ein, oder geben Sie die PIN an der Karte frei, wenn sie einen PUK hat
refused-user-locked = Der Benutzer ist nach falschen Antworten gesperrt; entsperren Sie ihn zuerst
refused-user-inactive = Der Benutzer ist im Verzeichnis nicht aktiv
refused-no-answers = Der Benutzer hat keine Antworten gesetzt: Er setzt sie im Self-Service, oder ihre Prüfung wird abgeschaltet
refused-not-in-remote = Ihre Karten werden nicht im Remote Self-Service entsperrt; fragen Sie Ihren Operator
refused-answers-not-here = Antworten werden hier nicht im Self-Service gesetzt; fragen Sie Ihren Operator
refused-not-in-self-service = Das geht hier nicht im Self-Service; fragen Sie Ihren Operator
refused-card-not-in-use = Die Karte ist nicht in Gebrauch; ihre PIN bleibt, wie sie ist
refused-pin-change = PINs werden hier nicht im Self-Service geändert; ändern Sie sie dort, wo die Karte benutzt wird
refused-pin-reset = Benutzer-PIN zurücksetzen ist in der Richtlinie der Karte abgeschaltet
refused-not-asked = Eine Antwort gehört zu einer Frage, die nicht gestellt wurde
refused-serial = Eine Seriennummer besteht aus 2 bis 64 Hexadezimalziffern in Paaren
refused-atr = Ein Answer to Reset besteht aus Hexadezimalziffern in Paaren, höchstens 33 Bytes
refused-key-changed = Der Schlüssel der Karte wurde inzwischen geändert; sehen Sie sich die Karte noch einmal an
refused-key-hexadecimal = Ein Administratorschlüssel ist hexadezimal
refused-key-and-none = Eine Karte hat einen Administratorschlüssel oder keinen
refused-key-missing = geben Sie den Administratorschlüssel ein, oder wählen Sie einen anderen
refused-captcha-not-drawn = Die Buchstaben konnten nicht gezeichnet werden; laden Sie die Seite neu
refused-captcha = Tippen Sie die Buchstaben des Bildes; wenn man sie nicht lesen kann, gibt es andere
refused-default-pin = Eine Standard-PIN hat 4 bis 31 druckbare ASCII-Zeichen
refused-card-type-there = Einen Kartentyp dieses Namens gibt es schon
refused-card-type-changed = { $name } hat diesen Kartentyp inzwischen geändert; sehen Sie an, was jetzt gespeichert ist, und ändern Sie noch einmal
refused-card-type-in-use = Karten haben diesen Typ: { $count }; er kann gelöscht werden, wenn ihn keine hat
refused-cipher-in-use = Karten haben diesen Typ: { $count }; das Verfahren ihrer Schlüssel bleibt, legen Sie also einen anderen Typ an
refused-role-there = Eine Rolle dieses Namens gibt es schon
refused-role-in-use = Operatoren haben diese Rolle: { $count }; geben Sie ihnen zuerst eine andere
refused-role-changed = { $name } hat diese Rolle inzwischen geändert; sehen Sie an, was jetzt gespeichert ist, und ändern Sie noch einmal
refused-oneself = Dieser Operator sind Sie: ein anderer Administrator ändert und löscht Sie
refused-card-there = Eine Karte mit dieser Seriennummer ist schon aufgenommen
refused-tag = Ein Schlagwort hat 1 bis { $most } Zeichen in einer Zeile und kein Komma
refused-tags-most = Eine Karte hat höchstens { $most } Schlagworte; entfernen Sie zuerst eines
refused-tag-first = Die Karte hat kein Schlagwort, und ihre Richtlinie verlangt eines, bevor eine Karte ausgegeben wird; geben Sie ihr zuerst eines
refused-card-was-issued = Die Karte war ausgegeben und bleibt deshalb im Bestand; widerrufen Sie sie, um sie außer Gebrauch zu nehmen
refused-session-over = Diese Sitzung zum Entsperren ist vorbei; beginnen Sie neu
refused-session-over-operator = Diese Sitzung zum Entsperren ist vorbei; ein Operator kann helfen
refused-key-of-another-master = Der Administratorschlüssel der Karte lässt sich mit dem Hauptschlüssel dieses Servers nicht öffnen
refused-questions-answered = Die Fragen dieser Sitzung sind beantwortet
refused-questions-answered-again = Die Fragen dieser Sitzung sind beantwortet; beginnen Sie neu
refused-questions-first = Die Fragen kommen vor der Anfrage
refused-card-of-another = Die Karte gehört jetzt einem anderen Benutzer
refused-nothing-to-report = Diese Sitzung hat nichts zu melden
refused-another-challenge = Diese Sitzung hat eine andere Anfrage beantwortet; beginnen Sie neu
refused-another-atr = Die Karte hat einen anderen Answer to Reset als den, der aufgenommen ist
refused-answer-first = Beantworten Sie zuerst die Fragen
refused-answers-first = Die Antworten des Benutzers kommen vor der Anfrage
refused-check-code = Anfrage und Prüfzeichen gehören nicht zusammen: Eine Ziffer ist falsch; lassen Sie noch einmal vorlesen
refused-own-card = Operatoren entsperren keine eigenen Karten; benutzen Sie den Self-Service oder fragen Sie einen Kollegen
refused-card-has-another-user = Die Karte hat jetzt einen anderen Benutzer; beginnen Sie neu
refused-policy-changed-issue = Die Richtlinie wurde inzwischen geändert; geben Sie die Karte noch einmal aus
refused-no-key-to-write = Der Server hat keinen Administratorschlüssel dieser Karte; auf sie kann nichts geschrieben werden
refused-cut-off = Die Arbeit des Lesers wurde abgebrochen; sehen Sie sich die Karte an und versuchen Sie es noch einmal
refused-login = Name oder Passwort ist falsch
refused-master-key = Diese Datenbank gehört zu einem anderen Hauptschlüssel: Geben Sie den an, mit dem sie angelegt wurde
refused-no-readers = Dieser Server hat keine Leser: Starten Sie `cardlab serve --readers` auf dem Rechner, der sie hat
refused-policy-there = Eine Richtlinie dieses Namens gibt es schon
refused-policy-default = die Richtlinie Default steht durch ihren Namen für die, für die keine gilt; sie behält ihn
refused-policy-changed = { $name } hat diese Richtlinie inzwischen geändert; sehen Sie an, was jetzt gespeichert ist, und ändern Sie noch einmal
refused-policy-first = Diese Richtlinie ist schon die erste
refused-policy-in-use = Unter dieser Richtlinie sind Benutzer oder Karten; geben Sie denen zuerst eine andere
refused-question-in-use = Benutzer haben diese Frage beantwortet; sie kann gelöscht werden, wenn niemand sie benutzt
refused-question-changed = { $name } hat diese Frage inzwischen geändert; sehen Sie an, was jetzt gespeichert ist, und ändern Sie noch einmal
refused-question-first = Diese Frage ist schon die erste
refused-answer-length = Eine Mindestlänge der Antwort ist 1 bis 50
refused-question-there = Diese Richtlinie stellt diese Frage schon
refused-say-why = Sagen Sie, warum: Die Karte ist verloren oder defekt, oder jemand anders kennt vielleicht ihre PIN
refused-answers-changed = Ihre Antworten haben sich inzwischen geändert; sehen Sie an, was gesetzt ist, und versuchen Sie es noch einmal
refused-answer-set-already = Jede Frage hat eine eigene Antwort: Eine von diesen ist schon gesetzt
refused-no-questions = Es gibt keine Sicherheitsfragen: Ein Administrator legt sie zuerst an
refused-no-such-question-answered = Eine Antwort gehört zu einer Frage, die es nicht gibt
refused-nothing-typed = Es wurde nichts getippt
refused-no-own-questions = Ihre Richtlinie lässt keine eigenen Fragen zu
refused-own-questions-most = Sie können { $most } eigene Fragen haben; löschen Sie zuerst eine
refused-own-question-short = Eine eigene Frage hat mindestens { $least } Zeichen, nicht { $length }
refused-own-question-there = Diese Frage gibt es schon; schreiben Sie eine andere
refused-own-role = Ihre eigene Rolle ändert ein anderer Administrator
refused-last-administrator = Niemand könnte mehr Rollen ändern; geben Sie jemandem zuerst dieses Recht
refused-task-there = Die PIN dieser Karte soll schon zurückgesetzt werden; nehmen Sie diesen Auftrag zuerst zurück
refused-no-policy = Ein Benutzer ist unter mindestens einer Richtlinie
refused-busy = Der Server ist beschäftigt; versuchen Sie es gleich noch einmal
refused-password = Ein Passwort hat 8 bis 200 Zeichen
refused-stopping = Der Server hält an
refused-database-url = Das ist keine Datenbank: Schreiben Sie sqlite:DATEI, sqlite::memory: oder postgres://...
refused-database-busy = Die Datenbank des Servers ist beschäftigt; versuchen Sie es später noch einmal
refused-too-long = Eine Anfrage hat höchstens { $most } Bytes
refused-form-too-long = Was gesendet wurde, ist länger als ein Formular sein darf, nämlich { $most } Bytes im Ganzen: Gehen Sie zurück, kürzen Sie den längsten Text und senden Sie es noch einmal; nichts wurde getan
refused-read = Was gesendet wurde, kann nicht gelesen werden: { $why }
refused-value = '{ $text }' gibt es hier nicht ({ $field })
refused-choice = '{ $text }' steht hier nicht zur Wahl
refused-no-json = Das ist kein JSON: { $why }
refused-body = Das ist nicht, wonach hier gefragt wird: { $why }
refused-disk-full = Die Platte der Datenbank { $place } des Servers ist voll: Machen Sie dort Platz und versuchen Sie es noch einmal; nichts wurde geschrieben
refused-no-number = '{ $text }' ist keine Zahl für { $setting }
refused-operation = Die Karte ist { $state }; das geht mit Karten, die { $states } sind
refused-cipher = Kein Verfahren '{ $cipher }'; es gibt: { $known }
refused-day = '{ $day }' ist kein Tag; ein Tag wird 2026-11-24 geschrieben
refused-limit = limit ist 1 bis { $most }
refused-moment = Eine Zeit ist in Millisekunden seit 1970, 0 bis { $latest } (das Jahr 9999)
refused-times = Der Anfang liegt nach dem Ende: Dazwischen liegt nichts
refused-name-missing = { $what } fehlt
refused-name-long = { $what } hat höchstens { $most } Zeichen, nicht { $length }
refused-name-line = { $what } steht in einer Zeile aus Buchstaben und Zeichen; { $sign } ist keines
refused-name-unseen = { $what } enthält { $sign }, und dort sieht das niemand: Entfernen Sie dieses Zeichen, oder tippen Sie alles neu, statt es einzufügen
refused-name-path = { $what } steht in Adressen: ohne / und \, und nicht . oder ..; geben Sie einen anderen
refused-name-policy = Der Name einer Richtlinie
refused-name-question = Eine Frage
refused-name-logon = Ein Anmeldename
refused-name-upn = Ein UPN
refused-name-user = Ein Name
refused-name-mail = Eine Mailadresse
refused-name-phone = Eine Telefonnummer
refused-name-card-type = Der Name eines Kartentyps
refused-name-role = Der Name einer Rolle
refused-name-operator = Der Name eines Operators
refused-name-tag = Ein Schlagwort
refused-name-label = Die Bezeichnung einer Karte
refused-setting = { $setting } ist { $value }; möglich ist { $from } bis { $to }
refused-random-forbidden = Höchstens { $most } Zeichen sind in einer zufälligen PIN verboten
refused-random-groups = Kein Zeichen kommt in einer zufälligen PIN zweimal vor, so dass diese Gruppen höchstens { $found } geben, nicht { $length }
refused-not-unlocked = Die Karte ist { $state }; nur ausgegebene Karten werden entsperrt
refused-offline = Karte offline entsperren ist in der Richtlinie '{ $policy }' abgeschaltet
refused-answers-count = { $asked } Fragen wurden gestellt, { $given } Antworten kamen
refused-answer-longest = Eine Antwort hat 1 bis { $longest } Zeichen
refused-key-length = { $cipher }-Schlüssel haben { $length } Bytes, nicht { $found }
refused-work = Der Server konnte das nicht ausführen: { $why }
refused-by-card = Die Karte oder ihr Leser sagt: { $said }
refused-only-issued = Die Karte ist { $state }; das geht mit ausgegebenen Karten
refused-reason-longest = Ein Grund hat höchstens { $longest } Zeichen
refused-cards-most = Der Benutzer hat schon { $maximum } Karten, so viele, wie die Richtlinie erlaubt
refused-digits = { $what } hat { $length } Hexadezimalziffern
refused-digits-challenge = Der SHA-256 einer Anfrage
refused-digits-status = Ein Statuswort
refused-privilege = Ihre Rolle hat hier das Recht „{ $privilege }“ nicht
refused-several = Mehrere Benutzer heißen '{ $text }'; schreiben Sie den Anmeldenamen
refused-several-cards = Mehrere Karten sind '{ $text }'; schreiben Sie die Seriennummer einer von ihnen: { $cards }
refused-filters = Die Adresse fragt nach etwas, das diese Liste nicht hat, oder zweimal nach demselben; nehmen Sie die Felder der Seite
refused-questions-defined = Zahl der Fragen ist { $asked }, angelegt sind { $defined }; legen Sie zuerst mehr an
refused-questions-left = Die Richtlinie stellt { $asked } Fragen, und { $left } würden bleiben; lassen Sie sie zuerst weniger stellen
refused-answer-characters = '{ $question }': Eine Antwort hat { $least } bis { $most } Zeichen, nicht { $length }
refused-answer-in-question = '{ $question }': Die Antwort steht in der Frage
refused-answer-twice = '{ $question }': Jede Frage hat eine eigene Antwort
refused-answers-least = Beantworten Sie mindestens { $least } Fragen
refused-operator-program = '{ $name }' steht im Protokoll für ein Programm; geben Sie einen anderen Namen
refused-operator-there = Einen Operator '{ $name }' gibt es schon
refused-operator-changed = { $name } hat diesen Operator inzwischen geändert; sehen Sie an, was jetzt gespeichert ist, und ändern Sie noch einmal
refused-operator-user = Ein Benutzer heißt '{ $name }', und das Protokoll könnte nicht sagen, wer von beiden etwas tat; geben Sie einen anderen Namen, oder machen Sie diesen Benutzer zum Operator
refused-user-changed = { $name } hat die Daten dieses Benutzers inzwischen geändert; sehen Sie an, was jetzt gespeichert ist, und ändern Sie noch einmal
refused-user-policies-changed = { $name } hat diesen Benutzer inzwischen unter andere Richtlinien gestellt; sehen Sie an, was jetzt gespeichert ist, und ändern Sie noch einmal
refused-user-there = Einen Benutzer '{ $name }' gibt es schon
refused-user-operator = Ein Operator heißt '{ $name }', und das Protokoll könnte nicht sagen, wer von beiden etwas tat; geben Sie einen anderen Namen
refused-name-taken = Der Name „{ $name }“ ist vergeben; geben Sie einen anderen
refused-task-state =
    { $state ->
        [Completed] Der Auftrag ist schon erledigt
        [Error] Der Auftrag ist schon gescheitert
        [Cancelled] Der Auftrag ist schon zurückgenommen
       *[other] Der Auftrag ist schon { $state }
    }
refused-too-often =
    { $minutes ->
        [one] Zu viele { $what }; versuchen Sie es in einer Minute noch einmal
       *[other] Zu viele { $what }; versuchen Sie es in { $minutes } Minuten noch einmal
    }
refused-database-at = Datenbank { $name }: { $why }
refused-database-value = Die Datenbank hat in { $column } etwas, das diese Version nicht kennt: { $why }
refused-database-name = Die Datenbank hat '{ $found }' in { $column }, das diese Version nicht kennt
refused-challenge-digit =
    Anfrage: '{ $found }' an Stelle { $place } ist keine Ziffer des Codes, nur 0 bis 9 und A bis F{ $found ->
        [O] ; ist es die Ziffer 0?
        [o] ; ist es die Ziffer 0?
        [I] ; ist es die Ziffer 1?
        [l] ; ist es die Ziffer 1?
        [L] ; ist es die Ziffer 1?
        [i] ; ist es die Ziffer 1?
        [S] ; ist es die Ziffer 5?
        [s] ; ist es die Ziffer 5?
       *[other] { "" }
    }
refused-challenge-length = Anfrage: { $found } Ziffern, aber der Code hat { $expected }
refused-challenge-zeros = Anfrage: Eine aus lauter Nullen gibt keine Karte

## Was es nicht gibt
no-such-card = Diese Karte gibt es nicht
no-such-own-card = Eine solche Karte haben Sie nicht
no-such-card-type = Diesen Kartentyp gibt es nicht
no-such-user-action = Diese Aktion gibt es nicht; es gibt: unlock, reset-answers, enable, disable
no-such-action = Diese Aktion gibt es nicht
no-such-operation = Diese Operation gibt es nicht
no-such-operator = Diesen Operator gibt es nicht
no-such-page = Diese Seite gibt es nicht
no-such-picture = Dieses Bild gibt es nicht
no-such-policy = Diese Richtlinie gibt es nicht
no-such-question = Diese Frage gibt es nicht
no-such-role = Diese Rolle gibt es nicht
no-such-task = Diesen Auftrag gibt es nicht
no-such-user = Diesen Benutzer gibt es nicht

## Was gezählt wird: zu viele davon
limit-of-card-responses = Antworten für diese Karte
limit-of-operator-responses = Antworten dieses Operators
limit-of-card-sessions = Sitzungen zum Entsperren dieser Karte von dieser Adresse
limit-of-address-sessions = Sitzungen zum Entsperren von dieser Adresse
limit-of-address-ways = Fragen nach offenen Wegen von dieser Adresse
limit-of-address-reports = Meldungen von dieser Adresse
limit-of-card-reports = Meldungen dieser Karte von dieser Adresse
limit-of-response-reports = Meldungen dieser Antwort
limit-of-own-answers = Antworten, die dieser Benutzer gesetzt hat
limit-of-user-answers = getippte Antworten für diesen Benutzer
limit-of-name-logins = fehlgeschlagene Anmeldungen unter diesem Namen
limit-of-address-logins = fehlgeschlagene Anmeldungen von dieser Adresse
