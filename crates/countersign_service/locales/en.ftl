# What customers read, in English: the source that the other files translate. docs/languages.md says how.
# Tone: a calm colleague who has time. Says what, then why, then what next. No blame, no jargon, no exclamation marks.

## Days and times

month-short = { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
}
month-long = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
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
    [one] { $count } hour
   *[other] { $count } hours
}
length-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
away-in-minutes = { $count ->
    [one] in { $count } minute
   *[other] in { $count } minutes
}
away-in-hours = { $count ->
    [one] in { $count } hour
   *[other] in { $count } hours
}
away-minutes-ago = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
away-hours-ago = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}

## Is someone from us talking to you?

frame-is-it-us = Is someone from { $organisation } talking to you?
talking-ask-heading = Is someone from us talking to you?
talking-ask = Ask the person for their case number. It has twelve digits. If they have none, or do not want to tell you, they are not from { $organisation }.
talking-number = Case number
talking-example = For example { $number }
talking-look = Look who it is
talking-no-account = You do not need an account or a password here.
talking-mistyped = That number cannot be one of ours. Check each digit.
talking-somebody-heading = Yes, one of us has this case open
talking-program = { $agent }, a program of ours
talking-since = This case has been open since: { $since }
talking-account = Account
talking-checks = It is only us if all of this is right
talking-check-account = The account begins with your letters.
talking-check-words = The words say what you asked us for. If you did not ask us for anything, hang up.
talking-check-name = The name is the one you were told.
talking-check-codes = Nobody asks you to read a code, PIN or password aloud. You type them on our page only.
talking-another = Look up another number
talking-nobody-heading = Nobody. Stop.
talking-nobody = Nobody from { $organisation } has a case with this number open
talking-nobody-why = Whoever gave it to you is not working on anything of yours.
talking-what-to-do = What to do
talking-hang-up = Hang up, or close the chat. You do not need to explain.
talking-do-nothing = Do not read out, type or confirm anything they ask for.
talking-call-back = Call us back on the number you already know, from your contract or an old bill. Not one they give you.
talking-try-again = I mistyped it: try again
talking-too-many-heading = We cannot look now
talking-too-many = Too many numbers were looked up. Try again at: { $when }
talking-until-then = Until then, treat it as nobody: hang up, and call us back on the number you already know.
talking-our-number = Our number:

## Setting a PIN, an app or passkeys

enrol-title-pin = Choose a new PIN
enrol-title-app = Set up your authenticator app
enrol-title-keys = Change your passkeys
enrol-title-key = Add a passkey
enrol-pin-why = It is asked for whenever you need support. Nobody who works here can see it, and nobody will ask you to say it aloud.
enrol-pin = Your new PIN
enrol-pin-rules = 6 to 12 digits. Not in a row, not repeated, and none that others can look up: no birthday, no telephone or customer number.
enrol-pin-again = The same once more
enrol-pin-set = Set the PIN
enrol-app-open = Open the authenticator app on your phone, and add an account.
enrol-app-scan = Scan this, or type the letters below it.
enrol-app-enter = Enter the 6 numbers that the app shows then.
enrol-app-qr = QR code of the secret that is written below
enrol-app-hint = Time-based, 6 numbers, every 30 seconds. { $link }Open the app on this device{ $end }. Keep the letters to yourself: whoever has them has the app.
enrol-app-code = The 6 numbers
enrol-app-counts = Only then does the app count.
enrol-app-set = Use this app
enrol-key-what = A passkey is kept by your device, and opened by your face, finger or the device’s PIN. It works on this site alone.
enrol-key-have = You have
enrol-key-added = Added: { $at }
enrol-key-used = Last used: { $at }
enrol-key-name = Name
enrol-key-name-hint = So that you can tell it from others: “phone”.
enrol-key-instead = The new one takes the place of
enrol-key-make = Make the passkey
enrol-key-busy = Waiting for your passkey
enrol-key-cancelled = Nothing was changed. The passkey was not made.
enrol-key-failed = This did not work. Nothing was changed. Try again.
enrol-key-unable = This browser has no passkeys. Use another one.
enrol-key-script = Passkeys need JavaScript.
enrol-key-only-remove = Only remove, and make none
enrol-key-remove = Remove
enrol-key-none-left = Without any passkey you prove who you are in another way from then on.
enrol-key-remove-marked = Remove what is marked
enrol-once = You can do this once, until: { $until }. Everybody on file is told that it was changed.
enrol-wrong-again = The two are not the same
enrol-wrong-length = Use 6 to 12 digits
enrol-wrong-run = Use digits that do not follow each other
enrol-wrong-repeated = Use digits that do not repeat
enrol-wrong-known = Use digits that nobody can look up
enrol-wrong-code = The code is not the one the app shows
enrol-wrong-none = Choose a passkey to remove
enrol-wrong-held = There is one already

