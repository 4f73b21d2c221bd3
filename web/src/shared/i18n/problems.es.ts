import type { FailureCode } from '@/api/problem-codes';

/** What each kind of failure means to a person, and what they can do. */
export const problems: Record<FailureCode, string> = {
  bad_request: 'La tienda no entendió la petición. Recargue la página e inténtelo de nuevo.',
  body_too_large: 'Es demasiado para un solo envío. Divida el pedido en varios.',
  busy: 'Hay muchas personas entrando a la vez. Espere unos segundos e inténtelo de nuevo.',
  client_refused: 'La tienda rechazó estas credenciales.',
  database_unavailable:
    'La tienda no puede consultar sus datos ahora mismo. Inténtelo en un momento.',
  delivery_not_found: 'Esa entrega no existe o ya se ha archivado.',
  email_taken: 'Ya hay una cuenta con ese correo. Entre con ella o use otro.',
  forbidden: 'Su cuenta no tiene permiso para ver esto.',
  gateway: 'La tienda no responde en este momento. Inténtelo dentro de unos segundos.',
  idempotency_in_flight:
    'Este mismo pedido se está guardando. Espere un segundo y vuelva a enviarlo.',
  idempotency_key_reused: 'Este borrador ya se había enviado y creó un pedido.',
  internal_error:
    'Algo falló en la tienda. Inténtelo de nuevo; si se repite, avísenos con la referencia.',
  invalid_request: 'Hay datos que corregir. Revise los campos señalados.',
  keys_unavailable: 'La tienda aún no puede comprobar su sesión. Inténtelo en unos segundos.',
  lease_not_found: 'Esa reserva de entregas ya no existe.',
  method_not_allowed: 'La tienda no admite esa operación. Recargue la página.',
  network: 'No hay conexión con la tienda. Compruebe su red; lo escrito se conserva.',
  network_streams_taken: 'Hay demasiadas ventanas de la tienda abiertas en su red.',
  not_found: 'No encontramos lo que busca.',
  not_redrivable: 'Esa entrega está en curso: solo se puede repetir una terminada o fallida.',
  notification_conflict: 'Ya hay otro aviso con el mismo identificador.',
  order_blocked: 'Los datos del pedido se contradicen y no se puede procesar.',
  order_not_found: 'No hay ningún pedido suyo con ese identificador.',
  origin_refused:
    'Esta dirección no está autorizada para iniciar sesión. Use la dirección oficial de la tienda.',
  outcome_unknown: 'No sabemos si se guardó. Vuelva a intentarlo: no se hará dos veces.',
  refresh_conflict: 'Otra pestaña renovó la sesión a la vez. Inténtelo de nuevo.',
  session_ended: 'Su sesión ha terminado. Vuelva a entrar.',
  signature_invalid: 'La firma del aviso no es válida.',
  streams_unavailable:
    'Los avisos en directo no están disponibles ahora; se consultan cada pocos segundos.',
  timeout: 'La tienda tarda demasiado en responder. Inténtelo de nuevo.',
  token_request_refused: 'La tienda rechazó la petición de acceso.',
  too_many_orders: 'Ha hecho muchos pedidos en poco tiempo. Espere un minuto y vuelva a enviarlo.',
  too_many_requests: 'Demasiados intentos seguidos. Espere un minuto e inténtelo de nuevo.',
  too_many_streams: 'Tiene demasiadas ventanas de la tienda abiertas. Cierre alguna.',
  unauthenticated: 'Su sesión ya no es válida. Vuelva a entrar.',
  unexpected: 'La respuesta no se entiende. Recargue la página; si se repite, avísenos.',
  wrong_credentials: 'El correo o la contraseña no son correctos.',
  wrong_password: 'La contraseña actual no es correcta.',
};
