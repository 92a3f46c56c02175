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
