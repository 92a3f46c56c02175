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

## Setting a PIN, an app or passkeys

enrol-title-pin = Elija un PIN nuevo
enrol-title-app = Configure su aplicación de autenticación
enrol-title-keys = Cambie sus llaves de acceso
enrol-title-key = Añada una llave de acceso
enrol-pin-why = Se le pide cuando necesita asistencia. Nadie que trabaje aquí puede verlo, y nadie le pedirá que lo diga en voz alta.
enrol-pin = Su PIN nuevo
enrol-pin-rules = De 6 a 12 cifras. Ni seguidas, ni repetidas, ni que otros puedan averiguar: ni cumpleaños, ni número de teléfono o de cliente.
enrol-pin-again = El mismo otra vez
enrol-pin-set = Fijar el PIN
enrol-app-open = Abra la aplicación de autenticación en su teléfono y añada una cuenta.
enrol-app-scan = Escanee esto o escriba las letras de debajo.
enrol-app-enter = Introduzca las 6 cifras que la aplicación muestra entonces.
enrol-app-qr = Código QR del secreto escrito debajo
enrol-app-hint = Basado en el tiempo, 6 cifras, cada 30 segundos. { $link }Abrir la aplicación en este dispositivo{ $end }. Guarde las letras para usted: quien las tiene, tiene la aplicación.
enrol-app-code = Las 6 cifras
enrol-app-counts = Solo entonces cuenta la aplicación.
enrol-app-set = Usar esta aplicación
enrol-key-what = Una llave de acceso se guarda en su dispositivo y se abre con su cara, su dedo o el PIN del dispositivo. Solo sirve en este sitio.
enrol-key-have = Usted tiene
enrol-key-added = Añadida: { $at }
enrol-key-used = Último uso: { $at }
enrol-key-name = Nombre
enrol-key-name-hint = Para distinguirla de otras: «teléfono».
enrol-key-instead = La nueva sustituye a
enrol-key-make = Crear la llave de acceso
enrol-key-busy = Esperando su llave de acceso
enrol-key-cancelled = No se ha cambiado nada. La llave de acceso no se ha creado.
enrol-key-failed = No ha funcionado. No se ha cambiado nada. Inténtelo de nuevo.
enrol-key-unable = Este navegador no tiene llaves de acceso. Use otro.
enrol-key-script = Las llaves de acceso necesitan JavaScript.
enrol-key-only-remove = Solo quitar, sin crear ninguna
enrol-key-remove = Quitar
enrol-key-none-left = Sin ninguna llave de acceso, a partir de entonces demostrará quién es de otra manera.
enrol-key-remove-marked = Quitar lo marcado
enrol-once = Puede hacerlo una vez, hasta: { $until }. Se avisa del cambio a todos los contactos registrados.
enrol-wrong-again = Los dos no coinciden
enrol-wrong-length = Use de 6 a 12 cifras
enrol-wrong-run = Use cifras que no sean seguidas
enrol-wrong-repeated = Use cifras que no se repitan
enrol-wrong-known = Use cifras que nadie pueda averiguar
enrol-wrong-code = El código no es el que muestra la aplicación
enrol-wrong-none = Elija una llave de acceso para quitar
enrol-wrong-held = Ya hay uno

## Checking a receipt

verify-title = Comprobar un recibo
verify-title-good = Este recibo es auténtico
verify-title-bad = Este recibo no prueba nada
verify-what = Un recibo dice qué se hizo en una cuenta, quién lo demostró y quién lo firmó. Aquí se comprueba el propio recibo: cada suceso contra la firma del registro público, y sus palabras contra los sucesos. Nadie tiene que iniciar sesión.
verify-proves = Prueba que estas palabras se pidieron, se demostraron, se firmaron y terminaron como dice, en este orden, y que el registro lo conserva así desde entonces. No prueba quién estaba ante el teclado, ni que no se hiciera otra cosa en otro lugar.
verify-happened = Ocurrió
verify-became = Qué fue de ello
verify-stopped = Detenido
verify-declined = Rechazado por un compañero
verify-taken-back = Retirado
verify-ran-out = Caducado
verify-failed = No se pudo llevar a cabo
verify-uncertain = Entonces no era seguro
verify-when = Cuándo
verify-signed-by = Firmado por
verify-number = Número de recibo
verify-digest = Resumen criptográfico
verify-ledger = En el registro
verify-ledger-size = Sucesos: { $events }, entradas en total: { $entries }
verify-not-happened = No ocurrió
verify-do-not-rely = No se fíe de él
verify-why-bad = Se ha modificado, está incompleto o no es de este registro. Pida a quien se lo dio el archivo tal como se descargó.
verify-scanned = El código que ha escaneado es del recibo y el resumen de debajo. El recibo que compruebe aquí debe mostrar ambos.
verify-paste = Pegue el recibo
verify-paste-hint = El archivo que da «descargar el recibo», 1 MB como máximo. Se comprueba y no se guarda en ningún sitio.
verify-file = o elija el archivo
verify-go = Comprobar
verify-empty = Pegue un recibo o elija su archivo
verify-offline = Sin preguntarnos
verify-offline-how = La misma comprobación funciona en su propio ordenador, con la clave que anotó antes o que le dio alguien de confianza:

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
