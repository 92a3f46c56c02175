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
verify-number = Quittungsnummer
verify-digest = Prüfsumme
verify-ledger = Im Register
verify-ledger-size = Ereignisse: { $events }, Einträge insgesamt: { $entries }
verify-not-happened = Es ist nicht geschehen
verify-do-not-rely = Verlassen Sie sich nicht darauf
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
