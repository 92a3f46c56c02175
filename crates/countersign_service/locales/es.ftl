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
verify-checked-by = Comprobado por
verify-number = Número de recibo
verify-digest = Resumen criptográfico
verify-ledger = En el registro
verify-ledger-size = Sucesos: { $events }, entradas en total: { $entries }
verify-not-happened = No ocurrió
verify-do-not-rely = No se fíe de él
verify-bad-form = Esto no es un recibo, o le falta una parte.
verify-bad-event = Su suceso { $number } no está en el registro.
verify-bad-words = Sus palabras no son lo que dicen sus sucesos.
verify-bad-order = El suceso { $number } no le pertenece, o falta uno anterior.
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
frame-error-mark = Error:
frame-problem = Hay un problema
frame-call = Si necesita ayuda ahora, llame a { $organisation }: { $phone }
frame-words = Lo que va a ocurrir
frame-marked = Marcado: caracteres ocultos o que pueden confundirse con otros.
frame-failed = No ha funcionado. No se ha cambiado nada.
frame-step = Paso { $step } de { $steps }
frame-other-way = Elegir otra forma
frame-open-receipt = Abrir el comprobante

## Lo que se sigue de una acción

effect-changes = Después, esto será nuevo: { $label }.
effect-gives = Quien lo pide tendrá después: { $label }.
effect-sends = Quien pueda leer esto: { $channel }, tendrá después esto: { $label }.
effect-loses = Lo que puede perderse: { $label }.
waits-fixed = Surte efecto tras una espera de { $most }
waits-slower = Surte efecto enseguida o, por una vía más lenta, tras { $most }
waits-range = Surte efecto tras una espera de { $least } a { $most }
waits-not = En cuanto todo esté probado.

## La primera página: ¿lo ha pedido usted?

start-ask = ¿Lo ha pedido usted?
start-asked = Pedido
start-asked-by = en el chat con { $who }, { $at }
start-asked-panel = en su panel de cliente, { $at }
start-takes-effect = Surte efecto
start-need = Necesitará
start-need-nothing = nada que tenga que escribir
start-need-one = { $labels }
start-need-some = algo de esto: { $labels }
start-yes = Sí, lo he pedido yo
start-no = No, detener esto
start-told-to = Si alguien le ha enviado este enlace y le ha dicho que diga que sí, pulse { $strong }No, detener esto{ $end }. No se cambiará nada.
start-elsewhere = Este enlace se abrió en otro lugar
start-elsewhere-text = Este enlace ya se abrió en otro dispositivo. Si no fue usted, puede { $link }detener esto{ $end }.
start-gone = Este enlace ya no vale
start-gone-text = Este enlace ha caducado o ya se usó. No se ha cambiado nada. Pida otro en el chat.
start-stopped = Esto se detuvo
start-stopped-text = Usted lo detuvo: { $at }. No se ha cambiado nada.

## Elegir cómo probar que es usted

prove-heading = Pruebe que es usted
prove-none = Hoy no queda ninguna forma
prove-none-text = No se ha cambiado nada.
prove-again = Puede intentarlo de nuevo a partir de: { $at }.
prove-have = Algo que usted tiene
prove-know = Algo que usted sabe
prove-receive = Algo que usted recibe
prove-continue = Continuar
prove-choose = Elija una de las formas.
prove-done = Hecho
prove-closed = Cerrado tras demasiados intentos hasta: { $until }
prove-too-new = Cambiado hace poco. Cuenta a partir de: { $from }
way-pin = De su panel de cliente o de la carta que le enviamos
way-password = La contraseña de su cuenta
way-app = 6 cifras de su aplicación de autenticación
way-mail = Un código enviado a la dirección registrada
way-text = Un código enviado al móvil registrado
way-passkey = Con el bloqueo de este dispositivo
way-company = Inicie sesión como siempre

## Escribir una prueba

