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

## Est-ce nous qui vous parlons ?

frame-is-it-us = Quelqu’un de { $organisation } vous parle en ce moment ?
talking-ask-heading = Quelqu’un de chez nous vous parle en ce moment ?
talking-ask = Demandez à la personne son numéro de dossier. Il a douze chiffres. Si elle n’en a pas, ou ne veut pas vous le dire, elle n’est pas de { $organisation }.
talking-number = Numéro de dossier
talking-example = Par exemple { $number }
talking-look = Voir qui c’est
talking-no-account = Vous n’avez besoin ici ni de compte ni de mot de passe.
talking-mistyped = Ce numéro ne peut pas être l’un des nôtres. Vérifiez chaque chiffre.
talking-somebody-heading = Oui, quelqu’un de chez nous a ce dossier ouvert
talking-program = { $agent }, un de nos programmes
talking-since = Ce dossier est ouvert depuis : { $since }
talking-account = Compte
talking-checks = Ce n’est nous que si tout ceci est juste
talking-check-account = Le compte commence par vos lettres.
talking-check-words = Le texte dit ce que vous nous avez demandé. Si vous ne nous avez rien demandé, raccrochez.
talking-check-name = Le nom est celui qu’on vous a donné.
talking-check-codes = Personne ne vous demande de lire un code, un code PIN ou un mot de passe à voix haute. Vous ne les saisissez que sur notre page.
talking-another = Vérifier un autre numéro
talking-nobody-heading = Personne. Arrêtez.
talking-nobody = Personne de { $organisation } n’a de dossier ouvert avec ce numéro
talking-nobody-why = Celui qui vous l’a donné ne travaille sur rien qui vous concerne.
talking-what-to-do = Que faire
talking-hang-up = Raccrochez, ou fermez la discussion. Vous n’avez pas à vous expliquer.
talking-do-nothing = Ne lisez, ne saisissez et ne confirmez rien de ce qu’on vous demande.
talking-call-back = Rappelez-nous au numéro que vous connaissez déjà, celui de votre contrat ou d’une ancienne facture. Pas à celui qu’on vous donne.
talking-try-again = Je me suis trompé : réessayer
talking-too-many-heading = Nous ne pouvons pas vérifier maintenant
talking-too-many = Trop de numéros ont été vérifiés. Réessayez à : { $when }
talking-until-then = D’ici là, faites comme si ce n’était personne : raccrochez, et rappelez-nous au numéro que vous connaissez déjà.
talking-our-number = Notre numéro :

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
