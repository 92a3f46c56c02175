# Was Kundinnen und Kunden lesen, auf Deutsch. Anrede: Sie. Wörter wie in docs/languages.md.

## Tage und Zeiten

month-short = { $month ->
    [1] Jan.
    [2] Feb.
    [3] März
    [4] Apr.
    [5] Mai
    [6] Juni
    [7] Juli
    [8] Aug.
    [9] Sept.
    [10] Okt.
    [11] Nov.
   *[12] Dez.
}
month-long = { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}
moment-day = { $day }. { month-short }, { $time }
moment-year = { $day }. { month-short } { $year }, { $time }
moment-zone = { $day }. { month-short } { $year }, { $time } { $zone }
moment-month = { month-long } { $year }
moment-letter = { $day }. { month-long } { $year }, { $time } { $zone }
length-minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
length-hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}
length-days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tage
}
away-in-minutes = { $count ->
    [one] in { $count } Minute
   *[other] in { $count } Minuten
}
away-in-hours = { $count ->
    [one] in { $count } Stunde
   *[other] in { $count } Stunden
}
away-minutes-ago = { $count ->
    [one] vor { $count } Minute
   *[other] vor { $count } Minuten
}
away-hours-ago = { $count ->
    [one] vor { $count } Stunde
   *[other] vor { $count } Stunden
}

## Spricht jemand von uns mit Ihnen?

frame-is-it-us = Spricht gerade jemand von { $organisation } mit Ihnen?
talking-ask-heading = Spricht gerade jemand von uns mit Ihnen?
talking-ask = Fragen Sie die Person nach ihrer Fallnummer. Sie hat zwölf Ziffern. Wer keine hat oder sie nicht nennen will, ist nicht von { $organisation }.
talking-number = Fallnummer
talking-example = Zum Beispiel { $number }
talking-look = Nachsehen, wer es ist
talking-no-account = Sie brauchen hier weder ein Konto noch ein Passwort.
talking-mistyped = Diese Nummer kann keine von uns sein. Prüfen Sie jede Ziffer.
talking-somebody-heading = Ja, jemand von uns bearbeitet diesen Fall
talking-program = { $agent }, ein Programm von uns
talking-since = Dieser Fall ist offen seit: { $since }
talking-account = Konto
talking-checks = Nur wenn das alles stimmt, sind wir es
talking-check-account = Das Konto beginnt mit Ihren Buchstaben.
talking-check-words = Da steht, worum Sie uns gebeten haben. Wenn Sie uns um nichts gebeten haben, legen Sie auf.
talking-check-name = Der Name ist der, den man Ihnen genannt hat.
talking-check-codes = Niemand bittet Sie, einen Code, eine PIN oder ein Passwort vorzulesen. Sie geben sie nur auf unserer Seite ein.
talking-another = Eine andere Nummer nachsehen
talking-nobody-heading = Niemand. Stopp.
talking-nobody = Niemand von { $organisation } bearbeitet einen Fall mit dieser Nummer
talking-nobody-why = Wer sie Ihnen gegeben hat, arbeitet an nichts von Ihnen.
talking-what-to-do = Was Sie tun sollten
talking-hang-up = Legen Sie auf, oder schließen Sie den Chat. Sie müssen nichts erklären.
talking-do-nothing = Lesen Sie nichts vor, geben Sie nichts ein und bestätigen Sie nichts, was man von Ihnen verlangt.
talking-call-back = Rufen Sie uns unter der Nummer zurück, die Sie schon kennen, aus Ihrem Vertrag oder einer alten Rechnung. Nicht unter einer, die man Ihnen gibt.
talking-try-again = Ich habe mich vertippt: noch einmal
talking-too-many-heading = Wir können gerade nicht nachsehen
talking-too-many = Es wurden zu viele Nummern nachgesehen. Versuchen Sie es wieder um: { $when }
talking-until-then = Behandeln Sie es bis dahin wie niemanden: Legen Sie auf, und rufen Sie uns unter der Nummer zurück, die Sie schon kennen.
talking-our-number = Unsere Nummer:

## Setting a PIN, an app or passkeys

