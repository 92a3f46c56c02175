# Lo que leen los clientes, en español. Tratamiento: usted. Vocabulario como en docs/languages.md.

## Días y horas

month-short = { $month ->
    [1] ene
    [2] feb
    [3] mar
    [4] abr
    [5] may
    [6] jun
    [7] jul
    [8] ago
    [9] sept
    [10] oct
    [11] nov
   *[12] dic
}
month-long = { $month ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
}
moment-day = { $day } { month-short }, { $time }
moment-year = { $day } { month-short } { $year }, { $time }
moment-zone = { $day } { month-short } { $year }, { $time } { $zone }
moment-month = { month-long } de { $year }
moment-letter = { $day } de { month-long } de { $year }, { $time } { $zone }
length-minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minutos
}
length-hours = { $count ->
    [one] { $count } hora
   *[other] { $count } horas
}
length-days = { $count ->
    [one] { $count } día
   *[other] { $count } días
}
away-in-minutes = { $count ->
    [one] dentro de { $count } minuto
   *[other] dentro de { $count } minutos
}
away-in-hours = { $count ->
    [one] dentro de { $count } hora
   *[other] dentro de { $count } horas
}
away-minutes-ago = { $count ->
    [one] hace { $count } minuto
   *[other] hace { $count } minutos
}
away-hours-ago = { $count ->
    [one] hace { $count } hora
   *[other] hace { $count } horas
}

## Alrededor de cada página

frame-error = Error: { $heading }
frame-skip = Ir al contenido
frame-demo = Demostración con datos inventados.
frame-demo-other = Tomar otro papel
frame-proven = { $proof }: probado.
frame-stop = Detener esto
frame-works-until = Este enlace vale hasta: { $until }.
frame-more-time = Necesito más tiempo
frame-support = Atención al cliente de { $organisation }
frame-never-aloud = Nunca le pedimos que lea un código en voz alta.
frame-language = Idioma