## Checking a receipt

verify-title = Check a receipt
verify-title-good = This receipt is genuine
verify-title-bad = This receipt proves nothing
verify-what = A receipt says what was done on an account, who proved and who signed it. Here the receipt itself is checked: every event in it against the public ledger’s signature, and its words against the events. Nobody needs to sign in.
verify-proves = It proves that these words were asked for, proved, signed and ended as it says, in this order, and that the ledger has held it so since. It does not prove who was at the keyboard, nor that nothing else was done elsewhere.
verify-happened = It happened
verify-became = What became of it
verify-stopped = Stopped
verify-declined = Declined by a colleague
verify-taken-back = Taken back
verify-ran-out = It ran out
verify-failed = It could not be carried out
verify-uncertain = It was not certain then
verify-when = When
verify-signed-by = Signed by
verify-checked-by = Checked by
verify-number = Receipt number
verify-digest = Digest
verify-ledger = In the ledger
verify-ledger-size = Events: { $events }, entries in all: { $entries }
verify-not-happened = It did not happen
verify-do-not-rely = Do not rely on it
verify-bad-form = This is not a receipt, or a part of it is missing.
verify-bad-event = Event { $number } of it is not in the ledger.
verify-bad-words = Its words are not what its events say.
verify-bad-order = Event { $number } does not belong to it, or one before it is missing.
verify-why-bad = It was changed, cut short, or is not from this ledger. Ask whoever gave it to you for the file as it was downloaded.
verify-scanned = The code you scanned is of the receipt and digest below. The receipt you check here must show both.
verify-paste = Paste the receipt
verify-paste-hint = The file that “download the receipt” gives, at most 1 MB. It is checked and kept nowhere.
verify-file = or choose the file
verify-go = Check it
verify-empty = Paste a receipt, or choose its file
verify-offline = Without asking us
verify-offline-how = The same check runs on your own computer, with the key you noted down earlier or got from somebody you trust:

## Round every page

frame-error = Error: { $heading }
frame-skip = Skip to the content
frame-demo = Demonstration with made-up data.
frame-demo-other = Take another part
frame-proven = { $proof }: proven.
frame-stop = Stop this
frame-works-until = This link works until { $until }.
frame-more-time = Give me more time
frame-support = { $organisation } support
frame-never-aloud = We never ask you to read a code aloud.
frame-language = Language
frame-error-mark = Error:
frame-problem = There is a problem
frame-call = If you need help now, call { $organisation }: { $phone }
frame-words = What will happen
frame-marked = Marked: characters that are hidden or can be taken for others.
frame-failed = This did not work. Nothing was changed.
frame-step = Step { $step } of { $steps }
frame-other-way = Choose another way
frame-open-receipt = Open the receipt

## What follows from an action

effect-changes = The { $label } is then a new one.
effect-gives = Whoever asks then holds the { $label }.
effect-sends = Whoever can read the { $channel } then has the { $label }.
effect-loses = What can be lost: { $label }.
waits-fixed = Waits { $most } before it takes effect
waits-slower = Takes effect at once, or after { $most } on a slower way
waits-range = Waits { $least } to { $most } before it takes effect
waits-not = As soon as everything is proven.

## The first page: did you ask for this?

start-ask = Did you ask for this?
start-asked = Asked
start-asked-by = in the chat with { $who }, { $at }
start-asked-panel = in your customer panel, { $at }
start-takes-effect = Takes effect
start-need = You will need
start-need-nothing = nothing you have to type
start-need-one = { $labels }
start-need-some = some of: { $labels }
start-yes = Yes, I asked for this
start-no = No, stop this
start-told-to = If someone sent you this link and told you to say yes, press { $strong }No, stop this{ $end }. Nothing will be changed.
start-elsewhere = This link was opened elsewhere
start-elsewhere-text = This link was already opened on another device. If that was not you, { $link }stop this{ $end }.
start-gone = This link does not work any more
start-gone-text = This link ran out or was used. Nothing was changed. Ask in the chat for a new one.
start-stopped = This was stopped
start-stopped-text = You stopped this at { $at }. Nothing was changed.

## Choosing how to prove it is you

prove-heading = Prove it is you
prove-none = There is no way left today
prove-none-text = Nothing was changed.
prove-again = You can try again from { $at }.
prove-have = Something you have
prove-know = Something you know
prove-receive = Something you receive
prove-continue = Continue
prove-choose = Choose one of the ways.
prove-done = Done
prove-closed = Closed until { $until } after too many tries
prove-too-new = Changed recently. It counts from { $from }
way-pin = From your customer panel, or the letter we sent you
way-password = The password of your account
way-app = 6 numbers from your authenticator app
way-mail = A code sent to the address on file
way-text = A code sent to the mobile number on file
way-passkey = Use the lock of this device
way-company = Sign in the way you always do

## Typing a proof

typed-mail = Enter the code from the email
typed-text = Enter the code from the text message
typed-other = Enter your { $label }
typed-hint-pin = In your customer panel under Support, or in the letter we sent you.
typed-hint-password = The password of your account. It is checked by { $organisation } and kept nowhere here.
typed-hint-app = The 6 numbers your authenticator app shows now.
typed-sent = { $kind ->
    [text] We sent a code of 8 numbers to the mobile number on file.
   *[mail] We sent a code of 8 numbers to the address on file.
}
typed-sent-to = { $kind ->
    [text] We sent a code of 8 numbers to the mobile number on file, { $to }.
   *[mail] We sent a code of 8 numbers to the address on file, { $to }.
}
typed-code-until = It works until { $until }.
typed-check = { $kind ->
    [pin] Check the PIN
    [password] Check the password
   *[code] Check the code
}
typed-again-from = You can have a new code sent from { $from }.
typed-again = Send a new code
typed-not-mailbox = I cannot read that mailbox
typed-not-phone = I cannot read that phone
proof-wrong = { $kind ->
    [pin] That PIN is not right.
    [password] That password is not right.
    [passkey] That passkey is not right.
   *[code] That code is not right.
}
proof-tries = { $tries ->
    [one] You have { $tries } try left.
   *[other] You have { $tries } tries left.
}
proof-wrong-tries = { proof-wrong } { proof-tries }
proof-empty = { $kind ->
    [pin] Enter the PIN
    [password] Enter the password
    [app] Enter the 6 numbers from your authenticator app
   *[code] Enter the code
}
proof-run-out = That code has run out. Send a new one
proof-closed = This way is closed after too many tries, until { $until }.
proof-cancelled = The passkey was not used. Try again or choose another way.
proof-failed = This did not work. Nothing was changed. Try again or choose another way.

## Passkey

passkey-heading = Use your passkey
passkey-text = Your device will ask for your face, finger or PIN. If the passkey is on another device, choose that: this one will show a code to scan.
passkey-busy = Waiting for your passkey
passkey-unable = This browser has no passkeys.
passkey-no-script = Passkeys need JavaScript.
passkey-go = Use my passkey

## Confirming

confirm-heading = Check what will happen
confirm-button = Yes: { $action }
confirm-number = Type the number that { $who } tells you in the chat
confirm-number-wrong = That is not the number. Ask { $who } again in the chat
confirm-missing = Something is still missing before you can confirm.
confirm-not-certain = It is not certain whether it was confirmed. Press the button again

## The last page

done-checked = You are done. A colleague will check it.
done-waits-title = It takes effect later
done-waits = It takes effect on { $at }
done-ready = You are done
done-running = It is being done now
done-done = It was done
done-failed = It could not be done
done-unknown = It is not certain whether it was done
done-declined = It was declined
done-stopped-title = This was stopped
done-stopped = This was stopped at { $at }
done-expired = This ran out
done-failed-text = Nothing was changed. Ask in the chat what to do next.
done-unknown-text = We are finding out, and it is not done twice. You can come back to this page.
done-declined-text = A colleague looked at it and declined. Nothing was changed.
done-stopped-text = Nothing was changed.
done-expired-text = Nothing was changed. Ask in the chat for a new link.
done-step-confirmed = You proved it is you and confirmed
done-step-colleague = A colleague checks it and signs
done-step-at = It takes effect on { $at }
done-step-told = Everybody on file is told, and it waits
done-step-last = It is done, once, and you get a receipt
done-step-done = (done)
done-back = Back to { $where }
done-stop-until = You can stop it until { $until }, here or with the link in our message.
done-words = The words
done-close = You can close this page.
done-live = It moves on by itself.
done-reconnecting = Reconnecting
done-refresh = { $link }Refresh{ $end } to see how it stands.
done-stale = This page is not up to date. { $link }Refresh{ $end }

## Stopping

stop-ask = Stop this?
stop-stopped = Stopped. Nothing was changed.
stop-already = This is stopped
stop-too-late = This already happened
stop-over = There is nothing to stop
stop-gone = This link does not work any more
stop-failed = Stopping did not work.
stop-failed-call = Stopping did not work. Call { $phone }.
stop-text = Nothing will be changed, and our security team will look at it.
stop-until = You can stop it until { $until }.
stop-why = Why, if you want to say
stop-not-me = I did not ask for it
stop-changed-mind = I changed my mind
stop-wrong = Something looks wrong
stop-more = Anything else
stop-now = Stop it now
stop-back = Go back
stop-stopped-title = Nothing was changed
stop-told = Our security team has been told.
stop-reference = Reference { $case }
stop-next = What to do next
stop-next-reached = If someone asked you to open the link, tell us how they reached you.
stop-next-password = If you did not ask for this, change your password in your customer panel. Type its address yourself.
stop-already-at = Already stopped, { $at }
stop-already-text = Nothing was changed.
stop-too-late-text = It was done at { $at }. We have noted that you wanted to stop it, and our security team has been told.
stop-over-text = It ended without being done. Nothing was changed.
stop-gone-text = This link ran out or was never given.
stop-call = To talk to somebody now, call { $organisation }: { $phone }

## Receipts

receipts-heading = Receipts
receipts-none = Nothing has been done on your account through support.
receipts-happened = Happened
receipts-did-not = Did not happen
receipts-open = Open
receipts-open-of = the receipt of { $at }
receipts-all = All receipts
receipt-heading = Receipt
receipt-title = Receipt { $number }
receipt-happened = Happened { $at }
receipt-did-not = Did not happen. { $why }, { $at }
receipt-unknown = It is not certain whether it happened
receipt-not-finished = Not finished yet
receipt-why-failed = The backend said no
receipt-why-stopped = Stopped
receipt-why-refused = Declined by a colleague
receipt-why-withdrawn = Taken back
receipt-why-expired = It ran out
receipt-procedure = Procedure
receipt-version = { $action }, version { $version }
receipt-digest = Digest
receipt-ledger = Ledger
receipt-entry = { $origin }, entry { $entry }
receipt-check = Anyone can check it: { $link }download the receipt{ $end }, then put it in at { $address } or run { $command }. Print or save this page.

## What happened, line by line; staff read the English of these too

event-opened = Case opened
event-link-used = Link opened and used
event-proved = Proven: { $label }
event-confirmed = Confirmed the exact words
event-vouched = Gave their word: { $text }
event-signed = Signed with a passkey
event-refused = Refused: { $reason }
event-notices = { $count ->
    [one] A notice to { $count } contact is on its way
   *[other] Notices to { $count } contacts are on their way
}
event-notified = Notice handed over: { $label }
event-not-notified = Notice could not be delivered: { $label }
event-notified-former = Notice handed over: a former contact
event-not-notified-former = Notice could not be delivered: a former contact
event-wait = The waiting period began
event-wait-void = The waiting period counts no more: what it was earned with no longer holds
event-ready = Nothing is missing
event-not-ready = A requirement no longer holds
event-granted = Granted
event-handed-over = Handed to the system that runs it
event-done = Done
event-failed = Could not be carried out ({ $reason }); nothing changed
event-unknown = No answer: it is not certain whether it happened
event-stopped = Stopped
event-stopped-because = Stopped: { $reason }
event-too-late = Tried to stop it, too late
event-too-late-because = Tried to stop it, too late: { $reason }
event-withdrawn = Taken back
event-expired = Ran out
event-drill-told = This was a drill

## When something did not work

problem-elsewhere = This form came from somewhere else
problem-elsewhere-text = Nothing was changed. Go back to the page you came from and press the button there.
problem-unreadable = This could not be read
problem-unreadable-text = Nothing was changed. Go back and try again.
problem-nothing = There is nothing here
problem-nothing-text = The address is wrong, or it is not for you to see.
problem-changed = This changed while you were looking
problem-changed-text = Nothing was changed by you.
problem-changed-show = Show the new one
problem-gone = This link is used up
problem-gone-text = It works once, and only for a while. Ask in the chat for a new one.
problem-too-many = Too many tries
problem-too-many-text = Try again at { $at }.
problem-not-done = This did not work
problem-not-done-text = Nothing was changed.
problem-not-certain-text = It is not certain whether it happened.
problem-not-certain-check = Check
problem-busy = Back in a moment
problem-busy-text = Nothing is lost. Try again in a minute.
problem-reference = Reference { $reference }

## Letters: plain text by email, or by text message

letter-notice-subject = { $organisation }: { $action }
letter-notice-first = { $organisation } has been asked to do this on your account, and it will happen unless somebody stops it:
letter-notice-stop = If this was not you, stop it here. You do not need to sign in:
letter-notice-asked = It was asked for on { $at }, as case { $case }. We never ask you to read a code aloud.
letter-code-subject = Your { $organisation } code for case { $case }
letter-code-first = Type this code on the page you opened, and only there. It is for this and nothing else:
letter-code-last = Nobody at { $organisation } will ever ask you to read it aloud. If you did not ask for it, do nothing.
letter-removed-subject = This address was removed from your { $organisation } account
letter-removed-first = This address is no longer on file for an account at { $organisation }.
letter-removed-last = If you did not ask for this, contact { $organisation } now. For the next 30 days this address is still told, and can still stop, what is asked for on the account.

## At the company's own sign-in, and on the customer's device

company-heading = Sign in to { $company }
company-heading-back = You are back from { $company }
company-text = You sign in there with your own account, even if you are signed in already, and come back to this page. We never see what you type there.
company-back-text = Press the button to use this sign-in here. It counts once, and for nothing else.
company-go = Continue with { $company }
company-wrong = That did not prove it is you.
company-wrong-tries = { company-wrong } { proof-tries }
company-cancelled = The sign-in was cancelled. Nothing was changed.
company-too-weak = This needs a fresh and stronger sign-in, such as one with a second step. Nothing was changed.
company-over = That took too long, or was used already. Start again.
way-push = Answer in the app on your device
push-heading = Answer on your device
push-waiting = We asked the app on your phone
push-proved = You said yes on your device
push-denied = You said no on your device
push-over = This was not answered
push-text = Your device shows this. Say yes only if it is what you asked for; you can answer until { $until }.
push-shows = What your device shows
push-denied-text = It was stopped, and nothing was changed.
push-ask-text = { $company } asks you on your own device whether you want this, in the same words as here. You need nothing but the device.
push-ask = Ask my device
push-too-soon = Your device was asked a moment ago. You can ask again from { $from }.
push-no-more = Your device was asked too often. Choose another way.
push-ran-out = Nobody answered on your device in time.
way-check = We look at it ourselves
check-heading = Let us check this
check-waiting = We are checking
check-proved = We checked it
check-over = This was not confirmed
check-text = You need do nothing more here. The answer comes by { $until } at the latest, and the page moves on.
check-ask-text = { $company } looks at this itself and tells this page what it found. You type nothing here.
check-ask = Check it now
check-refused = We could not confirm that. It counts as one try.
check-too-soon = We asked a moment ago. You can ask again from { $from }.
check-no-more = This was asked too often. Choose another way.
check-ran-out = No answer came in time. Nothing was counted.
check-failed = We cannot check this right now. Nothing was counted. Try again later or choose another way.

## Later: what is set, numbers told aloud, and who is talking

start-receipt = Your receipt
start-receipt-text = Your case is over. This link opens its receipt, once, and nothing else.
confirm-number-missing = Type the two digits that the agent tells you.
confirm-number-tries = { $tries ->
    [one] That is not the number. One try left.
   *[other] That is not the number. { $tries } tries left.
}
confirm-number-closed = Too many wrong numbers. Nothing was confirmed. Try again from { $until }, or stop this.
done-to-set = One thing is left
done-to-set-here = Set the new one yourself, until { $until }. Nobody else can.
done-to-set-there = The new one is set on the page where you proved that it is you, until { $until }.
done-set = Set it now
receipt-qr = QR code of the address where anyone can check this receipt
letter-enrolled-subject = { $organisation }: your { $label } was changed
letter-enrolled-first = On { $at } this was set anew or removed on your account at { $organisation }:
letter-enrolled-last = It was done by case { $case }. If this was not you, contact { $organisation } now.
letter-who = Is someone from { $organisation } talking to you? Look here:

## Status page

status-all-well = Everything works
status-something = Something is not right
status-none-now = There is no incident now.
status-now = Now
status-past = Before
status-none-past = Nothing has been reported yet.
status-looking = Looking into it
status-found = Found
status-watching = Fixed, watching
status-over = Over
status-next = Next update: { $when }
status-overdue = The next update was due: { $when }. It is late.
status-updates = Updates
status-statement = Statement
status-version = Version { $version }, { $when }
status-corrected = This version was corrected. The one above counts.
status-back = All incidents
status-feed = Atom feed
status-subscribe-heading = Get updates by mail
status-subscribe-what = We write when there is something new, and about nothing else. You can leave with one click in every letter.
status-address = Your e-mail address
status-subscribe = Send me updates
status-address-wrong = This cannot be an e-mail address.
status-asked-heading = Look in your mailbox
status-asked = If the address is right, a letter is on its way to it. Press the link in it within a day; until then you get nothing else.
status-confirm-heading = Get updates by mail?
status-confirm-what = One press, and we write to the address this link was sent to.
status-confirm = Yes, send me updates
status-confirmed-heading = You get updates now
status-confirmed = We write when there is something new. Every letter has a link to leave.
status-gone-heading = This link is used up
status-gone = Ask for a new one on the status page.
status-leave-heading = Stop getting updates?
status-leave-what = You get no more letters about the status page.
status-leave = Stop the letters
status-left-heading = You get no more updates
status-left = You can subscribe again on the status page whenever you like.
letter-status-subject = { $organisation }: { $headline }
letter-status-leave = You asked for these letters. Get no more of them:
letter-subscribe-subject = Confirm: updates from { $organisation }
letter-subscribe-first = Somebody, perhaps you, asked to get updates about { $organisation } at this address. To get them, open this and press the button:
letter-subscribe-last = If it was not you, do nothing. We do not write again.
letter-subscribed-subject = You already get updates from { $organisation }
letter-subscribed-first = Somebody, perhaps you, asked to get updates about { $organisation } at this address. It gets them already.
letter-incident-subject = { $organisation }: what happened to your account
letter-incident-first = Something went wrong at { $organisation }, and it touched your account. This letter says what we know about you, and nobody else gets it.
letter-incident-yours = What happened on your account:
letter-incident-uncovered = This was done without a request that our records know: { $action }
letter-incident-receipt = What was proved, signed and done, to keep and to check:
letter-incident-no-case = We have found no request on your account that belongs to it.
letter-incident-more = What we tell everybody stands here:
