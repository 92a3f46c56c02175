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
verify-checked-by = Vérifié par
verify-number = Numéro de reçu
verify-digest = Empreinte
verify-ledger = Dans le registre
verify-ledger-size = Événements : { $events }, entrées en tout : { $entries }
verify-not-happened = Cela n’a pas eu lieu
verify-do-not-rely = Ne vous y fiez pas
verify-bad-form = Ce n’est pas un reçu, ou il en manque une partie.
verify-bad-event = Son événement { $number } n’est pas dans le registre.
verify-bad-words = Ses mots ne sont pas ce que disent ses événements.
verify-bad-order = L’événement { $number } ne lui appartient pas, ou il en manque un avant.
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

frame-error = Erreur : { $heading }
frame-skip = Aller au contenu
frame-demo = Démonstration avec des données inventées.
frame-demo-other = Prendre un autre rôle
frame-proven = { $proof } : prouvé.
frame-stop = Arrêter ceci
frame-works-until = Ce lien est valable jusqu’à : { $until }.
frame-more-time = J’ai besoin de plus de temps
frame-support = Assistance { $organisation }
frame-never-aloud = Nous ne vous demandons jamais de lire un code à voix haute.
frame-language = Langue
frame-error-mark = Erreur :
frame-problem = Il y a un problème
frame-call = Si vous avez besoin d’aide maintenant, appelez { $organisation } : { $phone }
frame-words = Ce qui va se passer
frame-marked = Marqué : des caractères cachés, ou qui peuvent être pris pour d’autres.
frame-failed = Cela n’a pas marché. Rien n’a été modifié.
frame-step = Étape { $step } sur { $steps }
frame-other-way = Choisir un autre moyen
frame-open-receipt = Ouvrir le reçu

## Ce qui découle d’une action

effect-changes = Ensuite, ceci sera nouveau : { $label }.
effect-gives = La personne qui le demande aura ensuite : { $label }.
effect-sends = Qui peut lire ceci : { $channel }, aura ensuite cela : { $label }.
effect-loses = Ce qui peut être perdu : { $label }.
waits-fixed = Prend effet après un délai : { $most }
waits-slower = Prend effet tout de suite, ou, par une voie plus lente, après { $most }
waits-range = Prend effet après un délai : de { $least } à { $most }
waits-not = Dès que tout est prouvé.

## La première page : l’avez-vous demandé ?

start-ask = L’avez-vous demandé ?
start-asked = Demandé
start-asked-by = dans le chat avec { $who }, { $at }
start-asked-panel = dans votre espace client, { $at }
start-takes-effect = Prend effet
start-need = Il vous faudra
start-need-nothing = rien que vous ayez à saisir
start-need-one = { $labels }
start-need-some = une partie de ceci : { $labels }
start-yes = Oui, je l’ai demandé
start-no = Non, arrêter ceci
start-told-to = Si quelqu’un vous a envoyé ce lien en vous disant de répondre oui, appuyez sur { $strong }Non, arrêter ceci{ $end }. Rien ne sera modifié.
start-elsewhere = Ce lien a été ouvert ailleurs
start-elsewhere-text = Ce lien a déjà été ouvert sur un autre appareil. Si ce n’était pas vous, vous pouvez { $link }arrêter ceci{ $end }.
start-gone = Ce lien n’est plus valable
start-gone-text = Ce lien a expiré ou a déjà servi. Rien n’a été modifié. Demandez-en un nouveau dans le chat.
start-stopped = Ceci a été arrêté
start-stopped-text = Vous l’avez arrêté : { $at }. Rien n’a été modifié.

## Choisir comment prouver que c’est vous

prove-heading = Prouvez que c’est vous
prove-none = Il n’y a plus de moyen aujourd’hui
prove-none-text = Rien n’a été modifié.
prove-again = Vous pourrez réessayer à partir de : { $at }.
prove-have = Quelque chose que vous avez
prove-know = Quelque chose que vous savez
prove-receive = Quelque chose que vous recevez
prove-continue = Continuer
prove-choose = Choisissez l’un des moyens.
prove-done = Fait
prove-closed = Fermé après trop d’essais jusqu’à : { $until }
prove-too-new = Modifié récemment. Compte à partir de : { $from }
way-pin = Dans votre espace client, ou dans la lettre que nous vous avons envoyée
way-password = Le mot de passe de votre compte
way-app = 6 chiffres de votre application d’authentification
way-mail = Un code envoyé à l’adresse enregistrée
way-text = Un code envoyé au numéro de mobile enregistré
way-passkey = Avec le verrouillage de cet appareil
way-company = Connectez-vous comme d’habitude

## Saisir une preuve

typed-mail = Saisissez le code reçu par e-mail
typed-text = Saisissez le code reçu par SMS
typed-other = Saisissez votre { $label }
typed-hint-pin = Dans votre espace client, sous Assistance, ou dans la lettre que nous vous avons envoyée.
typed-hint-password = Le mot de passe de votre compte. { $organisation } le vérifie, et il n’est pas conservé ici.
typed-hint-app = Les 6 chiffres que votre application d’authentification affiche maintenant.
typed-sent = { $kind ->
    [text] Nous avons envoyé un code de 8 chiffres au numéro de mobile enregistré.
   *[mail] Nous avons envoyé un code de 8 chiffres à l’adresse enregistrée.
}
typed-sent-to = { $kind ->
    [text] Nous avons envoyé un code de 8 chiffres au numéro de mobile enregistré, { $to }.
   *[mail] Nous avons envoyé un code de 8 chiffres à l’adresse enregistrée, { $to }.
}
typed-code-until = Il est valable jusqu’à : { $until }.
typed-check = { $kind ->
    [pin] Vérifier le code PIN
    [password] Vérifier le mot de passe
   *[code] Vérifier le code
}
typed-again-from = Vous pourrez demander un nouveau code à partir de : { $from }.
typed-again = Envoyer un nouveau code
typed-not-mailbox = Je ne peux pas lire cette boîte
typed-not-phone = Je ne peux pas lire ce téléphone
proof-wrong = { $kind ->
    [pin] Ce code PIN n’est pas le bon.
    [password] Ce mot de passe n’est pas le bon.
    [passkey] Cette clé d’accès n’est pas la bonne.
   *[code] Ce code n’est pas le bon.
}
proof-tries = { $tries ->
    [one] Il vous reste { $tries } essai.
   *[other] Il vous reste { $tries } essais.
}
proof-wrong-tries = { proof-wrong } { proof-tries }
proof-empty = { $kind ->
    [pin] Saisissez le code PIN
    [password] Saisissez le mot de passe
    [app] Saisissez les 6 chiffres de votre application d’authentification
   *[code] Saisissez le code
}
proof-run-out = Ce code a expiré. Envoyez-en un nouveau
proof-closed = Ce moyen est fermé après trop d’essais jusqu’à : { $until }.
proof-cancelled = La clé d’accès n’a pas été utilisée. Réessayez ou choisissez un autre moyen.
proof-failed = Cela n’a pas marché. Rien n’a été modifié. Réessayez ou choisissez un autre moyen.

## Clé d’accès

passkey-heading = Utilisez votre clé d’accès
passkey-text = Votre appareil vous demandera votre visage, votre doigt ou un code PIN. Si la clé d’accès est sur un autre appareil, choisissez-le : celui-ci affichera un code à scanner.
passkey-busy = En attente de votre clé d’accès
passkey-unable = Ce navigateur ne connaît pas les clés d’accès.
passkey-no-script = Les clés d’accès ont besoin de JavaScript.
passkey-go = Utiliser ma clé d’accès

## Confirmer

confirm-heading = Vérifiez ce qui va se passer
confirm-button = Oui : { $action }
confirm-number = Saisissez le nombre que { $who } vous donne dans le chat
confirm-number-wrong = Ce n’est pas le bon nombre. Redemandez à { $who } dans le chat
confirm-missing = Il manque encore quelque chose avant que vous puissiez confirmer.
confirm-not-certain = Il n’est pas certain que cela ait été confirmé. Appuyez de nouveau sur le bouton

## La dernière page

done-checked = Vous avez terminé. Une autre personne de notre équipe va vérifier.
done-waits-title = Cela prend effet plus tard
done-waits = Cela prend effet : { $at }
done-ready = Vous avez terminé
done-running = C’est en cours
done-done = C’est fait
done-failed = Cela n’a pas pu être fait
done-unknown = Il n’est pas certain que cela ait été fait
done-declined = Cela a été refusé
done-stopped-title = Ceci a été arrêté
done-stopped = Ceci a été arrêté : { $at }
done-expired = Ceci a expiré
done-failed-text = Rien n’a été modifié. Demandez dans le chat ce qu’il faut faire.
done-unknown-text = Nous cherchons à le savoir, et ce ne sera pas fait deux fois. Vous pouvez revenir sur cette page.
done-declined-text = Une autre personne de notre équipe l’a examiné et refusé. Rien n’a été modifié.
done-stopped-text = Rien n’a été modifié.
done-expired-text = Rien n’a été modifié. Demandez un nouveau lien dans le chat.
done-step-confirmed = Vous avez prouvé que c’est vous, et confirmé
done-step-colleague = Une autre personne de notre équipe vérifie et signe
done-step-at = Cela prend effet : { $at }
done-step-told = Tous les contacts enregistrés sont prévenus, puis le délai court
done-step-last = C’est fait, une seule fois, et vous recevez un reçu
done-step-done = (fait)
done-back = Revenir à { $where }
done-stop-until = Vous pouvez l’arrêter ici, ou avec le lien de notre avis, jusqu’à : { $until }.
done-words = Le texte
done-close = Vous pouvez fermer cette page.
done-live = Elle avance toute seule.
done-reconnecting = Reconnexion
done-refresh = { $link }Actualiser{ $end } pour voir où cela en est.
done-stale = Cette page n’est pas à jour. { $link }Actualiser{ $end }

## Arrêter

stop-ask = Arrêter ceci ?
stop-stopped = Arrêté. Rien n’a été modifié.
stop-already = Ceci est arrêté
stop-too-late = C’est déjà fait
stop-over = Il n’y a rien à arrêter
stop-gone = Ce lien n’est plus valable
stop-failed = L’arrêt n’a pas marché.
stop-failed-call = L’arrêt n’a pas marché. Appelez le { $phone }.
stop-text = Rien ne sera modifié, et notre équipe de sécurité va l’examiner.
stop-until = Vous pouvez l’arrêter jusqu’à : { $until }.
stop-why = Pourquoi, si vous voulez le dire
stop-not-me = Je ne l’ai pas demandé
stop-changed-mind = J’ai changé d’avis
stop-wrong = Quelque chose ne va pas
stop-more = Autre chose à dire
stop-now = Arrêter maintenant
stop-back = Revenir
stop-stopped-title = Rien n’a été modifié
stop-told = Notre équipe de sécurité a été prévenue.
stop-reference = Référence { $case }
stop-next = Que faire maintenant
stop-next-reached = Si quelqu’un vous a demandé d’ouvrir le lien, dites-nous comment cette personne vous a joint.
stop-next-password = Si vous ne l’avez pas demandé, changez votre mot de passe dans votre espace client. Saisissez vous-même son adresse.
stop-already-at = Déjà arrêté, { $at }
stop-already-text = Rien n’a été modifié.
stop-too-late-text = C’est fait : { $at }. Nous avons noté que vous vouliez l’arrêter, et notre équipe de sécurité a été prévenue.
stop-over-text = Cela s’est terminé sans être fait. Rien n’a été modifié.
stop-gone-text = Ce lien a expiré ou n’a jamais été donné.
stop-call = Pour parler à quelqu’un maintenant, appelez { $organisation } : { $phone }

## Reçus

receipts-heading = Reçus
receipts-none = Rien n’a été fait sur votre compte par l’assistance.
receipts-happened = Cela a eu lieu
receipts-did-not = Cela n’a pas eu lieu
receipts-open = Ouvrir
receipts-open-of = le reçu du { $at }
receipts-all = Tous les reçus
receipt-heading = Reçu
receipt-title = Reçu { $number }
receipt-happened = A eu lieu : { $at }
receipt-did-not = N’a pas eu lieu. { $why }, { $at }
receipt-unknown = Il n’est pas certain que cela ait eu lieu
receipt-not-finished = Pas encore terminé
receipt-why-failed = Le système qui l’exécute a dit non
receipt-why-stopped = Arrêté
receipt-why-refused = Refusé par une personne de notre équipe
receipt-why-withdrawn = Retiré
receipt-why-expired = Expiré
receipt-procedure = Procédure
receipt-version = { $action }, version { $version }
receipt-digest = Empreinte
receipt-ledger = Registre
receipt-entry = { $origin }, entrée { $entry }
receipt-check = N’importe qui peut le vérifier : { $link }télécharger le reçu{ $end }, puis le donner à { $address } ou exécuter { $command }. Imprimez ou enregistrez cette page.

## Ce qui s’est passé, ligne par ligne

event-opened = Dossier ouvert
event-link-used = Lien ouvert et utilisé
event-proved = Prouvé : { $label }
event-confirmed = A confirmé le texte exact
event-vouched = A donné sa parole : { $text }
event-signed = Signé avec une clé d’accès
event-refused = Refusé : { $reason }
event-notices = { $count ->
    [one] Un avis à { $count } contact est en route
   *[other] Les avis à { $count } contacts sont en route
}
event-notified = Avis remis : { $label }
event-not-notified = L’avis n’a pas pu être remis : { $label }
event-notified-former = Avis remis : un ancien contact
event-not-notified-former = L’avis n’a pas pu être remis : un ancien contact
event-wait = Le délai a commencé
event-wait-void = Le délai ne compte plus : ce qui le justifiait n’est plus valable
event-ready = Il ne manque rien
event-not-ready = Une exigence n’est plus remplie
event-granted = Autorisé
event-handed-over = Remis au système qui l’exécute
event-done = Fait
event-failed = N’a pas pu être fait ({ $reason }) ; rien n’a été modifié
event-unknown = Pas de réponse : il n’est pas certain que cela ait eu lieu
event-stopped = Arrêté
event-stopped-because = Arrêté : { $reason }
event-too-late = Tentative d’arrêt, trop tard
event-too-late-because = Tentative d’arrêt, trop tard : { $reason }
event-withdrawn = Retiré
event-expired = Expiré
event-drill-told = C’était un exercice

## Quand quelque chose n’a pas marché

problem-elsewhere = Ce formulaire venait d’ailleurs
problem-elsewhere-text = Rien n’a été modifié. Revenez à la page d’où vous venez et appuyez-y sur le bouton.
problem-unreadable = Cela n’a pas pu être lu
problem-unreadable-text = Rien n’a été modifié. Revenez en arrière et réessayez.
problem-nothing = Il n’y a rien ici
problem-nothing-text = L’adresse est fausse, ou elle ne vous est pas destinée.
problem-changed = Ceci a changé pendant que vous regardiez
problem-changed-text = Vous n’avez rien modifié.
problem-changed-show = Voir le nouvel état
problem-gone = Ce lien a déjà servi
problem-gone-text = Il sert une seule fois, et pour un temps seulement. Demandez-en un nouveau dans le chat.
problem-too-many = Trop d’essais
problem-too-many-text = Réessayez à partir de : { $at }.
problem-not-done = Cela n’a pas marché
problem-not-done-text = Rien n’a été modifié.
problem-not-certain-text = Il n’est pas certain que cela ait eu lieu.
problem-not-certain-check = Vérifier
problem-busy = De retour dans un instant
problem-busy-text = Rien n’est perdu. Réessayez dans une minute.
problem-reference = Référence { $reference }

## Lettres : texte simple, par e-mail ou par SMS

letter-notice-subject = { $organisation } : { $action }
letter-notice-first = On a demandé à { $organisation } de faire ceci sur votre compte, et cela aura lieu si personne ne l’arrête :
letter-notice-stop = Si ce n’était pas vous, arrêtez-le ici. Vous n’avez pas besoin de vous connecter :
letter-notice-asked = Demandé le { $at }, dossier { $case }. Nous ne vous demandons jamais de lire un code à voix haute.
letter-code-subject = { $organisation } : votre code pour le dossier { $case }
letter-code-first = Saisissez ce code sur la page que vous avez ouverte, et seulement là. Il sert à ceci et à rien d’autre :
letter-code-last = Personne chez { $organisation } ne vous demandera jamais de le lire à voix haute. Si vous ne l’avez pas demandé, ne faites rien.
letter-removed-subject = { $organisation } : cette adresse a été retirée de votre compte
letter-removed-first = Cette adresse n’est plus enregistrée pour un compte chez { $organisation }.
letter-removed-last = Si vous ne l’avez pas demandé, contactez { $organisation } maintenant. Pendant les 30 prochains jours, cette adresse sera encore prévenue de ce qui est demandé sur le compte, et pourra encore l’arrêter.

## Chez l'entreprise elle-même, et sur l'appareil du client

company-heading = Connectez-vous chez { $company }
company-heading-back = Vous voilà de retour de { $company }
company-text = Vous vous y connectez avec votre propre compte, même si vous êtes déjà connecté, puis vous revenez à cette page. Nous ne voyons jamais ce que vous y saisissez.
company-back-text = Appuyez sur le bouton pour utiliser ici cette connexion. Elle compte une fois, et pour rien d’autre.
company-go = Continuer avec { $company }
company-wrong = Cela n’a pas prouvé que c’est vous.
company-wrong-tries = { company-wrong } { proof-tries }
company-cancelled = La connexion a été annulée. Rien n’a été modifié.
company-too-weak = Il faut ici une connexion récente et plus forte, par exemple avec une deuxième étape. Rien n’a été modifié.
company-over = Cela a pris trop de temps, ou a déjà servi. Recommencez.
way-push = Répondez dans l’application de votre appareil
push-heading = Répondez sur votre appareil
push-waiting = Nous avons interrogé l’application de votre téléphone
push-proved = Vous avez dit oui sur votre appareil
push-denied = Vous avez dit non sur votre appareil
push-over = Il n’y a pas eu de réponse
push-text = Votre appareil affiche ceci. Dites oui seulement si c’est ce que vous avez demandé. Vous pouvez répondre jusqu’à : { $until }.
push-shows = Ce qu’affiche votre appareil
push-denied-text = Cela a été arrêté, et rien n’a été modifié.
push-ask-text = { $company } vous demande sur votre propre appareil si vous voulez ceci, avec le même texte qu’ici. Il ne vous faut que l’appareil.
push-ask = Interroger mon appareil
push-too-soon = Votre appareil vient d’être interrogé. Vous pourrez l’interroger de nouveau à partir de : { $from }.
push-no-more = Votre appareil a été interrogé trop souvent. Choisissez un autre moyen.
push-ran-out = Personne n’a répondu à temps sur votre appareil.
way-check = Nous vérifions nous-mêmes
check-heading = Laissez-nous vérifier
check-waiting = Nous vérifions
check-proved = Nous avons vérifié
check-over = Cela n’a pas été confirmé
check-text = Vous n’avez rien d’autre à faire ici. La réponse arrive au plus tard à : { $until }.
check-ask-text = { $company } vérifie de son côté et communique le résultat à cette page. Vous ne saisissez rien ici.
check-ask = Vérifier maintenant
check-refused = Nous n’avons pas pu le confirmer. Cela compte comme un essai.
check-too-soon = Nous venons de le demander. Vous pourrez le redemander à partir de : { $from }.
check-no-more = Cela a été demandé trop souvent. Choisissez un autre moyen.
check-ran-out = Aucune réponse n’est venue à temps. Rien n’a été compté.
check-failed = Nous ne pouvons pas vérifier cela pour le moment. Rien n’a été compté. Réessayez plus tard ou choisissez un autre moyen.

start-receipt = Votre reçu
start-receipt-text = Votre dossier est terminé. Ce lien ouvre son reçu, une seule fois, et rien d’autre.
confirm-number-missing = Saisissez les deux chiffres que l’on vous donne.
confirm-number-tries = { $tries ->
    [one] Ce n’est pas le bon nombre. Il reste un essai.
   *[other] Ce n’est pas le bon nombre. Il reste { $tries } essais.
}
confirm-number-closed = Trop de nombres faux. Rien n’a été confirmé. Arrêtez ceci, ou réessayez à partir de : { $until }.
done-to-set = Il reste une chose
done-to-set-here = Choisissez vous-même le nouveau. Personne d’autre ne le peut. Jusqu’à : { $until }.
done-to-set-there = Le nouveau se choisit sur la page où vous avez prouvé que c’est vous, jusqu’à : { $until }.
done-set = Le choisir maintenant
receipt-qr = Code QR de l’adresse où n’importe qui peut vérifier ce reçu
letter-enrolled-subject = { $organisation } : modifié : { $label }
letter-enrolled-first = Le { $at }, ceci a été choisi de nouveau ou retiré sur votre compte chez { $organisation } :
letter-enrolled-last = Cela a été fait par le dossier { $case }. Si ce n’était pas vous, contactez { $organisation } maintenant.
letter-who = Quelqu’un de { $organisation } est en train de vous parler ? Regardez ici :

## Page d’état

status-all-well = Tout fonctionne
status-something = Quelque chose ne va pas
status-none-now = Il n’y a pas d’incident en ce moment.
status-now = Maintenant
status-past = Avant
status-none-past = Rien n’a encore été signalé.
status-looking = Nous cherchons
status-found = Trouvé
status-watching = Réparé, nous surveillons
status-over = Terminé
status-next = Prochaine nouvelle : { $when }
status-overdue = La prochaine nouvelle était attendue : { $when }. Elle est en retard.
status-updates = Nouvelles
status-statement = Déclaration
status-version = Version { $version }, { $when }
status-corrected = Cette version a été corrigée. Celle du dessus fait foi.
status-back = Tous les incidents
status-feed = Flux Atom
status-subscribe-heading = Recevoir les nouvelles par courriel
status-subscribe-what = Nous écrivons quand il y a du nouveau, et pour rien d’autre. Chaque lettre permet de se désabonner en un clic.
status-address = Votre adresse électronique
status-subscribe = M’envoyer les nouvelles
status-address-wrong = Cela ne peut pas être une adresse électronique.
status-asked-heading = Regardez dans votre boîte aux lettres
status-asked = Si l’adresse est bonne, une lettre est en route. Ouvrez le lien dans la journée ; d’ici là vous ne recevrez rien d’autre.
status-confirm-heading = Recevoir les nouvelles par courriel ?
status-confirm-what = Un clic, et nous écrivons à l’adresse à laquelle ce lien a été envoyé.
status-confirm = Oui, m’envoyer les nouvelles
status-confirmed-heading = Vous recevez maintenant les nouvelles
status-confirmed = Nous écrivons quand il y a du nouveau. Chaque lettre contient un lien pour se désabonner.
status-gone-heading = Ce lien a déjà servi
status-gone = Demandez-en un autre sur la page d’état.
status-leave-heading = Ne plus recevoir les nouvelles ?
status-leave-what = Vous ne recevrez plus de lettres sur la page d’état.
status-leave = Plus de lettres
status-left-heading = Vous ne recevez plus les nouvelles
status-left = Vous pouvez vous réabonner quand vous voulez sur la page d’état.
letter-status-subject = { $organisation } : { $headline }
letter-status-leave = Vous avez demandé ces lettres. Ne plus en recevoir :
letter-subscribe-subject = À confirmer : les nouvelles de { $organisation }
letter-subscribe-first = Quelqu’un, peut-être vous, a demandé à recevoir à cette adresse les nouvelles de { $organisation }. Pour les recevoir, ouvrez ceci et appuyez sur le bouton :
letter-subscribe-last = Si ce n’était pas vous, ne faites rien. Nous n’écrirons plus.
letter-subscribed-subject = Vous recevez déjà les nouvelles de { $organisation }
letter-subscribed-first = Quelqu’un, peut-être vous, a demandé à recevoir à cette adresse les nouvelles de { $organisation }. Elle les reçoit déjà.
letter-incident-subject = { $organisation } : ce qui est arrivé à votre compte
letter-incident-first = Quelque chose s’est mal passé chez { $organisation }, et votre compte a été touché. Cette lettre dit ce que nous savons de vous, et personne d’autre ne la reçoit.
letter-incident-yours = Ce qui est arrivé sur votre compte :
letter-incident-uncovered = Ceci a été fait sans demande connue de nos registres : { $action }
letter-incident-receipt = Ce qui a été prouvé, signé et fait, à garder et à vérifier :
letter-incident-no-case = Nous n’avons trouvé sur votre compte aucune demande qui en fasse partie.
letter-incident-more = Ce que nous disons à tous se trouve ici :
