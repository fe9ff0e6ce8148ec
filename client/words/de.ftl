# Was ein Sperrbildschirm und das Entsperrwerkzeug sagen, auf Deutsch. Syntax: projectfluent.org.
# Sätze enden mit einem Punkt; was gedrückt wird, heißt wie auf seinem Knopf.

## Knöpfe und Felder
sign-in = Anmelden
answer-questions = Fragen beantworten
check-answers = Antworten prüfen
unlock = Entsperren
use-puk = Mit der PUK entsperren
sure = Die letzte Antwort verwenden
sure-puk = Den letzten Versuch verwenden
all-the-same = Trotzdem eine neue PIN setzen
cancel = Abbrechen
ok = OK
lock-again = Wieder sperren
try-again = Noch einmal versuchen
other-card = Eine andere Karte verwenden
response = Antwortdaten
challenge = Anfragedaten
confirm = Neue PIN bestätigen
puk = PUK
pin = PIN
operator = Rufen Sie den Service Desk an
or-questions = Oder beantworten Sie Ihre Sicherheitsfragen
new-pin-characters = Neue PIN, { $least } bis { $most } Zeichen
new-pin-digits = Neue PIN, { $least } bis { $most } Ziffern
rules-characters = { $least } bis { $most } Zeichen
rules-digits = { $least } bis { $most } Ziffern

## Die Seite allein
page-lock-screen = Sperrbildschirm
page-session = Karte entsperren
page-others = Andere Karten
page-read-it = Anfragedaten – lesen Sie sie vor:
page-check-code = Prüfzeichen
page-response = Was Ihnen vorgelesen wird
page-group = Antwortdaten, Gruppe { $count }
page-digit = „{ $digit }“ ist keine Ziffer eines Codes: nur 0 bis 9 und A bis F.
page-so-far = { $count } von { $all } Ziffern
page-too-many = Zu viele Ziffern: { $count } von { $all }
page-compare = Prüfzeichen { $code }. Vergleichen Sie sie mit denen, die Sie hören.
page-refused = Das geht nicht
page-back = Zurück zum Sperrbildschirm
page-no-such = Diese Seite gibt es nicht.
page-elsewhere = Der Sperrbildschirm ist nur für diesen Rechner: Öffnen Sie ihn unter 127.0.0.1 oder localhost.
page-too-long = Das ist zu lang: Ein Formular hat höchstens { $most } Bytes. An die Karte wurde nichts gesendet.
page-not-our-form = Dieses Formular ist nicht von der Seite des Sperrbildschirms; laden Sie sie noch einmal.
page-no-form = Dieses Formular hat der Sperrbildschirm nicht.

## Karten
card = Karte { $digits }
card-gids = GIDS-Karte
card-gids-new = GIDS-Karte, nicht initialisiert
card-piv = PIV-Karte
card-piv-managed = PIV-Karte, verwaltet
chip-looking = Wird angesehen.
chip-held = In Gebrauch durch ein anderes Programm.
chip-locked = Gesperrt.
chip-not-locked = Nicht gesperrt.
chip-not-locked-left =
    { $count ->
        [one] Nicht gesperrt, noch { $count } Versuch.
       *[other] Nicht gesperrt, noch { $count } Versuche.
    }
tries-left =
    { $count ->
        [one] Noch { $count } Versuch
       *[other] Noch { $count } Versuche
    }

## Überschriften
title-looking = Kartenleser werden gesucht
title-no-service = Es gibt keinen Kartenleser
title-insert = Stecken Sie Ihre Karte ein
title-choose = Wählen Sie Ihre Karte
title-choose-looking = Die Karte wird angesehen
title-choose-held = Die Karte ist in Gebrauch
title-choose-none = Diese Karte kann nicht verwendet werden
title-put-back = Stecken Sie die Karte wieder ein
title-put-back-card = Stecken Sie die Karte { $digits } wieder ein
title-pin = Smartcard
title-pin-name = Hallo, { $name }
title-welcome = Willkommen
title-welcome-name = Willkommen, { $name }
title-not-blocked = Ihre Karte ist nicht gesperrt
title-not-blocked-name = { $name }, Ihre Karte ist nicht gesperrt
title-locked = Ihre Karte ist gesperrt
title-locked-name = { $name }, Ihre Karte ist gesperrt
title-last-response = Dies ist die letzte Antwort, die die Karte annimmt
title-last-puk = Dies ist der letzte Versuch mit der PUK
title-task = Sie sollen eine neue PIN setzen
title-questions = Ihre Sicherheitsfragen
title-new-pin = Wählen Sie eine neue PIN
title-asking = Der Server wird gefragt
title-judging = Ihre Antworten werden geprüft
title-verifying = Ihre PIN wird geprüft
title-unlocking = Die Karte wird entsperrt
title-done = Die Karte ist entsperrt
title-no-pin = Diese Karte hat noch keine PIN
title-lost = Ihre Karte kann nicht mehr entsperrt werden
title-lost-name = { $name }, Ihre Karte kann nicht mehr entsperrt werden
title-no-task = Für diese Karte ist nichts zu tun

