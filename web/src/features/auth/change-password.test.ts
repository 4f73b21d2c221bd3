import { problem } from '../../../tests/browser';
import { describe, expect, it } from 'vitest';

import { createApi } from '@/api/client';
import { Failure } from '@/api/failure';

import { PasswordChange, type PasswordBody } from './change-password';

/** An account whose next answer can be lost, before or after the change is made. */
class FakeAccount {
  loses: 'nothing' | 'request' | 'answer' = 'nothing';
  tries = 0;

  constructor(public password: string) {}

  readonly change = new PasswordChange(createApi((request) => this.#answer(request)));

  async #answer(request: Request): Promise<Response> {
    this.tries += 1;
    const body = (await request.json()) as PasswordBody;
    const { loses } = this;
    this.loses = 'nothing';
    if (loses === 'request') throw new TypeError('failed to fetch');
    if (body.current !== this.password) return problem(403, 'wrong_password');
    if (body.new === this.password) {
      const refused = { field: 'new', code: 'password_unchanged', message: 'is unchanged' };
      return problem(422, 'invalid_request', { errors: [refused] });
    }
    this.password = body.new;
    if (loses === 'answer') return new Response('Bad Gateway', { status: 502 });
    return new Response(null, { status: 204 });
  }
}

const WRONG = new Failure('wrong_password', { status: 403 });

describe('PasswordChange', () => {
  it.each(['request', 'answer'] as const)(
    'can be sent again when the %s is lost',
    async (loses) => {
      const account = new FakeAccount('one');
      account.loses = loses;
      await expect(account.change.send({ current: 'one', new: 'two' })).rejects.toThrow(Failure);
      await account.change.send({ current: 'one', new: 'two' });
      expect(account.password).toBe('two');
    },
  );

  it('can be sent again with another new password when the answer is lost', async () => {
    const account = new FakeAccount('one');
    account.loses = 'answer';
    await expect(account.change.send({ current: 'one', new: 'two' })).rejects.toThrow(Failure);
    await account.change.send({ current: 'one', new: 'three' });
    expect(account.password).toBe('three');
  });

  it('refuses the password that the account already has', async () => {
    const account = new FakeAccount('one');
    await expect(account.change.send({ current: 'one', new: 'one' })).rejects.toThrow(Failure);
  });

  it('accepts only the current password when no answer was lost', async () => {
    const account = new FakeAccount('one');
    await expect(account.change.send({ current: 'wrong', new: 'two' })).rejects.toEqual(WRONG);
    await expect(account.change.send({ current: 'wrong', new: 'two' })).rejects.toEqual(WRONG);
    expect(account.tries).toBe(2);
  });

  it('asks for the right current password when another one is typed, whatever was lost', async () => {
    const account = new FakeAccount('one');
    account.loses = 'answer';
    await expect(account.change.send({ current: 'one', new: 'two' })).rejects.toThrow(Failure);
    await expect(account.change.send({ current: 'wrong', new: 'three' })).rejects.toEqual(WRONG);
    expect(account.password).toBe('two');
  });
});
