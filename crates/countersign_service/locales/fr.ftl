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

## Setting a PIN, an app or passkeys

enrol-title-pin = Choisissez un nouveau code PIN
enrol-title-app = Configurez votre application d’authentification
enrol-title-keys = Modifiez vos clés d’accès
enrol-title-key = Ajoutez une clé d’accès
enrol-pin-why = Il est demandé quand vous avez besoin d’assistance. Personne qui travaille ici ne peut le voir, et personne ne vous demandera de le dire à voix haute.
enrol-pin = Votre nouveau code PIN
enrol-pin-rules = De 6 à 12 chiffres. Ni à la suite, ni répétés, ni que d’autres puissent retrouver : pas d’anniversaire, pas de numéro de téléphone ou de client.
enrol-pin-again = Le même encore une fois
enrol-pin-set = Définir le code PIN
enrol-app-open = Ouvrez l’application d’authentification sur votre téléphone et ajoutez un compte.
enrol-app-scan = Scannez ceci, ou saisissez les lettres en dessous.
enrol-app-enter = Saisissez les 6 chiffres que l’application affiche alors.
enrol-app-qr = Code QR du secret écrit en dessous
enrol-app-hint = Basé sur l’heure, 6 chiffres, toutes les 30 secondes. { $link }Ouvrir l’application sur cet appareil{ $end }. Gardez les lettres pour vous : qui les a, a l’application.
enrol-app-code = Les 6 chiffres
enrol-app-counts = L’application ne compte qu’à partir de là.
enrol-app-set = Utiliser cette application
enrol-key-what = Une clé d’accès est gardée par votre appareil et s’ouvre avec votre visage, votre doigt ou le code de l’appareil. Elle ne vaut que sur ce site.
enrol-key-have = Vous avez
enrol-key-added = Ajoutée : { $at }
enrol-key-used = Dernière utilisation : { $at }
enrol-key-name = Nom
enrol-key-name-hint = Pour la distinguer des autres : « téléphone ».
enrol-key-instead = La nouvelle remplace
enrol-key-make = Créer la clé d’accès
enrol-key-busy = En attente de votre clé d’accès
enrol-key-cancelled = Rien n’a été modifié. La clé d’accès n’a pas été créée.
enrol-key-failed = Cela n’a pas fonctionné. Rien n’a été modifié. Réessayez.
enrol-key-unable = Ce navigateur ne connaît pas les clés d’accès. Utilisez-en un autre.
enrol-key-script = Les clés d’accès ont besoin de JavaScript.
enrol-key-only-remove = Seulement supprimer, sans en créer
enrol-key-remove = Supprimer
enrol-key-none-left = Sans aucune clé d’accès, vous prouverez désormais votre identité autrement.
enrol-key-remove-marked = Supprimer ce qui est coché
enrol-once = Vous pouvez le faire une fois, jusqu’à : { $until }. Tous les contacts enregistrés sont avertis du changement.
enrol-wrong-again = Les deux ne sont pas identiques
enrol-wrong-length = Utilisez de 6 à 12 chiffres
enrol-wrong-run = Utilisez des chiffres qui ne se suivent pas
enrol-wrong-repeated = Utilisez des chiffres qui ne se répètent pas
enrol-wrong-known = Utilisez des chiffres que personne ne peut retrouver
enrol-wrong-code = Le code n’est pas celui que l’application affiche
enrol-wrong-none = Choisissez une clé d’accès à supprimer
enrol-wrong-held = Il y en a déjà un

## Checking a receipt

verify-title = Vérifier un reçu
verify-title-good = Ce reçu est authentique
verify-title-bad = Ce reçu ne prouve rien
verify-what = Un reçu dit ce qui a été fait sur un compte, qui l’a prouvé et qui l’a signé. Ici, c’est le reçu lui-même qui est vérifié : chaque événement contre la signature du registre public, et ses mots contre les événements. Personne n’a besoin de se connecter.
verify-proves = Il prouve que ces mots ont été demandés, prouvés, signés et conclus comme il le dit, dans cet ordre, et que le registre le garde ainsi depuis. Il ne prouve pas qui était au clavier, ni que rien d’autre n’a été fait ailleurs.
verify-happened = Cela a eu lieu
verify-became = Ce qu’il en est advenu
verify-stopped = Arrêté
verify-declined = Refusé par un collègue
verify-taken-back = Retiré
verify-ran-out = Expiré
verify-failed = Cela n’a pas pu être exécuté
verify-uncertain = Ce n’était alors pas certain
verify-when = Quand
verify-signed-by = Signé par
verify-number = Numéro de reçu
verify-digest = Empreinte
verify-ledger = Dans le registre
verify-ledger-size = Événements : { $events }, entrées en tout : { $entries }
verify-not-happened = Cela n’a pas eu lieu
verify-do-not-rely = Ne vous y fiez pas
verify-why-bad = Il a été modifié, écourté, ou ne vient pas de ce registre. Demandez à qui vous l’a donné le fichier tel qu’il a été téléchargé.
verify-scanned = Le code que vous avez scanné est celui du reçu et de l’empreinte ci-dessous. Le reçu que vous vérifiez ici doit afficher les deux.
verify-paste = Collez le reçu
verify-paste-hint = Le fichier que donne « télécharger le reçu », 1 Mo au plus. Il est vérifié et n’est conservé nulle part.
verify-file = ou choisissez le fichier
verify-go = Vérifier
verify-empty = Collez un reçu ou choisissez son fichier
verify-offline = Sans nous demander
verify-offline-how = La même vérification s’exécute sur votre propre ordinateur, avec la clé que vous avez notée auparavant ou reçue d’une personne de confiance :

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