## Was darunter steht
pulled-out = Die Karte ({ $kind }) wurde herausgezogen. Jeder Leser ist recht.
pulled-out-of = Die Karte ({ $kind }) von { $name } wurde herausgezogen. Jeder Leser ist recht.
pin-right = Die PIN ist richtig.
pin-not-blocked = Die PIN ist nicht gesperrt. Es gibt nichts zu entsperren.
pin-not-blocked-left =
    { $count ->
        [one] Die PIN ist nicht gesperrt, noch { $count } Versuch. Es gibt nichts zu entsperren.
       *[other] Die PIN ist nicht gesperrt, noch { $count } Versuche. Es gibt nichts zu entsperren.
    }
last-response-lost = Eine falsche sperrt den Administratorschlüssel, und die Karte ist endgültig verloren.
last-response-compare = Vergleichen Sie die Prüfzeichen mit Ihrem Operator, bevor Sie sie verwenden.
last-puk-lost = Eine falsche sperrt die PUK, und die Karte ist endgültig verloren.
capitals = Groß- und Kleinschreibung zählen nicht.
answers-right = Ihre Antworten sind richtig.
moment = Einen Augenblick, bitte. Lassen Sie die Karte im Leser.
pin-set = Ihre neue PIN ist gesetzt.
remote-desktop = Auf dem Sperrbildschirm einer Remotedesktopverbindung kann keine Karte entsperrt werden.
remote-desktop-then = Entsperren Sie sie am Rechner selbst, oder melden Sie sich auf andere Weise an und entsperren Sie sie in der Sitzung.
no-task = Der Server hat keine Aufgabe für sie.
lost-key = Der Administratorschlüssel ist nach zu vielen falschen Antworten gesperrt. Lassen Sie sich eine andere Karte geben.
lost-puk = Die PUK ist nach zu vielen falschen Eingaben gesperrt. Lassen Sie sich eine andere Karte geben.
lost-both = Administratorschlüssel und PUK sind beide gesperrt. Lassen Sie sich eine andere Karte geben.
lost-not-initialised = Sie ist nicht initialisiert: Es gibt nichts zu entsperren.
wrongly-often = Die PIN wurde zu oft falsch eingegeben.
wrongly =
    { $count ->
        [one] Die PIN wurde falsch eingegeben.
        [2] Die PIN wurde zweimal falsch eingegeben.
        [3] Die PIN wurde dreimal falsch eingegeben.
        [4] Die PIN wurde viermal falsch eingegeben.
        [5] Die PIN wurde fünfmal falsch eingegeben.
       *[other] Die PIN wurde { $count }-mal falsch eingegeben.
    }
pin-blocked = Ihre PIN ist gesperrt.
offline-off = Das Entsperren mit einem Operator ist abgeschaltet (Karte offline entsperren).
offline-puk-only = Diese Karte wird mit ihrer PUK entsperrt.
offline-key-blocked = Ihr Administratorschlüssel ist nach zu vielen falschen Antworten gesperrt; mit der PUK geht es noch.
offline-leave = Lassen Sie die Karte im Leser: Der Code endet mit ihr.
offline-drawing = Die Karte macht einen Code.
offline-none = Zurzeit gibt es keinen Code.
lookalikes = Kyrillische Buchstaben wurden als die lateinischen gelesen, denen sie gleichen.
responses-left-key =
    { $count ->
        [one] Noch { $count } Antwort, dann ist der Administratorschlüssel gesperrt.
       *[other] Noch { $count } Antworten, dann ist der Administratorschlüssel gesperrt.
    }
