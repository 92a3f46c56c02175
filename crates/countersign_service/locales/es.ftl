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

## ¿Le habla alguien de nosotros?

frame-is-it-us = ¿Le está hablando alguien de { $organisation }?
talking-ask-heading = ¿Le está hablando alguien de nosotros?
talking-ask = Pida a la persona su número de caso. Tiene doce cifras. Si no tiene ninguno, o no quiere decírselo, no es de { $organisation }.
talking-number = Número de caso
talking-example = Por ejemplo { $number }
talking-look = Ver quién es
talking-no-account = Aquí no necesita ninguna cuenta ni contraseña.
talking-mistyped = Ese número no puede ser de los nuestros. Revise cada cifra.
talking-somebody-heading = Sí, alguien de nosotros tiene este caso abierto
talking-program = { $agent }, un programa nuestro
talking-since = Este caso está abierto desde: { $since }
talking-account = Cuenta
talking-checks = Solo somos nosotros si todo esto es correcto
talking-check-account = La cuenta empieza por sus letras.
talking-check-words = El texto dice lo que usted nos pidió. Si no nos pidió nada, cuelgue.
talking-check-name = El nombre es el que le dijeron.
talking-check-codes = Nadie le pide que lea en voz alta un código, un PIN o una contraseña. Los escribe solo en nuestra página.
talking-another = Consultar otro número
talking-nobody-heading = Nadie. Pare.
talking-nobody = Nadie de { $organisation } tiene abierto un caso con este número
talking-nobody-why = Quien se lo dio no está trabajando en nada suyo.
talking-what-to-do = Qué hacer
talking-hang-up = Cuelgue o cierre el chat. No tiene que dar explicaciones.
talking-do-nothing = No lea, escriba ni confirme nada de lo que le pidan.
talking-call-back = Llámenos al número que ya conoce, el de su contrato o de una factura antigua. No al que le den.
talking-try-again = Lo escribí mal: probar otra vez
talking-too-many-heading = Ahora no podemos consultarlo
talking-too-many = Se consultaron demasiados números. Vuelva a probar a las: { $when }
talking-until-then = Hasta entonces, actúe como si no fuera nadie: cuelgue y llámenos al número que ya conoce.
talking-our-number = Nuestro número:

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