typed-mail = Escriba el código del correo
typed-text = Escriba el código del mensaje de texto
typed-other = Escriba su { $label }
typed-hint-pin = En su panel de cliente, en Soporte, o en la carta que le enviamos.
typed-hint-password = La contraseña de su cuenta. La comprueba { $organisation } y aquí no se guarda.
typed-hint-app = Las 6 cifras que muestra ahora su aplicación de autenticación.
typed-sent = { $kind ->
    [text] Hemos enviado un código de 8 cifras al móvil registrado.
   *[mail] Hemos enviado un código de 8 cifras a la dirección registrada.
}
typed-sent-to = { $kind ->
    [text] Hemos enviado un código de 8 cifras al móvil registrado, { $to }.
   *[mail] Hemos enviado un código de 8 cifras a la dirección registrada, { $to }.
}
typed-code-until = Vale hasta: { $until }.
typed-check = { $kind ->
    [pin] Comprobar el PIN
    [password] Comprobar la contraseña
   *[code] Comprobar el código
}
typed-again-from = Podrá pedir otro código a partir de: { $from }.
typed-again = Enviar otro código
typed-not-mailbox = No puedo leer ese correo
typed-not-phone = No puedo leer ese teléfono
proof-wrong = { $kind ->
    [pin] Ese PIN no es correcto.
    [password] Esa contraseña no es correcta.
    [passkey] Esa llave de acceso no es correcta.
   *[code] Ese código no es correcto.
}
proof-tries = { $tries ->
    [one] Le queda { $tries } intento.
   *[other] Le quedan { $tries } intentos.
}
proof-wrong-tries = { proof-wrong } { proof-tries }
proof-empty = { $kind ->
    [pin] Escriba el PIN
    [password] Escriba la contraseña
    [app] Escriba las 6 cifras de su aplicación de autenticación
   *[code] Escriba el código
}
proof-run-out = Ese código ha caducado. Envíe otro
proof-closed = Esta forma está cerrada tras demasiados intentos hasta: { $until }.
proof-cancelled = No se ha usado la llave de acceso. Inténtelo de nuevo o elija otra forma.
proof-failed = No ha funcionado. No se ha cambiado nada. Inténtelo de nuevo o elija otra forma.

## Llave de acceso

passkey-heading = Use su llave de acceso
passkey-text = Su dispositivo le pedirá la cara, el dedo o un PIN. Si la llave de acceso está en otro dispositivo, elíjalo: este mostrará un código para escanear.
passkey-busy = Esperando su llave de acceso
passkey-unable = Este navegador no admite llaves de acceso.
passkey-no-script = Las llaves de acceso necesitan JavaScript.
passkey-go = Usar mi llave de acceso

## Confirmar

confirm-heading = Compruebe lo que va a ocurrir
confirm-button = Sí: { $action }
confirm-number = Escriba el número que { $who } le dice en el chat
confirm-number-wrong = Ese no es el número. Pregunte de nuevo a { $who } en el chat
confirm-missing = Todavía falta algo antes de que pueda confirmar.
confirm-not-certain = No es seguro que se haya confirmado. Pulse el botón otra vez

## La última página

done-checked = Ha terminado. Otra persona de nuestro equipo lo revisará.
done-waits-title = Surte efecto más tarde
done-waits = Surte efecto: { $at }
done-ready = Ha terminado
done-running = Se está haciendo ahora
done-done = Se ha hecho
done-failed = No se ha podido hacer
done-unknown = No es seguro que se haya hecho
done-declined = Se ha rechazado
done-stopped-title = Esto se detuvo
done-stopped = Esto se detuvo: { $at }
done-expired = Esto ha caducado
done-failed-text = No se ha cambiado nada. Pregunte en el chat qué hacer ahora.
done-unknown-text = Lo estamos averiguando, y no se hará dos veces. Puede volver a esta página.
done-declined-text = Otra persona de nuestro equipo lo ha mirado y lo ha rechazado. No se ha cambiado nada.
done-stopped-text = No se ha cambiado nada.
done-expired-text = No se ha cambiado nada. Pida otro enlace en el chat.
done-step-confirmed = Usted ha probado que es usted y ha confirmado
done-step-colleague = Otra persona de nuestro equipo lo revisa y firma
done-step-at = Surte efecto: { $at }
done-step-told = Se avisa a todos los contactos registrados y se espera
done-step-last = Se hace, una sola vez, y recibe un comprobante
done-step-done = (hecho)
done-back = Volver a { $where }
done-stop-until = Puede detenerlo aquí o con el enlace de nuestro aviso hasta: { $until }.
done-words = El texto
done-close = Puede cerrar esta página.
done-live = Avanza por sí sola.
done-reconnecting = Conectando de nuevo
done-refresh = { $link }Actualizar{ $end } para ver cómo está.
done-stale = Esta página no está al día. { $link }Actualizar{ $end }

## Detener

