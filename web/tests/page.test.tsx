import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';

import { problem, settle } from './browser';
import { openPage, servePages } from './page';
import { ANA, at, ORDER, server, signedIn } from './server';

servePages();

describe('signing in', () => {
  it('asks for what is missing, at the fields', async () => {
    const { user } = openPage('/login', { isSignedIn: false });
    await user.click(await screen.findByRole('button', { name: 'Entrar' }));
    const email = screen.getByLabelText('Correo electrónico');
    await waitFor(() => expect(email).toHaveAccessibleDescription('Este campo es obligatorio.'));
    expect(email).toHaveFocus();
  });

  it('says that the password is wrong, with the reference to report', async () => {
    server.use(
      http.post(at('/api/auth/login'), () =>
        problem(401, 'wrong_credentials', {}, { 'X-Request-Id': 'request-42' }),
      ),
    );
    const { user } = openPage('/login', { isSignedIn: false });
    await user.type(await screen.findByLabelText('Correo electrónico'), ANA.email);
    await user.type(screen.getByLabelText('Contraseña'), 'not the password');
    await user.click(screen.getByRole('button', { name: 'Entrar' }));
    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent('El correo o la contraseña no son correctos.');
    expect(alert).toHaveTextContent('request-42');
  });

  it('goes to the requested page, and to no other site', async () => {
    const { user, router } = openPage('/login?next=%2Fnotifications', { isSignedIn: false });
    await user.type(await screen.findByLabelText('Correo electrónico'), ANA.email);
    await user.type(screen.getByLabelText('Contraseña'), 'a good password');
    await user.click(screen.getByRole('button', { name: 'Entrar' }));
    expect(await screen.findByRole('heading', { level: 1, name: 'Avisos' })).toBeInTheDocument();
    expect(router.state.location.pathname).toBe('/notifications');
  });

  it('speaks English after a switch, and remembers it', async () => {
    const { user } = openPage('/login', { isSignedIn: false });
    await user.selectOptions(await screen.findByLabelText('Idioma'), 'English');
    expect(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Sign in');
    expect(document.documentElement).toHaveAttribute('lang', 'en');
    expect(localStorage.getItem('swapshop.language')).toBe('en');
  });

  it('shows the server’s field errors at the fields of the registration', async () => {
    const errors = [{ field: 'nombre', code: 'text_hidden_character', message: 'no es visible' }];
    server.use(
      http.post(at('/api/auth/register'), () => problem(422, 'invalid_request', { errors })),
    );
    const { user } = openPage('/register', { isSignedIn: false });
    await user.type(await screen.findByLabelText('Nombre'), 'Ana');
    await user.type(screen.getByLabelText('Correo electrónico'), ANA.email);
    await user.type(screen.getByLabelText('Contraseña'), 'a long password');
    await user.click(screen.getByRole('button', { name: 'Crear cuenta' }));
    await waitFor(() =>
      expect(screen.getByLabelText('Nombre')).toHaveAccessibleDescription('No es visible.'),
    );
  });

  it('asks for an e-mail without accents before the @, and takes a domain with them', async () => {
    const { user } = openPage('/register', { isSignedIn: false });
    const email = await screen.findByLabelText('Correo electrónico');
    await user.type(email, 'josé@example.com');
    await user.click(screen.getByRole('button', { name: 'Crear cuenta' }));
    await waitFor(() =>
      expect(email).toHaveAccessibleDescription(/^Antes de la @ solo se admiten letras de la a/),
    );
    await user.clear(email);
    await user.type(email, 'jose@españa.example');
    await waitFor(() => expect(email).not.toHaveAccessibleDescription());
  });

  it('goes to the sign-in page when the session has ended, keeping the draft', async () => {
    const { user, services } = openPage('/orders/new');
    await user.type(await screen.findByLabelText('Cliente'), 'Lucía');
    services.session.end('expired');
    expect(await screen.findByText(/Su sesión ha caducado/)).toBeInTheDocument();
    await user.type(screen.getByLabelText('Correo electrónico'), ANA.email);
    await user.type(screen.getByLabelText('Contraseña'), 'a good password');
    await user.click(screen.getByRole('button', { name: 'Entrar' }));
    expect(await screen.findByLabelText('Cliente')).toHaveValue('Lucía');
  });
});

describe('never a blank page', () => {
  it('says that the store does not answer, and continues once it does', async () => {
    server.use(http.post(at('/api/auth/refresh'), () => HttpResponse.error(), { once: true }));
    const { user } = openPage('/orders');
    expect(await screen.findByText('La tienda no responde')).toBeInTheDocument();
    await user.click(screen.getByRole('button', { name: 'Reintentar' }));
    expect(await screen.findByText('No hay pedidos pendientes')).toBeInTheDocument();
  });

  it('shows a failure with a way to try again', async () => {
    server.use(
      http.get(
        at('/api/orders/pending'),
        () => problem(500, 'internal_error', {}, { 'X-Request-Id': 'request-7' }),
        { once: true },
      ),
    );
    const { user } = openPage('/orders');
    expect(await screen.findByRole('alert')).toHaveTextContent('request-7');
    await user.click(screen.getByRole('button', { name: 'Reintentar' }));
    expect(await screen.findByText('No hay pedidos pendientes')).toBeInTheDocument();
  });

  it('has a page for unknown paths', async () => {
    openPage('/nowhere');
    expect(await screen.findByRole('heading', { level: 1 })).toHaveTextContent(
      'Esta página no existe',
    );
  });

  it('says to a customer that a page is for operators', async () => {
    openPage('/operator');
    expect(await screen.findByText('Solo para operadores')).toBeInTheDocument();
  });
});

describe('a new order', () => {
  async function fill(user: ReturnType<typeof openPage>['user']) {
    await user.type(await screen.findByLabelText('Cliente'), 'Lucía');
    await user.type(screen.getByLabelText('Producto'), 'Abrigo');
    await user.type(screen.getByLabelText('Precio unitario'), '24,90');
  }

  it('adds, duplicates and removes lines with the keyboard, moving the focus', async () => {
    const { user } = openPage('/orders/new');
    await fill(user);
    await user.keyboard('{Alt>}d{/Alt}');
    const lines = () => screen.getAllByRole('group');
    expect(lines()).toHaveLength(2);
    expect(screen.getByTestId('total')).toHaveTextContent('49,80 €');
    await user.keyboard('{Alt>}n{/Alt}');
    expect(lines()).toHaveLength(3);
    const third = screen.getByRole('group', { name: 'Artículo 3' });
    await waitFor(() => expect(within(third).getByLabelText('Producto')).toHaveFocus());
    await user.keyboard('{Alt>}{Delete}{/Alt}');
    expect(lines()).toHaveLength(2);
    expect(screen.getByText('Artículo 3 quitado')).toBeInTheDocument();
  });

  it('is sent once by a double click, and opens', async () => {
    const bodies: unknown[] = [];
    server.use(
      http.post(at('/api/orders'), async ({ request }) => {
        bodies.push(await request.json());
        return HttpResponse.json(ORDER, { status: 201 });
      }),
    );
    const { user } = openPage('/orders/new');
    await fill(user);
    await user.dblClick(screen.getByRole('button', { name: 'Enviar pedido' }));
    expect(await screen.findByRole('heading', { name: 'Pedido de Lucía' })).toBeInTheDocument();
    const line = {
      producto: 'Abrigo',
      talla: null,
      color: null,
      cantidad: 1,
      precio_unitario: 24.9,
    };
    expect(bodies).toEqual([{ cliente: 'Lucía', items: [line] }]);
    expect(await screen.findByText('Pedido recibido')).toBeInTheDocument();
  });

  it('is not sent again by a click between its answer and the page of the order', async () => {
    let placed = 0;
    server.use(
      http.post(at('/api/orders'), () => {
        placed += 1;
        return HttpResponse.json(ORDER, { status: 201 });
      }),
    );
    const { user, router } = openPage('/orders/new');
    await fill(user);
    const button = screen.getByRole('button', { name: 'Enviar pedido' });
    router.subscribe('onLoad', () => fireEvent.click(button));
    await user.click(button);
    expect(await screen.findByRole('heading', { name: 'Pedido de Lucía' })).toBeInTheDocument();
    await settle();
    expect(placed).toBe(1);
  });

  it('shows the order that the draft has already made', async () => {
    server.use(
      http.post(at('/api/orders'), () =>
        problem(422, 'idempotency_key_reused', { order_id: ORDER.id }),
      ),
    );
    const { user } = openPage('/orders/new');
    await fill(user);
    await user.click(screen.getByRole('button', { name: 'Enviar pedido' }));
    expect(await screen.findByText('Este borrador ya se envió')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Ver el pedido' })).toHaveAttribute(
      'href',
      `/orders/${ORDER.id}`,
    );
    await user.click(screen.getByRole('button', { name: 'Descartar y empezar otro' }));
    expect(screen.getByLabelText('Cliente')).toHaveValue('');
    await waitFor(() => expect(screen.getByLabelText('Cliente')).toHaveFocus());
  });
});

it('an operator marks an order processed', async () => {
  let marked = '';
  const operator = { ...ANA, rol: 'operator' as const };
  server.use(
    http.post(at('/api/auth/refresh'), () => HttpResponse.json(signedIn(operator))),
    http.get(at('/api/orders/pending'), () =>
      HttpResponse.json({ items: marked === '' ? [ORDER] : [], next_cursor: null }),
    ),
    http.post(at('/api/orders/:id/mark-processed'), ({ params }) => {
      marked = String(params.id);
      return HttpResponse.json({ ...ORDER, estado: 'PROCESSED' });
    }),
  );
  const { user } = openPage('/orders');
  await user.click(await screen.findByRole('button', { name: /Marcar como procesado/ }));
  expect(await screen.findByText('No hay pedidos pendientes')).toBeInTheDocument();
  expect(marked).toBe(ORDER.id);
});