responses-left-card =
    { $count ->
        [one] Noch { $count } Antwort, dann ist die Karte endgültig verloren.
       *[other] Noch { $count } Antworten, dann ist die Karte endgültig verloren.
    }
online-asking = Der Server wird gefragt, ob Sie Ihre Sicherheitsfragen beantworten können.
held = Ein anderes Programm verwendet die Karte in { $reader }. Es wird darauf gewartet.

## Was gerade geschah
card-reset = Ein anderes Programm hat die Karte zurückgesetzt; versuchen Sie es noch einmal.
puk-blocked = Die PUK ist gesperrt.
no-sense = Die Karte antwortet nichts, was einen Sinn ergibt. Ziehen Sie sie heraus und stecken Sie sie wieder ein.
response-wrong-last = Die Antwort war falsch, und es war die letzte: Der Administratorschlüssel ist gesperrt.
response-wrong-left =
    { $count ->
        [one] Die Antwort war falsch; noch { $count } Versuch. Der Code ist verbraucht. Hier ist ein neuer.
       *[other] Die Antwort war falsch; noch { $count } Versuche. Der Code ist verbraucht. Hier ist ein neuer.
    }
response-wrong = Die Antwort war falsch. Der Code ist verbraucht. Hier ist ein neuer.
dead-reset = Ein anderes Programm hat die Karte zurückgesetzt; ihr Code gilt nicht mehr. Hier ist ein neuer.
dead-other = Ein anderes Programm hat die Karte verwendet: Sie wartet nicht mehr auf diese Antwort. Es kostete keinen Versuch. Hier ist ein neuer Code.
dead-overtaken = Ein anderes Programm hat einen neuen Code von der Karte geholt: Der von vorher gilt nicht mehr. Wenn Sie es noch einmal versuchen, gilt der des anderen Programms nicht mehr.
dead-time = Zehn Minuten sind vorbei: Die Karte war für andere Programme frei. Hier ist ein neuer Code.
dead-removed = Die Karte wurde herausgezogen: Der Code von vorher gilt nicht mehr, und die Antwort darauf auch nicht.
unlocked-elsewhere = Ein anderes Programm hat die Karte entsperrt.
answers-wrong = Das ist nicht richtig. Versuchen Sie es noch einmal.
online-not = Für diese Karte können jetzt keine Fragen beantwortet werden; Ihr Operator kann helfen.
online-over = Das war zu oft falsch. Ihr Operator kann helfen.
session-over = Die Zeit zum Antworten ist vorbei. Sie können von vorn beginnen.
operator-helps = { $said } Ihr Operator kann helfen.
no-serial = Diese Karte hat keine Seriennummer, unter der der Server sie kennen könnte.
too-late = Das kam zu spät; sehen Sie noch einmal an, was gezeigt wird.
given-up = Abgebrochen. An die Karte wurde nichts gesendet.

## Was an dem Eingegebenen falsch ist
fault-pin-empty = Die PIN ist leer.
fault-pin-length = Eine PIN dieser Karte hat { $least } bis { $most } Zeichen, nicht { $found }.
fault-pin-digits = Eine PIN dieser Karte hat nur Ziffern.
fault-pin-ascii = Eine PIN hat nur Buchstaben, Ziffern und Zeichen der einfachen Tastatur (ASCII); andere kommen anderswo anders heraus.
fault-pin-confirmation = Die Bestätigung ist anders als die neue PIN.
fault-pin-card = Die Karte lehnt diese PIN nach eigenen Regeln ab; wählen Sie eine andere.
fault-puk-length = Eine PUK hat 6 bis 8 Zeichen.
fault-code-digit =
    „{ $digit }“ an Stelle { $place } ist keine Ziffer des Codes: nur 0 bis 9 und A bis F{ $digit ->
        [O] ; ist es die Ziffer 0?
        [o] ; ist es die Ziffer 0?
        [I] ; ist es die Ziffer 1?
        [l] ; ist es die Ziffer 1?
        [L] ; ist es die Ziffer 1?
        [i] ; ist es die Ziffer 1?
        [S] ; ist es die Ziffer 5?
        [s] ; ist es die Ziffer 5?
       *[other] .
    }
fault-code-length = { $found } Ziffern, aber der Code hat { $expected }.
fault-code-zeros = Anfragedaten aus lauter Nullen gibt keine Karte.
or = { $one } oder { $other }

## Was eine Karte sagt
wrong-PIN =
    { $count ->
        [-1] Falsche PIN.
        [0] Falsche PIN; kein Versuch mehr.
        [one] Falsche PIN; noch { $count } Versuch.
       *[other] Falsche PIN; noch { $count } Versuche.
    }
wrong-PUK =
    { $count ->
        [-1] Falsche PUK.
        [0] Falsche PUK; kein Versuch mehr.
        [one] Falsche PUK; noch { $count } Versuch.
       *[other] Falsche PUK; noch { $count } Versuche.
    }
wrong-response =
    { $count ->
        [-1] Falsche Antwort.
        [0] Falsche Antwort; kein Versuch mehr.
        [one] Falsche Antwort; noch { $count } Versuch.
       *[other] Falsche Antwort; noch { $count } Versuche.
    }
blocked-PIN = Die PIN ist gesperrt.
blocked-PUK = Die PUK ist gesperrt.
blocked-response = Der Administratorschlüssel ist gesperrt: Nichts entsperrt diese Karte mehr.
challenge-gone = Die Karte wartet nicht mehr auf diese Antwort.
another-card = Das ist eine andere Karte als vorher; an sie wurde nichts gesendet.
not-authenticated = Die Karte will zuerst eine richtige Antwort auf ihre Anfrage.
unknown-card = Die Karte ist weder eine GIDS- noch eine PIV-Karte.
unexpected = Die Karte antwortete { $status } auf den Befehl { $command }.
removed = Die Karte wurde herausgezogen.
reset = Ein anderes Programm hat die Karte zurückgesetzt.
no-reader = Der Leser ist nicht mehr da.
busy = Ein anderes Programm hält die Karte.
short = Die Karte antwortete { $count } Bytes, was keine Antwort-APDU ist.
endless = Die Antwort der Karte hat kein Ende.

## Was ein Server sagt
server-other-card = Der Server antwortete für eine andere Karte; an diese wurde nichts gesendet.
server-certificates = Dem vertraut werden soll, ist kein Zertifikat in PEM.
server-user-info = Die Adresse eines Servers hat kein '@' und nichts davor: Schreiben Sie https://HOST[:PORT], oder http:// auf diesem Rechner.
server-address = „{ $address }“ ist keine Adresse eines Servers: Schreiben Sie https://HOST[:PORT], oder http:// auf diesem Rechner.
server-over = Die Sitzung beim Server ist vorbei; beginnen Sie von vorn.
server-status = Der Server antwortete mit dem Status { $status }.
server-too-often =
    Das war zu oft in zu kurzer Zeit; versuchen Sie es { $minutes ->
        [0] später
        [one] in { $minutes } Minute
       *[other] in { $minutes } Minuten
    } noch einmal.
server-busy = Der Server ist beschäftigt; versuchen Sie es gleich noch einmal.
server-store = Der Server kann gerade nicht arbeiten. Er sagt: { $said }
server-malformed = Der Server nimmt nicht an, was gesendet wurde. Er sagt: { $said }
server-unreachable =
    Der Server ist nicht zu erreichen: { $why ->
        [listens] An seiner Adresse hört kein Programm
        [slow] Seine Antwort dauerte zu lange
        [name] Sein Name ist hier nicht bekannt
        [way] Das Netz hat keinen Weg zu ihm
        [issuer] Seinem Zertifikat wird hier nicht vertraut
        [other-name] Sein Zertifikat ist für einen anderen Namen
        [expired] Sein Zertifikat ist abgelaufen, oder die Uhr dieses Rechners geht falsch
        [not-yet] Sein Zertifikat gilt noch nicht, oder die Uhr dieses Rechners geht falsch
        [revoked] Sein Zertifikat wurde widerrufen
        [unusable] Sein Zertifikat ist keines, dem vertraut werden kann
       *[sense] Seine Antwort ergibt keinen Sinn oder brach ab
    }.