stop-ask = ¿Detener esto?
stop-stopped = Detenido. No se ha cambiado nada.
stop-already = Esto está detenido
stop-too-late = Esto ya ha ocurrido
stop-over = No hay nada que detener
stop-gone = Este enlace ya no vale
stop-failed = No se ha podido detener.
stop-failed-call = No se ha podido detener. Llame al { $phone }.
stop-text = No se cambiará nada, y nuestro equipo de seguridad lo examinará.
stop-until = Puede detenerlo hasta: { $until }.
stop-why = Por qué, si quiere decirlo
stop-not-me = No lo he pedido yo
stop-changed-mind = He cambiado de opinión
stop-wrong = Hay algo que no parece correcto
stop-more = Algo más que quiera decir
stop-now = Detener ahora
stop-back = Volver
stop-stopped-title = No se ha cambiado nada
stop-told = Hemos avisado a nuestro equipo de seguridad.
stop-reference = Referencia { $case }
stop-next = Qué hacer ahora
stop-next-reached = Si alguien le ha pedido que abra el enlace, díganos cómo se puso en contacto con usted.
stop-next-password = Si no lo ha pedido usted, cambie la contraseña en su panel de cliente. Escriba usted mismo su dirección.
stop-already-at = Ya detenido, { $at }
stop-already-text = No se ha cambiado nada.
stop-too-late-text = Se hizo: { $at }. Hemos anotado que quería detenerlo y hemos avisado a nuestro equipo de seguridad.
stop-over-text = Terminó sin hacerse. No se ha cambiado nada.
stop-gone-text = Este enlace ha caducado o nunca se dio.
stop-call = Para hablar ahora con alguien, llame a { $organisation }: { $phone }

## Comprobantes

receipts-heading = Comprobantes
receipts-none = No se ha hecho nada en su cuenta a través de la atención al cliente.
receipts-happened = Ha ocurrido
receipts-did-not = No ha ocurrido
receipts-open = Abrir
receipts-open-of = el comprobante del { $at }
receipts-all = Todos los comprobantes
receipt-heading = Comprobante
receipt-title = Comprobante { $number }
receipt-happened = Ha ocurrido: { $at }
receipt-did-not = No ha ocurrido. { $why }, { $at }
receipt-unknown = No es seguro que haya ocurrido
receipt-not-finished = Aún sin terminar
receipt-why-failed = El sistema que lo ejecuta dijo que no
receipt-why-stopped = Detenido
receipt-why-refused = Rechazado por una persona de nuestro equipo
receipt-why-withdrawn = Retirado
receipt-why-expired = Ha caducado
receipt-procedure = Procedimiento
receipt-version = { $action }, versión { $version }
receipt-digest = Huella digital
receipt-ledger = Registro
receipt-entry = { $origin }, entrada { $entry }
receipt-check = Cualquiera puede comprobarlo: { $link }descargue el comprobante{ $end } y póngalo en { $address } o ejecute { $command }. Imprima o guarde esta página.

## Lo que ocurrió, línea por línea

event-opened = Caso abierto
event-link-used = Enlace abierto y usado
event-proved = Probado: { $label }
event-confirmed = Confirmó el texto exacto
event-vouched = Dio su palabra: { $text }
event-signed = Firmado con una llave de acceso
event-refused = Rechazado: { $reason }
event-notices = { $count ->
    [one] Un aviso a { $count } contacto está en camino
   *[other] Los avisos a { $count } contactos están en camino
}
event-notified = Aviso entregado: { $label }
event-not-notified = No se pudo entregar el aviso: { $label }
event-notified-former = Aviso entregado: un contacto anterior
event-not-notified-former = No se pudo entregar el aviso: un contacto anterior
event-wait = Empezó la espera
event-wait-void = La espera ya no cuenta: aquello que la justificaba ha dejado de cumplirse
event-ready = No falta nada
event-not-ready = Un requisito ha dejado de cumplirse
event-granted = Autorizado
event-handed-over = Entregado al sistema que lo ejecuta
event-done = Hecho
event-failed = No se pudo hacer ({ $reason }); no se ha cambiado nada
event-unknown = Sin respuesta: no es seguro que haya ocurrido
event-stopped = Detenido
event-stopped-because = Detenido: { $reason }
event-too-late = Se intentó detener, demasiado tarde
event-too-late-because = Se intentó detener, demasiado tarde: { $reason }
event-withdrawn = Retirado
event-expired = Caducado
event-drill-told = Esto era un simulacro

## Cuando algo no ha funcionado

problem-elsewhere = Este formulario vino de otro lugar
problem-elsewhere-text = No se ha cambiado nada. Vuelva a la página de la que venía y pulse allí el botón.
problem-unreadable = No se ha podido leer
problem-unreadable-text = No se ha cambiado nada. Vuelva atrás e inténtelo de nuevo.
problem-nothing = Aquí no hay nada
problem-nothing-text = La dirección no es correcta, o no es para usted.
problem-changed = Esto ha cambiado mientras lo miraba
problem-changed-text = Usted no ha cambiado nada.
problem-changed-show = Mostrar lo nuevo
problem-gone = Este enlace ya se usó
problem-gone-text = Vale una sola vez y solo durante un tiempo. Pida otro en el chat.
problem-too-many = Demasiados intentos
problem-too-many-text = Inténtelo de nuevo a partir de: { $at }.
problem-not-done = No ha funcionado
problem-not-done-text = No se ha cambiado nada.
problem-not-certain-text = No es seguro que haya ocurrido.
problem-not-certain-check = Comprobar
problem-busy = Volvemos enseguida
problem-busy-text = No se ha perdido nada. Inténtelo de nuevo dentro de un minuto.
problem-reference = Referencia { $reference }

## Cartas: texto sin formato, por correo o por mensaje de texto

letter-notice-subject = { $organisation }: { $action }
letter-notice-first = Han pedido a { $organisation } que haga esto en su cuenta, y ocurrirá si nadie lo detiene:
letter-notice-stop = Si no ha sido usted, deténgalo aquí. No necesita iniciar sesión:
letter-notice-asked = Se pidió el { $at }, como caso { $case }. Nunca le pedimos que lea un código en voz alta.
letter-code-subject = { $organisation }: su código para el caso { $case }
letter-code-first = Escriba este código en la página que ha abierto, y solo allí. Sirve para esto y para nada más:
letter-code-last = Nadie de { $organisation } le pedirá nunca que lo lea en voz alta. Si no lo ha pedido, no haga nada.
letter-removed-subject = { $organisation }: esta dirección se ha eliminado de su cuenta
letter-removed-first = Esta dirección ya no está registrada en una cuenta de { $organisation }.
letter-removed-last = Si no lo ha pedido usted, póngase en contacto con { $organisation } ahora. Durante los próximos 30 días, esta dirección seguirá recibiendo aviso de lo que se pida en la cuenta y podrá detenerlo.

## En el inicio de sesión de la empresa y en el propio dispositivo

company-heading = Inicie sesión en { $company }
company-heading-back = Ha vuelto de { $company }
company-text = Allí inicia sesión con su propia cuenta, aunque ya tenga la sesión iniciada, y vuelve a esta página. Nunca vemos lo que escribe allí.
company-back-text = Pulse el botón para usar aquí este inicio de sesión. Cuenta una vez y para nada más.
company-go = Continuar con { $company }
company-wrong = Eso no ha probado que sea usted.
company-wrong-tries = { company-wrong } { proof-tries }
company-cancelled = Se canceló el inicio de sesión. No se ha cambiado nada.
company-too-weak = Esto necesita un inicio de sesión reciente y más fuerte, por ejemplo con un segundo paso. No se ha cambiado nada.
company-over = Ha tardado demasiado o ya se usó. Empiece de nuevo.
way-push = Responda en la aplicación de su dispositivo
push-heading = Responda en su dispositivo
push-waiting = Hemos preguntado a la aplicación de su teléfono
push-proved = Ha dicho que sí en su dispositivo
push-denied = Ha dicho que no en su dispositivo
push-over = No hubo respuesta
push-text = Su dispositivo muestra esto. Diga que sí solo si es lo que ha pedido. Puede responder hasta: { $until }.
push-shows = Lo que muestra su dispositivo
push-denied-text = Se detuvo y no se ha cambiado nada.
push-ask-text = { $company } le pregunta en su propio dispositivo si quiere esto, con el mismo texto que aquí. Solo necesita el dispositivo.
push-ask = Preguntar a mi dispositivo
push-too-soon = Acabamos de preguntar a su dispositivo. Podrá preguntar de nuevo a partir de: { $from }.
push-no-more = Se ha preguntado demasiadas veces a su dispositivo. Elija otra forma.
push-ran-out = Nadie respondió a tiempo en su dispositivo.
way-check = Lo comprobamos nosotros
check-heading = Permítanos comprobarlo
check-waiting = Lo estamos comprobando
check-proved = Lo hemos comprobado
check-over = Esto no se confirmó
check-text = No tiene que hacer nada más aquí. La respuesta llega como máximo a esta hora: { $until }.
check-ask-text = { $company } lo comprueba por su cuenta y comunica a esta página el resultado. Aquí no escribe nada.
check-ask = Comprobar ahora
check-refused = No hemos podido confirmarlo. Cuenta como un intento.
check-too-soon = Acabamos de preguntarlo. Podrá preguntar de nuevo a partir de: { $from }.
check-no-more = Se ha preguntado demasiadas veces. Elija otra forma.
check-ran-out = No llegó respuesta a tiempo. No se ha contado nada.
check-failed = Ahora no podemos comprobarlo. No se ha contado nada. Inténtelo más tarde o elija otra forma.

start-receipt = Su comprobante
start-receipt-text = Su caso ha terminado. Este enlace abre su comprobante, una sola vez, y nada más.
confirm-number-missing = Escriba las dos cifras que le dice el agente.
confirm-number-tries = { $tries ->
    [one] Ese no es el número. Queda un intento.
   *[other] Ese no es el número. Quedan { $tries } intentos.
}
confirm-number-closed = Demasiados números incorrectos. No se ha confirmado nada. Detenga esto o inténtelo de nuevo a partir de: { $until }.
done-to-set = Falta una cosa
done-to-set-here = Establezca usted lo nuevo. Nadie más puede hacerlo. Hasta: { $until }.
done-to-set-there = Lo nuevo se establece en la página en la que probó que es usted, hasta: { $until }.
done-set = Establecer ahora
receipt-qr = Código QR de la dirección donde cualquiera puede comprobar este comprobante
letter-enrolled-subject = { $organisation }: se ha cambiado: { $label }
letter-enrolled-first = El { $at } esto se estableció de nuevo o se eliminó en su cuenta de { $organisation }:
letter-enrolled-last = Se hizo con el caso { $case }. Si no ha sido usted, póngase en contacto con { $organisation } ahora.
letter-who = ¿Está hablando con usted alguien de { $organisation }? Compruébelo aquí:

## Página de estado

status-all-well = Todo funciona
status-something = Algo no va bien
status-none-now = Ahora no hay ningún incidente.
status-now = Ahora
status-past = Antes
status-none-past = Todavía no se ha comunicado nada.
status-looking = Lo estamos investigando
status-found = Encontrado
status-watching = Arreglado, seguimos atentos
status-over = Terminado
status-next = Próximo aviso: { $when }
status-overdue = El próximo aviso tenía que llegar: { $when }. Llega tarde.
status-updates = Avisos
status-statement = Declaración
status-version = Versión { $version }, { $when }
status-corrected = Esta versión se corrigió. Vale la de arriba.
status-back = Todos los incidentes
status-feed = Fuente Atom
status-subscribe-heading = Recibir los avisos por correo
status-subscribe-what = Escribimos cuando hay algo nuevo, y de nada más. En cada carta puede darse de baja con un clic.
status-address = Su dirección de correo
status-subscribe = Enviarme los avisos
status-address-wrong = Esto no puede ser una dirección de correo.
status-asked-heading = Mire en su buzón
status-asked = Si la dirección es correcta, le llegará una carta. Abra el enlace antes de un día; hasta entonces no recibirá nada más.
status-confirm-heading = ¿Recibir los avisos por correo?
status-confirm-what = Con un clic escribiremos a la dirección a la que llegó este enlace.
status-confirm = Sí, enviarme los avisos
status-confirmed-heading = Ya recibe los avisos
status-confirmed = Escribimos cuando hay algo nuevo. Cada carta tiene un enlace para darse de baja.
status-gone-heading = Este enlace ya se usó
status-gone = Pida otro en la página de estado.
status-leave-heading = ¿No recibir más avisos?
status-leave-what = No recibirá más cartas sobre la página de estado.
status-leave = No más cartas
status-left-heading = Ya no recibe avisos
status-left = Puede volver a apuntarse en la página de estado cuando quiera.
letter-status-subject = { $organisation }: { $headline }
letter-status-leave = Usted pidió estas cartas. No recibir más:
letter-subscribe-subject = Confirme: avisos de { $organisation }
letter-subscribe-first = Alguien, quizá usted, pidió recibir en esta dirección los avisos sobre { $organisation }. Para recibirlos, abra esto y pulse el botón:
letter-subscribe-last = Si no fue usted, no haga nada. No volveremos a escribir.
letter-subscribed-subject = Ya recibe los avisos de { $organisation }
letter-subscribed-first = Alguien, quizá usted, pidió recibir en esta dirección los avisos sobre { $organisation }. Ya los recibe.
letter-incident-subject = { $organisation }: qué pasó con su cuenta
letter-incident-first = Algo salió mal en { $organisation } y afectó a su cuenta. Esta carta dice lo que sabemos de usted, y nadie más la recibe.
letter-incident-yours = Qué pasó en su cuenta:
letter-incident-uncovered = Esto se hizo sin ninguna petición que conste en nuestros registros: { $action }
letter-incident-receipt = Lo que se demostró, se firmó y se hizo, para guardarlo y comprobarlo:
letter-incident-no-case = No hemos encontrado en su cuenta ninguna petición que tenga que ver.
letter-incident-more = Lo que decimos a todos está aquí:
