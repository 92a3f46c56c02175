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
