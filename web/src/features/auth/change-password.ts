import type { components } from '@/api/__generated__/api';
import { doneOf, type Api } from '@/api/client';
import { Failure } from '@/api/failure';

export type PasswordBody = components['schemas']['PasswordIn'];

/** Whether the server refused the current password. */
function isWrongPassword(error: unknown): boolean {
  return error instanceof Failure && error.code === 'wrong_password';
}

/** Whether the account already has the new password: the server verifies the current one first. */
function isUnchanged(error: unknown): boolean {
  return error instanceof Failure && error.fields.some(({ code }) => code === 'password_unchanged');
}

/** Whether the password may have been changed although the answer is not a 204. */
function isInDoubt(error: unknown): boolean {
  return !(error instanceof Failure) || (error.status ?? 500) >= 500;
}

/**
 * Changes the user's password. A change without an answer may have been made; the password that it
 * set is then the current one, so it is tried too when the form is sent again.
 */
export class PasswordChange {
  readonly #api: Api;
  readonly #unanswered: PasswordBody[] = [];

  constructor(api: Api) {
    this.#api = api;
  }

  /** @throws Failure; SessionEnded. */
  async send(body: PasswordBody): Promise<void> {
    const set = this.#unanswered.filter(({ current }) => current === body.current);
    const candidates = new Set([body.current, ...set.map((each) => each.new)]);
    let refusal: unknown;
    for (const current of candidates) {
      try {
        await doneOf(
          this.#api.orders.POST('/api/auth/password', { body: { current, new: body.new } }),
        );
        return;
      } catch (error) {
        if (current !== body.current && isUnchanged(error)) return;
        if (isInDoubt(error)) this.#unanswered.push(body);
        if (!isWrongPassword(error)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }
}
