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