enrol-title-pin = Wählen Sie eine neue PIN
enrol-title-app = Richten Sie Ihre Authenticator-App ein
enrol-title-keys = Ändern Sie Ihre Passkeys
enrol-title-key = Fügen Sie einen Passkey hinzu
enrol-pin-why = Sie wird verlangt, wenn Sie den Support brauchen. Niemand, der hier arbeitet, kann sie sehen, und niemand wird Sie bitten, sie laut zu sagen.
enrol-pin = Ihre neue PIN
enrol-pin-rules = 6 bis 12 Ziffern. Nicht der Reihe nach, nicht wiederholt, und keine, die andere nachschlagen können: kein Geburtstag, keine Telefon- oder Kundennummer.
enrol-pin-again = Dieselbe noch einmal
enrol-pin-set = PIN setzen
enrol-app-open = Öffnen Sie die Authenticator-App auf Ihrem Telefon und fügen Sie ein Konto hinzu.
enrol-app-scan = Scannen Sie dies oder tippen Sie die Buchstaben darunter ein.
enrol-app-enter = Geben Sie die 6 Ziffern ein, die die App dann zeigt.
enrol-app-qr = QR-Code des Geheimnisses, das darunter steht
enrol-app-hint = Zeitbasiert, 6 Ziffern, alle 30 Sekunden. { $link }App auf diesem Gerät öffnen{ $end }. Behalten Sie die Buchstaben für sich: Wer sie hat, hat die App.
enrol-app-code = Die 6 Ziffern
enrol-app-counts = Erst dann zählt die App.
enrol-app-set = Diese App verwenden
enrol-key-what = Ein Passkey liegt auf Ihrem Gerät und wird mit Gesicht, Finger oder der PIN des Geräts geöffnet. Er gilt nur auf dieser Seite.
enrol-key-have = Sie haben
enrol-key-added = Hinzugefügt: { $at }
enrol-key-used = Zuletzt verwendet: { $at }
enrol-key-name = Name
enrol-key-name-hint = Damit Sie ihn von anderen unterscheiden: „Telefon“.
enrol-key-instead = Der neue ersetzt
enrol-key-make = Passkey erstellen
enrol-key-busy = Warten auf Ihren Passkey
enrol-key-cancelled = Nichts wurde geändert. Der Passkey wurde nicht erstellt.
enrol-key-failed = Das hat nicht geklappt. Nichts wurde geändert. Versuchen Sie es noch einmal.
enrol-key-unable = Dieser Browser kennt keine Passkeys. Verwenden Sie einen anderen.
enrol-key-script = Passkeys brauchen JavaScript.
enrol-key-only-remove = Nur entfernen, keinen erstellen
enrol-key-remove = Entfernen
enrol-key-none-left = Ohne Passkey weisen Sie sich von da an auf anderem Weg aus.
enrol-key-remove-marked = Markierte entfernen
enrol-once = Sie können das einmal tun, bis: { $until }. Alle hinterlegten Kontakte erfahren, dass es geändert wurde.
enrol-wrong-again = Die beiden stimmen nicht überein
enrol-wrong-length = Verwenden Sie 6 bis 12 Ziffern
enrol-wrong-run = Verwenden Sie Ziffern, die nicht aufeinander folgen
enrol-wrong-repeated = Verwenden Sie Ziffern, die sich nicht wiederholen
enrol-wrong-known = Verwenden Sie Ziffern, die niemand nachschlagen kann
enrol-wrong-code = Der Code ist nicht der, den die App zeigt
enrol-wrong-none = Wählen Sie einen Passkey zum Entfernen
enrol-wrong-held = Es gibt schon einen

## Checking a receipt

verify-title = Eine Quittung prüfen
verify-title-good = Diese Quittung ist echt
verify-title-bad = Diese Quittung beweist nichts
verify-what = Eine Quittung sagt, was mit einem Konto getan wurde, wer sich ausgewiesen und wer unterschrieben hat. Hier wird die Quittung selbst geprüft: jedes Ereignis gegen die Unterschrift des öffentlichen Registers, und ihre Worte gegen die Ereignisse. Niemand muss sich anmelden.
verify-proves = Sie beweist, dass diese Worte so verlangt, nachgewiesen, unterschrieben und beendet wurden, in dieser Reihenfolge, und dass das Register es seither so festhält. Sie beweist nicht, wer an der Tastatur saß, noch dass anderswo nichts anderes getan wurde.
verify-happened = Es ist geschehen
verify-became = Was daraus wurde
verify-stopped = Gestoppt
verify-declined = Von einem Kollegen abgelehnt
verify-taken-back = Zurückgenommen
verify-ran-out = Abgelaufen
verify-failed = Es konnte nicht ausgeführt werden
verify-uncertain = Es war damals nicht sicher
verify-when = Wann
verify-signed-by = Unterschrieben von
verify-checked-by = Geprüft von
verify-number = Quittungsnummer
verify-digest = Prüfsumme
verify-ledger = Im Register
verify-ledger-size = Ereignisse: { $events }, Einträge insgesamt: { $entries }
verify-not-happened = Es ist nicht geschehen
verify-do-not-rely = Verlassen Sie sich nicht darauf
verify-bad-form = Das ist keine Quittung, oder ein Teil von ihr fehlt.
verify-bad-event = Ihr Ereignis { $number } steht nicht im Register.
verify-bad-words = Ihre Worte sind nicht, was ihre Ereignisse sagen.
verify-bad-order = Ereignis { $number } gehört nicht zu ihr, oder eines davor fehlt.
verify-why-bad = Sie wurde verändert, gekürzt oder stammt nicht aus diesem Register. Bitten Sie, wer sie Ihnen gab, um die Datei, wie sie heruntergeladen wurde.
verify-scanned = Der gescannte Code gehört zu der Quittung und der Prüfsumme darunter. Die Quittung, die Sie hier prüfen, muss beide zeigen.
verify-paste = Quittung einfügen
verify-paste-hint = Die Datei, die „Quittung herunterladen“ liefert, höchstens 1 MB. Sie wird geprüft und nirgends aufbewahrt.
verify-file = oder Datei wählen
verify-go = Prüfen
verify-empty = Fügen Sie eine Quittung ein oder wählen Sie die Datei
verify-offline = Ohne uns zu fragen
verify-offline-how = Dieselbe Prüfung läuft auf Ihrem eigenen Rechner, mit dem Schlüssel, den Sie früher notiert oder von jemandem haben, dem Sie vertrauen:

## Um jede Seite herum

frame-error = Fehler: { $heading }
frame-skip = Zum Inhalt springen
frame-demo = Vorführung mit erfundenen Daten.
frame-demo-other = Eine andere Rolle übernehmen
frame-proven = { $proof }: nachgewiesen.
frame-stop = Das hier stoppen
frame-works-until = Dieser Link gilt bis { $until }.
frame-more-time = Ich brauche mehr Zeit
frame-support = { $organisation } – Kundendienst
frame-never-aloud = Wir bitten Sie nie, einen Code vorzulesen.
frame-language = Sprache
frame-error-mark = Fehler:
frame-problem = Es gibt ein Problem
frame-call = Wenn Sie jetzt Hilfe brauchen, rufen Sie { $organisation } an: { $phone }
frame-words = Was geschehen wird
frame-marked = Markiert: Zeichen, die verborgen sind oder mit anderen verwechselt werden können.
frame-failed = Das hat nicht geklappt. Es wurde nichts geändert.
frame-step = Schritt { $step } von { $steps }
frame-other-way = Einen anderen Weg wählen
frame-open-receipt = Den Beleg öffnen

## Was aus einer Aktion folgt

effect-changes = Danach gilt etwas Neues als: { $label }.
effect-gives = Wer darum bittet, hat danach: { $label }.
effect-sends = Wer dies lesen kann: { $channel }, hat danach auch dies: { $label }.
effect-loses = Was verloren gehen kann: { $label }.
waits-fixed = Wird erst nach einer Wartezeit wirksam: { $most }
waits-slower = Wird sofort wirksam, auf einem langsameren Weg nach dieser Wartezeit: { $most }
waits-range = Wird erst nach einer Wartezeit wirksam: { $least } bis { $most }
waits-not = Sobald alles nachgewiesen ist.

## Die erste Seite: Haben Sie darum gebeten?

start-ask = Haben Sie darum gebeten?
start-asked = Angefragt
start-asked-by = im Chat mit { $who }, { $at }
start-asked-panel = in Ihrem Kundenbereich, { $at }
start-takes-effect = Wird wirksam
start-need = Sie brauchen
start-need-nothing = nichts, was Sie eingeben müssten
start-need-one = { $labels }
start-need-some = einiges davon: { $labels }
start-yes = Ja, ich habe darum gebeten
start-no = Nein, das hier stoppen
start-told-to = Wenn Ihnen jemand diesen Link geschickt und gesagt hat, Sie sollen Ja sagen, drücken Sie { $strong }Nein, das hier stoppen{ $end }. Es wird dann nichts geändert.
start-elsewhere = Dieser Link wurde woanders geöffnet
start-elsewhere-text = Dieser Link wurde schon auf einem anderen Gerät geöffnet. Wenn Sie das nicht waren, können Sie { $link }das hier stoppen{ $end }.
start-gone = Dieser Link gilt nicht mehr
start-gone-text = Dieser Link ist abgelaufen oder wurde benutzt. Es wurde nichts geändert. Bitten Sie im Chat um einen neuen.
start-stopped = Das wurde gestoppt
start-stopped-text = Sie haben das gestoppt: { $at }. Es wurde nichts geändert.

## Wählen, wie man sich ausweist

