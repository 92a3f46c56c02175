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
verify-number = Receipt number
verify-digest = Digest
verify-ledger = In the ledger
verify-ledger-size = Events: { $events }, entries in all: { $entries }
verify-not-happened = It did not happen
verify-do-not-rely = Do not rely on it
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
