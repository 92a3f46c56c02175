# Ce que lisent les clients, en français. On vouvoie. Vocabulaire : voir docs/languages.md.

## Jours et heures

month-short = { $month ->
    [1] janv.
    [2] févr.
    [3] mars
    [4] avr.
    [5] mai
    [6] juin
    [7] juil.
    [8] août
    [9] sept.
    [10] oct.
    [11] nov.
   *[12] déc.
}
month-long = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
}
moment-day = { $day } { month-short }, { $time }
moment-year = { $day } { month-short } { $year }, { $time }
moment-zone = { $day } { month-short } { $year }, { $time } { $zone }
moment-month = { month-long } { $year }
moment-letter = { $day } { month-long } { $year }, { $time } { $zone }
length-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
length-hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
length-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
away-in-minutes = { $count ->
    [one] dans { $count } minute
   *[other] dans { $count } minutes
}
away-in-hours = { $count ->
    [one] dans { $count } heure
   *[other] dans { $count } heures
}
away-minutes-ago = { $count ->
    [one] il y a { $count } minute
   *[other] il y a { $count } minutes
}
away-hours-ago = { $count ->
    [one] il y a { $count } heure
   *[other] il y a { $count } heures
}

## Autour de chaque page

frame-error = Erreur : { $heading }
frame-skip = Aller au contenu
frame-demo = Démonstration avec des données inventées.
frame-demo-other = Prendre un autre rôle
frame-proven = { $proof } : prouvé.
frame-stop = Arrêter ceci
frame-works-until = Ce lien est valable jusqu’à : { $until }.
frame-more-time = J’ai besoin de plus de temps
frame-support = Assistance { $organisation }
frame-never-aloud = Nous ne vous demandons jamais de lire un code à voix haute.
frame-language = Langue