prove-heading = Weisen Sie nach, dass Sie es sind
prove-none = Heute gibt es keinen Weg mehr
prove-none-text = Es wurde nichts geändert.
prove-again = Sie können es wieder versuchen ab { $at }.
prove-have = Etwas, das Sie haben
prove-know = Etwas, das Sie wissen
prove-receive = Etwas, das Sie empfangen
prove-continue = Weiter
prove-choose = Wählen Sie einen der Wege.
prove-done = Erledigt
prove-closed = Nach zu vielen Versuchen geschlossen bis { $until }
prove-too-new = Vor Kurzem geändert. Gilt ab { $from }
way-pin = Aus Ihrem Kundenbereich oder aus dem Brief, den wir Ihnen geschickt haben
way-password = Das Passwort Ihres Kontos
way-app = 6 Ziffern aus Ihrer Authenticator-App
way-mail = Ein Code an die hinterlegte Adresse
way-text = Ein Code an die hinterlegte Mobilnummer
way-passkey = Mit der Sperre dieses Geräts
way-company = Melden Sie sich an wie immer

## Einen Nachweis eingeben

typed-mail = Geben Sie den Code aus der E-Mail ein
typed-text = Geben Sie den Code aus der SMS ein
typed-other = Bitte eingeben: { $label }
typed-hint-pin = In Ihrem Kundenbereich unter Support oder in dem Brief, den wir Ihnen geschickt haben.
typed-hint-password = Das Passwort Ihres Kontos. { $organisation } prüft es; hier wird es nicht gespeichert.
typed-hint-app = Die 6 Ziffern, die Ihre Authenticator-App gerade zeigt.
typed-sent = { $kind ->
    [text] Wir haben einen Code mit 8 Ziffern an die hinterlegte Mobilnummer geschickt.
   *[mail] Wir haben einen Code mit 8 Ziffern an die hinterlegte Adresse geschickt.
}
typed-sent-to = { $kind ->
    [text] Wir haben einen Code mit 8 Ziffern an die hinterlegte Mobilnummer geschickt: { $to }.
   *[mail] Wir haben einen Code mit 8 Ziffern an die hinterlegte Adresse geschickt: { $to }.
}
typed-code-until = Er gilt bis { $until }.
typed-check = { $kind ->
    [pin] PIN prüfen
    [password] Passwort prüfen
   *[code] Code prüfen
}
typed-again-from = Einen neuen Code können Sie anfordern ab { $from }.
typed-again = Einen neuen Code schicken
typed-not-mailbox = Ich kann dieses Postfach nicht lesen
typed-not-phone = Ich kann dieses Telefon nicht lesen
proof-wrong = { $kind ->
    [pin] Diese PIN stimmt nicht.
    [password] Dieses Passwort stimmt nicht.
    [passkey] Dieser Passkey stimmt nicht.
   *[code] Dieser Code stimmt nicht.
}
proof-tries = { $tries ->
    [one] Sie haben noch { $tries } Versuch.
   *[other] Sie haben noch { $tries } Versuche.
}
proof-wrong-tries = { proof-wrong } { proof-tries }
proof-empty = { $kind ->
    [pin] Geben Sie die PIN ein
    [password] Geben Sie das Passwort ein
    [app] Geben Sie die 6 Ziffern aus Ihrer Authenticator-App ein
   *[code] Geben Sie den Code ein
}
proof-run-out = Dieser Code ist abgelaufen. Schicken Sie einen neuen
proof-closed = Dieser Weg ist nach zu vielen Versuchen geschlossen bis { $until }.
proof-cancelled = Der Passkey wurde nicht benutzt. Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.
proof-failed = Das hat nicht geklappt. Es wurde nichts geändert. Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.

## Passkey

passkey-heading = Benutzen Sie Ihren Passkey
passkey-text = Ihr Gerät fragt nach Gesicht, Finger oder PIN. Ist der Passkey auf einem anderen Gerät, wählen Sie das aus: Dieses hier zeigt dann einen Code zum Scannen.
passkey-busy = Warte auf Ihren Passkey
passkey-unable = Dieser Browser kann keine Passkeys.
passkey-no-script = Passkeys brauchen JavaScript.
passkey-go = Meinen Passkey benutzen

## Bestätigen

confirm-heading = Prüfen Sie, was geschehen wird
confirm-button = Ja: { $action }
confirm-number = Geben Sie die Zahl ein, die { $who } Ihnen im Chat nennt
confirm-number-wrong = Das ist nicht die Zahl. Fragen Sie { $who } noch einmal im Chat
confirm-missing = Es fehlt noch etwas, bevor Sie bestätigen können.
confirm-not-certain = Es ist nicht sicher, ob es bestätigt wurde. Drücken Sie den Knopf noch einmal

## Die letzte Seite

done-checked = Sie sind fertig. Jemand aus unserem Team prüft es.
done-waits-title = Es wird später wirksam
done-waits = Es wird wirksam: { $at }
done-ready = Sie sind fertig
done-running = Es wird gerade ausgeführt
done-done = Es wurde ausgeführt
done-failed = Es konnte nicht ausgeführt werden
done-unknown = Es ist nicht sicher, ob es ausgeführt wurde
done-declined = Es wurde abgelehnt
done-stopped-title = Das wurde gestoppt
done-stopped = Das wurde gestoppt: { $at }
done-expired = Das ist abgelaufen
done-failed-text = Es wurde nichts geändert. Fragen Sie im Chat, wie es weitergeht.
done-unknown-text = Wir finden es heraus, und es wird nicht zweimal ausgeführt. Sie können später auf diese Seite zurückkommen.
done-declined-text = Jemand aus unserem Team hat es angesehen und abgelehnt. Es wurde nichts geändert.
done-stopped-text = Es wurde nichts geändert.
done-expired-text = Es wurde nichts geändert. Bitten Sie im Chat um einen neuen Link.
done-step-confirmed = Sie haben nachgewiesen, dass Sie es sind, und bestätigt
done-step-colleague = Jemand aus unserem Team prüft es und unterschreibt
done-step-at = Es wird wirksam: { $at }
done-step-told = Alle hinterlegten Kontakte bekommen Bescheid, und es wird gewartet
done-step-last = Es wird ausgeführt, genau einmal, und Sie bekommen einen Beleg
done-step-done = (erledigt)
done-back = Zurück zu { $where }
done-stop-until = Sie können es stoppen bis { $until }, hier oder mit dem Link in unserer Mitteilung.
done-words = Der Wortlaut
done-close = Sie können diese Seite schließen.
done-live = Sie geht von selbst weiter.
done-reconnecting = Verbindung wird wiederhergestellt
done-refresh = { $link }Neu laden{ $end }, um zu sehen, wie es steht.
done-stale = Diese Seite ist nicht auf dem neuesten Stand. { $link }Neu laden{ $end }

## Stoppen

stop-ask = Das hier stoppen?
stop-stopped = Gestoppt. Es wurde nichts geändert.
stop-already = Das ist gestoppt
stop-too-late = Das ist schon geschehen
stop-over = Es gibt nichts zu stoppen
stop-gone = Dieser Link gilt nicht mehr
stop-failed = Das Stoppen hat nicht geklappt.
stop-failed-call = Das Stoppen hat nicht geklappt. Rufen Sie an: { $phone }.
stop-text = Es wird nichts geändert, und unser Sicherheitsteam sieht es sich an.
stop-until = Sie können es stoppen bis { $until }.
stop-why = Warum, wenn Sie es sagen möchten
stop-not-me = Ich habe nicht darum gebeten
stop-changed-mind = Ich habe es mir anders überlegt
stop-wrong = Etwas sieht falsch aus
stop-more = Was Sie sonst noch sagen möchten
stop-now = Jetzt stoppen
stop-back = Zurück
stop-stopped-title = Es wurde nichts geändert
stop-told = Unser Sicherheitsteam weiß Bescheid.
stop-reference = Vorgang { $case }
stop-next = Was Sie jetzt tun können
stop-next-reached = Wenn jemand Sie gebeten hat, den Link zu öffnen, sagen Sie uns, auf welchem Weg.
stop-next-password = Wenn Sie nicht darum gebeten haben, ändern Sie Ihr Passwort in Ihrem Kundenbereich. Tippen Sie dessen Adresse selbst ein.
stop-already-at = Schon gestoppt, { $at }
stop-already-text = Es wurde nichts geändert.
stop-too-late-text = Es wurde ausgeführt: { $at }. Wir haben festgehalten, dass Sie es stoppen wollten, und unser Sicherheitsteam weiß Bescheid.
stop-over-text = Es endete, ohne ausgeführt zu werden. Es wurde nichts geändert.
stop-gone-text = Dieser Link ist abgelaufen oder wurde nie vergeben.
stop-call = Um jetzt mit jemandem zu sprechen, rufen Sie { $organisation } an: { $phone }

## Belege

receipts-heading = Belege
receipts-none = Über den Kundendienst wurde an Ihrem Konto nichts ausgeführt.
receipts-happened = Ist geschehen
receipts-did-not = Ist nicht geschehen
receipts-open = Öffnen
receipts-open-of = Beleg vom { $at }
receipts-all = Alle Belege
receipt-heading = Beleg
receipt-title = Beleg { $number }
receipt-happened = Geschehen: { $at }
receipt-did-not = Nicht geschehen. { $why }, { $at }
receipt-unknown = Es ist nicht sicher, ob es geschehen ist
receipt-not-finished = Noch nicht abgeschlossen
receipt-why-failed = Das ausführende System hat abgelehnt
receipt-why-stopped = Gestoppt
receipt-why-refused = Von jemandem aus unserem Team abgelehnt
receipt-why-withdrawn = Zurückgenommen
receipt-why-expired = Abgelaufen
receipt-procedure = Verfahren
receipt-version = { $action }, Version { $version }
receipt-digest = Prüfsumme
receipt-ledger = Protokoll
receipt-entry = { $origin }, Eintrag { $entry }
receipt-check = Jeder kann ihn prüfen: { $link }Beleg herunterladen{ $end }, dann unter { $address } eingeben oder { $command } ausführen. Drucken oder speichern Sie diese Seite.

