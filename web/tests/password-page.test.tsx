import { fireEvent, screen, waitFor } from '@testing-library/react';
import { http, HttpResponse, type HttpResponseResolver } from 'msw';
import { expect, it } from 'vitest';

import { problem, settle } from './browser';
import { openPage, servePages } from './page';
import { ANA, at, server } from './server';

const OLD = 'the old password';
const NEW = 'the new password';

servePages();

const changed = () => new HttpResponse(null, { status: 204 });

/** Gives the answers in turn, and the last one to all further changes; returns what was sent. */
function answerChanges(...answers: HttpResponseResolver[]): unknown[] {
  const bodies: unknown[] = [];
  server.use(
    http.post(at('/api/auth/password'), async (info) => {
      const answer = answers[bodies.length] ?? answers.at(-1) ?? changed;
      bodies.push(await info.request.clone().json());
      return answer(info);
    }),
  );
  return bodies;
}

type User = ReturnType<typeof openPage>['user'];

const currentField = () => screen.findByLabelText('Contraseña actual');
const newField = () => screen.getByLabelText('Contraseña nueva');
const submit = () => screen.getByRole('button', { name: 'Cambiar contraseña' });

async function fill(user: User, current = OLD, next = NEW) {
  await user.type(await currentField(), current);
  await user.type(newField(), next);
}

/** Expects the orders page with the message that the password was changed. */
async function expectChanged() {
  expect(await screen.findByText('Contraseña cambiada')).toBeInTheDocument();
  expect(await screen.findByRole('heading', { level: 1, name: 'Mis pedidos' })).toHaveFocus();
}

it('is reached from the account’s menu, which closes; its heading has the focus', async () => {
  const { user, router } = openPage('/orders');
  await user.click(await screen.findByRole('button', { name: 'Cuenta de Ana' }));
  await user.click(screen.getByRole('link', { name: 'Cambiar contraseña' }));
  const heading = await screen.findByRole('heading', { level: 1, name: 'Cambiar contraseña' });
  await waitFor(() => expect(heading).toHaveFocus());
  expect(router.state.location.pathname).toBe('/account/password');
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  expect(screen.getByText(/se cerrará en todos los demás/)).toBeInTheDocument();
});

it('can be opened again: the menu closes, and does not take the focus from the heading', async () => {
  const { user } = openPage('/account/password');
  const heading = await screen.findByRole('heading', { level: 1 });
  const account = screen.getByRole('button', { name: 'Cuenta de Ana' });
  await user.click(account);
  await user.click(screen.getByRole('link', { name: 'Cambiar contraseña' }));
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  await waitFor(() => expect(account).toHaveFocus());
  await user.click(account);
  fireEvent.click(screen.getByRole('link', { name: 'Cambiar contraseña' }));
  heading.focus();
  await settle();
  expect(heading).toHaveFocus();
});

it('lets password managers know which password is which, and for which account', async () => {
  const { container } = openPage('/account/password');
  expect(await currentField()).toHaveAttribute('autocomplete', 'current-password');
  expect(newField()).toHaveAttribute('autocomplete', 'new-password');
  expect(container.querySelector('[autocomplete=username]')).toHaveValue(ANA.email);
});

it('asks for what is missing or too short, at the fields, and sends nothing', async () => {
  const bodies = answerChanges(changed);
  const { user } = openPage('/account/password');
  await currentField();
  await user.click(submit());
  const current = await currentField();
  await waitFor(() => expect(current).toHaveAccessibleDescription('Este campo es obligatorio.'));
  expect(current).toHaveFocus();
  await fill(user, 'short', 'eleven char');
  await waitFor(() =>
    expect(newField()).toHaveAccessibleDescription(/^Use al menos 12 caracteres\. De 12 a 128/),
  );
  expect(current).not.toHaveAccessibleDescription();
  expect(bodies).toEqual([]);
});

it('changes the password once on a double click, says so and goes to the orders', async () => {
  const bodies = answerChanges(changed);
  const { user } = openPage('/account/password');
  await fill(user);
  fireEvent.click(submit());
  fireEvent.click(submit());
  await expectChanged();
  expect(bodies).toEqual([{ current: OLD, new: NEW }]);
});

it('says at its field that the current password is wrong', async () => {
  answerChanges(() => problem(403, 'wrong_password'), changed);
  const { user } = openPage('/account/password');
  await fill(user);
  await user.click(submit());
  const current = await currentField();
  await waitFor(() =>
    expect(current).toHaveAccessibleDescription('La contraseña actual no es correcta.'),
  );
  expect(current).toHaveFocus();
  expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  await user.click(submit());
  await expectChanged();
});

it('shows the server’s field errors at the fields', async () => {
  const errors = [{ field: 'new', code: 'string_too_short', message: 'es demasiado corta' }];
  answerChanges(() => problem(422, 'invalid_request', { errors }));
  const { user } = openPage('/account/password');
  await fill(user);
  await user.click(submit());
  await waitFor(() =>
    expect(newField()).toHaveAccessibleDescription(/^Es demasiado corta\. De 12 a 128/),
  );
});

it.each([
  ['too many tries', () => problem(429, 'too_many_requests'), 'Demasiados intentos seguidos.'],
  ['an outage', () => HttpResponse.error(), 'No hay conexión con la tienda.'],
  ['an unknown outcome', () => problem(503, 'outcome_unknown'), 'No sabemos si se ha guardado.'],
])('says so after %s, keeps what was typed, and can be sent again', async (_, answer, message) => {
  const bodies = answerChanges(answer, changed);
  const { user } = openPage('/account/password');
  await fill(user);
  await user.click(submit());
  expect(await screen.findByRole('alert')).toHaveTextContent(message);
  expect(await currentField()).toHaveValue(OLD);
  await user.click(submit());
  await expectChanged();
  expect(bodies).toEqual(Array(2).fill({ current: OLD, new: NEW }));
});

it('goes to the sign-in page when the session was ended elsewhere', async () => {
  answerChanges(() => problem(401, 'unauthenticated'));
  const { user } = openPage('/account/password');
  await fill(user);
  server.use(http.post(at('/api/auth/refresh'), () => problem(401, 'session_ended')));
  await user.click(submit());
  expect(await screen.findByText(/Su sesión ha caducado/)).toBeInTheDocument();
});
