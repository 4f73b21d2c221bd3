import type { FailureCode } from '@/api/problem-codes';

/** A message for each kind of failure: its meaning to the person, and what they can do about it. */
export const problems: Record<FailureCode, string> = {
  bad_request: 'La tienda no ha entendido la petición. Recargue la página e inténtelo de nuevo.',
  body_too_large: 'Es demasiado para un solo envío. Divida el pedido en varios.',
  busy: 'Hay muchas personas entrando a la vez. Espere unos segundos e inténtelo de nuevo.',
  database_unavailable:
    'La tienda no puede consultar sus datos en este momento. Inténtelo de nuevo en unos instantes.',
  delivery_not_found: 'Esa entrega no existe o ya se ha archivado.',
  email_taken: 'Ya hay una cuenta con ese correo. Entre con ella o use otro correo.',
  forbidden: 'Su cuenta no tiene permiso para hacer esto.',
  gateway: 'La tienda no responde en este momento. Inténtelo de nuevo en unos segundos.',
  head_too_large:
    'La petición es demasiado grande para la tienda. Recargue la página e inténtelo de nuevo.',
  idempotency_in_flight:
    'Este pedido todavía se está guardando. Espere un segundo y vuelva a enviarlo.',
  idempotency_key_reused: 'Este borrador ya se envió y el pedido quedó hecho.',
  internal_error:
    'Ha habido un error en la tienda. Inténtelo de nuevo; si se repite, avísenos e indique la referencia.',
  invalid_request: 'Hay datos por corregir. Revise los campos señalados.',
  keys_unavailable:
    'La tienda aún no puede comprobar su sesión. Inténtelo de nuevo en unos segundos.',
  method_not_allowed: 'La tienda no admite esa operación. Recargue la página.',
  network: 'No hay conexión con la tienda. Compruebe su red; lo que ha escrito se conserva.',
  network_streams_taken: 'La tienda está abierta en demasiadas ventanas de su red.',
  not_found: 'No encontramos lo que busca.',
  not_redrivable:
    'Esa entrega sigue en curso. Solo se pueden repetir las entregadas y las fallidas.',
  order_blocked: 'Los datos de este pedido no son coherentes, así que no se puede procesar.',
  order_not_found: 'No encontramos ningún pedido suyo con ese identificador.',
  origin_refused:
    'No se puede iniciar sesión desde esta dirección. Use la dirección oficial de la tienda.',
  outcome_unknown:
    'No sabemos si se ha guardado. Vuelva a intentarlo sin miedo: nada se hará dos veces.',
  refresh_conflict: 'Otra pestaña estaba renovando la sesión a la vez. Inténtelo de nuevo.',
  request_timeout: 'La petición ha tardado demasiado en llegar a la tienda. Inténtelo de nuevo.',
  server_stopping: 'La tienda se está reiniciando. Inténtelo de nuevo en unos segundos.',
  service_unavailable:
    'La tienda no está disponible en este momento. Inténtelo de nuevo en unos segundos.',
  session_ended: 'Su sesión ha terminado. Vuelva a entrar.',
  streams_unavailable:
    'Los avisos en directo no están disponibles ahora; la página los consulta cada pocos segundos.',
  timeout: 'La tienda tarda demasiado en responder. Inténtelo de nuevo.',
  too_many_connections:
    'La tienda tiene demasiadas conexiones abiertas. Inténtelo de nuevo en unos segundos.',
  too_many_orders: 'Ha hecho muchos pedidos en poco tiempo. Espere un minuto y vuelva a enviarlo.',
  too_many_requests: 'Demasiados intentos seguidos. Espere un minuto e inténtelo de nuevo.',
  too_many_streams: 'Tiene la tienda abierta en demasiadas ventanas. Cierre alguna.',
  unauthenticated: 'Su sesión ya no es válida. Vuelva a entrar.',
  unexpected:
    'La tienda ha dado una respuesta que no entendemos. Recargue la página; si se repite, avísenos.',
  wrong_credentials: 'El correo o la contraseña no son correctos.',
  wrong_password: 'La contraseña actual no es correcta.',
};