## Was geschehen ist, Zeile für Zeile

event-opened = Vorgang eröffnet
event-link-used = Link geöffnet und benutzt
event-proved = Nachgewiesen: { $label }
event-confirmed = Den genauen Wortlaut bestätigt
event-vouched = Das eigene Wort gegeben: { $text }
event-signed = Mit einem Passkey unterschrieben
event-refused = Abgelehnt: { $reason }
event-notices = { $count ->
    [one] Eine Mitteilung an { $count } Kontakt ist unterwegs
   *[other] Mitteilungen an { $count } Kontakte sind unterwegs
}
event-notified = Mitteilung übergeben: { $label }
event-not-notified = Mitteilung nicht zustellbar: { $label }
event-notified-former = Mitteilung übergeben: ein früherer Kontakt
event-not-notified-former = Mitteilung nicht zustellbar: ein früherer Kontakt
event-wait = Die Wartezeit hat begonnen
event-wait-void = Die Wartezeit zählt nicht mehr: Wodurch sie verdient war, gilt nicht mehr
event-ready = Es fehlt nichts mehr
event-not-ready = Eine Anforderung ist nicht mehr erfüllt
event-granted = Freigegeben
event-handed-over = An das ausführende System übergeben
event-done = Ausgeführt
event-failed = Konnte nicht ausgeführt werden ({ $reason }); es wurde nichts geändert
event-unknown = Keine Antwort: Es ist nicht sicher, ob es geschehen ist
event-stopped = Gestoppt
event-stopped-because = Gestoppt: { $reason }
event-too-late = Sollte gestoppt werden, zu spät
event-too-late-because = Sollte gestoppt werden, zu spät: { $reason }
event-withdrawn = Zurückgenommen
event-expired = Abgelaufen
event-drill-told = Dies war eine Übung

## Wenn etwas nicht geklappt hat

problem-elsewhere = Dieses Formular kam von woanders
problem-elsewhere-text = Es wurde nichts geändert. Gehen Sie zurück auf die Seite, von der Sie kamen, und drücken Sie dort den Knopf.
problem-unreadable = Das war nicht lesbar
problem-unreadable-text = Es wurde nichts geändert. Gehen Sie zurück, und versuchen Sie es noch einmal.
problem-nothing = Hier ist nichts
problem-nothing-text = Die Adresse stimmt nicht, oder sie ist nicht für Sie bestimmt.
problem-changed = Das hat sich geändert, während Sie es ansahen
problem-changed-text = Von Ihnen wurde nichts geändert.
problem-changed-show = Den neuen Stand zeigen
problem-gone = Dieser Link ist verbraucht
problem-gone-text = Er gilt einmal und nur eine Zeit lang. Bitten Sie im Chat um einen neuen.
problem-too-many = Zu viele Versuche
problem-too-many-text = Versuchen Sie es wieder ab { $at }.
problem-not-done = Das hat nicht geklappt
problem-not-done-text = Es wurde nichts geändert.
problem-not-certain-text = Es ist nicht sicher, ob es geschehen ist.
problem-not-certain-check = Nachsehen
problem-busy = Gleich wieder da
problem-busy-text = Es ist nichts verloren. Versuchen Sie es in einer Minute noch einmal.
problem-reference = Kennung { $reference }

## Briefe: reiner Text per E-Mail oder SMS

letter-notice-subject = { $organisation }: { $action }
letter-notice-first = { $organisation } wurde gebeten, dies an Ihrem Konto zu tun, und es wird geschehen, wenn niemand es stoppt:
letter-notice-stop = Wenn Sie das nicht waren, stoppen Sie es hier. Sie müssen sich nicht anmelden:
letter-notice-asked = Angefragt am { $at } als Vorgang { $case }. Wir bitten Sie nie, einen Code vorzulesen.
letter-code-subject = { $organisation }: Ihr Code für den Vorgang { $case }
letter-code-first = Geben Sie diesen Code auf der Seite ein, die Sie geöffnet haben, und nur dort. Er gilt hierfür und für nichts anderes:
letter-code-last = Niemand bei { $organisation } wird Sie je bitten, ihn vorzulesen. Wenn Sie ihn nicht angefordert haben, brauchen Sie nichts zu tun.
letter-removed-subject = { $organisation }: Diese Adresse wurde aus Ihrem Konto entfernt
letter-removed-first = Diese Adresse ist für ein Konto bei { $organisation } nicht mehr hinterlegt.
letter-removed-last = Wenn Sie nicht darum gebeten haben, wenden Sie sich jetzt an { $organisation }. In den nächsten 30 Tagen wird dieser Adresse noch mitgeteilt, was an dem Konto angefragt wird, und von hier kann es noch gestoppt werden.

## Bei der Anmeldung des Unternehmens und auf dem eigenen Gerät

company-heading = Anmelden bei { $company }
company-heading-back = Sie sind zurück von { $company }
company-text = Sie melden sich dort mit Ihrem eigenen Konto an, auch wenn Sie schon angemeldet sind, und kommen auf diese Seite zurück. Was Sie dort eingeben, sehen wir nie.
company-back-text = Drücken Sie den Knopf, um diese Anmeldung hier zu verwenden. Sie zählt einmal und für nichts anderes.
company-go = Weiter mit { $company }
company-wrong = Das hat nicht nachgewiesen, dass Sie es sind.
company-wrong-tries = { company-wrong } { proof-tries }
company-cancelled = Die Anmeldung wurde abgebrochen. Es wurde nichts geändert.
company-too-weak = Hierfür ist eine frische und stärkere Anmeldung nötig, etwa mit einem zweiten Schritt. Es wurde nichts geändert.
company-over = Das hat zu lange gedauert oder wurde schon benutzt. Fangen Sie noch einmal an.
way-push = In der App auf Ihrem Gerät antworten
push-heading = Antworten Sie auf Ihrem Gerät
push-waiting = Wir haben die App auf Ihrem Telefon gefragt
push-proved = Sie haben auf Ihrem Gerät Ja gesagt
push-denied = Sie haben auf Ihrem Gerät Nein gesagt
push-over = Darauf kam keine Antwort
push-text = Ihr Gerät zeigt das hier. Sagen Sie nur Ja, wenn Sie darum gebeten haben. Sie können antworten bis { $until }.
push-shows = Was Ihr Gerät zeigt
push-denied-text = Es wurde gestoppt, und es wurde nichts geändert.
push-ask-text = { $company } fragt Sie auf Ihrem eigenen Gerät, ob Sie das wollen, im selben Wortlaut wie hier. Sie brauchen nur das Gerät.
push-ask = Mein Gerät fragen
push-too-soon = Ihr Gerät wurde gerade erst gefragt. Wieder fragen können Sie ab { $from }.
push-no-more = Ihr Gerät wurde zu oft gefragt. Wählen Sie einen anderen Weg.
push-ran-out = Auf Ihrem Gerät hat niemand rechtzeitig geantwortet.
way-check = Wir sehen selbst nach
check-heading = Lassen Sie uns das prüfen
check-waiting = Wir prüfen das gerade
check-proved = Wir haben es geprüft
check-over = Das wurde nicht bestätigt
check-text = Sie müssen hier nichts weiter tun. Die Antwort kommt bis { $until }, dann geht es weiter.
check-ask-text = { $company } sieht selbst nach und sagt dieser Seite, was dabei herauskam. Sie geben hier nichts ein.
check-ask = Jetzt prüfen
check-refused = Das konnten wir nicht bestätigen. Es zählt als ein Versuch.
check-too-soon = Wir haben gerade erst gefragt. Wieder fragen können Sie ab { $from }.
check-no-more = Danach wurde zu oft gefragt. Wählen Sie einen anderen Weg.
check-ran-out = Es kam rechtzeitig keine Antwort. Es wurde nichts gezählt.
check-failed = Das können wir gerade nicht prüfen. Es wurde nichts gezählt. Versuchen Sie es später, oder wählen Sie einen anderen Weg.

start-receipt = Ihr Beleg
start-receipt-text = Ihr Vorgang ist abgeschlossen. Dieser Link öffnet einmal den Beleg und sonst nichts.
confirm-number-missing = Geben Sie die zwei Ziffern ein, die man Ihnen nennt.
confirm-number-tries = { $tries ->
    [one] Das ist nicht die Zahl. Noch ein Versuch.
   *[other] Das ist nicht die Zahl. Noch { $tries } Versuche.
}
confirm-number-closed = Zu viele falsche Zahlen. Es wurde nichts bestätigt. Versuchen Sie es wieder ab { $until }, oder stoppen Sie das hier.
done-to-set = Eines fehlt noch
done-to-set-here = Legen Sie das Neue selbst fest, bis { $until }. Niemand sonst kann das.
done-to-set-there = Das Neue wird auf der Seite festgelegt, auf der Sie sich ausgewiesen haben, bis { $until }.
done-set = Jetzt festlegen
receipt-qr = QR-Code der Adresse, unter der jeder diesen Beleg prüfen kann
letter-enrolled-subject = { $organisation }: geändert wurde: { $label }
letter-enrolled-first = Am { $at } wurde dies an Ihrem Konto bei { $organisation } neu festgelegt oder entfernt:
letter-enrolled-last = Das geschah mit dem Vorgang { $case }. Wenn Sie das nicht waren, wenden Sie sich jetzt an { $organisation }.
letter-who = Spricht gerade jemand von { $organisation } mit Ihnen? Sehen Sie hier nach:

## Statusseite

status-all-well = Alles funktioniert
status-something = Etwas stimmt nicht
status-none-now = Gerade gibt es keinen Vorfall.
status-now = Jetzt
status-past = Früher
status-none-past = Bisher wurde nichts gemeldet.
status-looking = Wir suchen die Ursache
status-found = Gefunden
status-watching = Behoben, wir beobachten
status-over = Vorbei
status-next = Nächste Nachricht: { $when }
status-overdue = Die nächste Nachricht war fällig: { $when }. Sie ist überfällig.
status-updates = Nachrichten
status-statement = Stellungnahme
status-version = Fassung { $version }, { $when }
status-corrected = Diese Fassung wurde berichtigt. Es gilt die obere.
status-back = Alle Vorfälle
status-feed = Atom-Feed
status-subscribe-heading = Nachrichten per E-Mail
status-subscribe-what = Wir schreiben, wenn es etwas Neues gibt, und über nichts anderes. In jedem Brief können Sie sich mit einem Klick abmelden.
status-address = Ihre E-Mail-Adresse
status-subscribe = Nachrichten schicken
status-address-wrong = Das kann keine E-Mail-Adresse sein.
status-asked-heading = Sehen Sie in Ihr Postfach
status-asked = Wenn die Adresse stimmt, ist ein Brief dorthin unterwegs. Öffnen Sie den Link darin innerhalb eines Tages; bis dahin bekommen Sie nichts weiter.
status-confirm-heading = Nachrichten per E-Mail bekommen?
status-confirm-what = Ein Klick, und wir schreiben an die Adresse, an die dieser Link ging.
status-confirm = Ja, Nachrichten schicken
status-confirmed-heading = Sie bekommen jetzt Nachrichten
status-confirmed = Wir schreiben, wenn es etwas Neues gibt. In jedem Brief steht ein Link zum Abmelden.
status-gone-heading = Dieser Link ist verbraucht
status-gone = Auf der Statusseite bekommen Sie einen neuen.
status-leave-heading = Keine Nachrichten mehr?
status-leave-what = Sie bekommen dann keine Briefe über die Statusseite mehr.
status-leave = Keine Briefe mehr
status-left-heading = Sie bekommen keine Nachrichten mehr
status-left = Auf der Statusseite können Sie sich jederzeit wieder anmelden.
letter-status-subject = { $organisation }: { $headline }
letter-status-leave = Sie haben um diese Briefe gebeten. Keine weiteren bekommen:
letter-subscribe-subject = Bitte bestätigen: Nachrichten von { $organisation }
letter-subscribe-first = Jemand, vielleicht Sie, möchte an diese Adresse Nachrichten über { $organisation } bekommen. Wenn Sie das wollen, öffnen Sie dies und drücken Sie den Knopf:
letter-subscribe-last = Wenn Sie es nicht waren, tun Sie nichts. Wir schreiben nicht noch einmal.
letter-subscribed-subject = Sie bekommen schon Nachrichten von { $organisation }
letter-subscribed-first = Jemand, vielleicht Sie, möchte an diese Adresse Nachrichten über { $organisation } bekommen. Sie bekommt sie schon.
letter-incident-subject = { $organisation }: was mit Ihrem Konto geschehen ist
letter-incident-first = Bei { $organisation } ist etwas schiefgegangen, und es hat Ihr Konto betroffen. In diesem Brief steht, was wir über Sie wissen, und niemand sonst bekommt ihn.
letter-incident-yours = Was auf Ihrem Konto geschehen ist:
letter-incident-uncovered = Das geschah ohne eine Anfrage, die unsere Aufzeichnungen kennen: { $action }
letter-incident-receipt = Was nachgewiesen, unterschrieben und getan wurde, zum Aufheben und Prüfen:
letter-incident-no-case = Wir haben auf Ihrem Konto keine Anfrage gefunden, die dazu gehört.
letter-incident-more = Was wir allen sagen, steht hier:
