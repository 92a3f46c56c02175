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
