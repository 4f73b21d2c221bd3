import type { components } from '@/api/__generated__/api';
import { failureOfAnswer, failureOfThrown, SessionEnded } from '@/api/failure';
import type { Channel, Locks, OpenChannel } from '@/shared/channel';
import { Store } from '@/shared/store';

export type User = components['schemas']['UserOut'];
export type SignedIn = components['schemas']['SessionOut'];

/** Why nobody is signed in: the session expired, another user signed in, or the user signed out. */
export type EndReason = 'expired' | 'otherUser' | 'signedOut';

export type SessionState =
  | { readonly status: 'restoring' }
  | { readonly status: 'unreachable' }
  | { readonly status: 'signedOut'; readonly reason: EndReason | null }
  | { readonly status: 'signedIn'; readonly user: User };

interface Token {
  readonly value: string;
  /** In milliseconds, by this machine's clock. */
  readonly expiresAt: number;
}

type Message =
  | { readonly type: 'ask' }
  | { readonly type: 'token'; readonly token: Token; readonly user: User }
  | { readonly type: 'ended'; readonly reason: EndReason };

export interface SessionWorld {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly locks: Locks;
  readonly openChannel: OpenChannel;
  /** Shared by the tabs; holds the user's id, never a token. */
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** The storage key of the id of the user who is signed in to this browser. */
export const USER_KEY = 'swapshop.user';

/** A token is replaced when it expires within this time, in milliseconds. */
const LEEWAY = 30_000;
/** How long another tab has to hand over its token, in milliseconds. */
const ASK = 80;
const REQUEST_TIMEOUT = 15_000;
/** After a 409 the browser receives another tab's cookie within a moment. */
const CONFLICT_PAUSE = 300;
const CONFLICT_TRIES = 5;

/**
 * The session of the user, shared by all tabs. The access token is only in memory. One tab at a time
 * exchanges the refresh cookie and passes the new token to the others.
 */
export class Session {
  readonly state = new Store<SessionState>({ status: 'restoring' });
  readonly #world: SessionWorld;
  #token: Token | null = null;
  #userId: string | null = null;
  #channel: Channel<Message> | null = null;
  #refreshing: Promise<void> | null = null;
  #onToken: (() => void) | null = null;

  constructor(world: SessionWorld) {
    this.#world = world;
  }

  /** Restores the session of this browser, if there is one. Never rejects. */
  async restore(): Promise<void> {
    const userId = this.#world.storage.getItem(USER_KEY);
    if (userId === null) {
      this.#end(null);
      return;
    }
    if (this.state.get().status !== 'unreachable') this.state.set({ status: 'restoring' });
    this.#join(userId);
    try {
      await this.#refresh(null);
    } catch (error) {
      if (!(error instanceof SessionEnded)) this.state.set({ status: 'unreachable' });
    }
  }

  /** Starts a new session after sign-in or registration. */
  signIn({ token, expires_in, user }: SignedIn): void {
    const previous = this.#world.storage.getItem(USER_KEY);
    if (previous !== null && previous !== user.id) this.#tell(previous, 'otherUser');
    this.#world.storage.setItem(USER_KEY, user.id);
    this.#join(user.id);
    this.#accept({ value: token, expiresAt: this.#world.now() + expires_in * 1000 }, user);
    this.#share();
  }

  /**
   * Signs out on the server, then in every tab.
   *
   * @throws Failure when the request fails; the session then continues.
   */
  async signOut(): Promise<void> {
    const userId = this.#userId;
    if (userId === null) return;
    await this.#locked(userId, async () => {
      const response = await this.#post('/api/auth/logout');
      if (!response.ok) throw failureOfAnswer(response, await bodyOf(response));
    });
    this.end('signedOut');
  }

  /** Ends the session in every tab; drafts are kept. */
  end(reason: EndReason): void {
    if (this.#userId === null) return;
    this.#channel?.post({ type: 'ended', reason });
    if (this.#world.storage.getItem(USER_KEY) === this.#userId) {
      this.#world.storage.removeItem(USER_KEY);
    }
    this.#end(reason);
  }

  /**
   * Returns an access token that is valid for at least 30 seconds.
   *
   * @param refused a token that the server refused, which is not returned again.
   * @throws SessionEnded; Failure when the server cannot be reached.
   */
  async accessToken(refused: string | null = null): Promise<string> {
    if (!this.#isGood(this.#token, refused)) await this.#refresh(refused);
    if (this.#token === null) throw new SessionEnded();
    return this.#token.value;
  }

  /** Called when another tab changed who is signed in to this browser. */
  onUserChanged(userId: string | null): void {
    if (this.#userId !== null && userId !== this.#userId) {
      this.#end(userId === null ? 'signedOut' : 'otherUser');
    } else if (this.#userId === null && userId !== null) {
      const { status, ...rest } = this.state.get();
      const wasReplaced = status === 'signedOut' && 'reason' in rest && rest.reason === 'otherUser';
      if (!wasReplaced) void this.restore();
    }
  }

  #isGood(token: Token | null, refused: string | null): boolean {
    if (token === null) return false;
    return token.value !== refused && token.expiresAt - this.#world.now() > LEEWAY;
  }

  #refresh(refused: string | null): Promise<void> {
    this.#refreshing ??= this.#refreshOnce(refused).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refreshOnce(refused: string | null): Promise<void> {
    const userId = this.#userId;
    if (userId === null) throw new SessionEnded();
    await this.#locked(userId, async () => {
      await this.#askOtherTabs(refused);
      if (this.#userId !== userId) throw new SessionEnded();
      if (this.#isGood(this.#token, refused)) return;
      const fresh = await this.#exchangeCookie();
      if (this.#userId !== userId) throw new SessionEnded();
      if (fresh?.user.id !== userId) {
        this.end(fresh === null ? 'expired' : 'otherUser');
        throw new SessionEnded();
      }
      this.#accept(
        { value: fresh.token, expiresAt: this.#world.now() + fresh.expires_in * 1000 },
        fresh.user,
      );
      this.#share();
    });
  }

  async #locked(userId: string, run: () => Promise<void>): Promise<void> {
    await this.#world.locks.request(`swapshop:${userId}:refresh`, {}, run);
  }

  async #askOtherTabs(refused: string | null): Promise<void> {
    if (this.#isGood(this.#token, refused)) return;
    const answered = new Promise<void>((resolve) => {
      this.#onToken = () => {
        if (this.#isGood(this.#token, refused)) resolve();
      };
    });
    this.#channel?.post({ type: 'ask' });
    await Promise.race([answered, this.#world.pause(ASK)]);
    this.#onToken = null;
  }

  async #exchangeCookie(): Promise<SignedIn | null> {
    for (let tries = 1; ; tries += 1) {
      const response = await this.#post('/api/auth/refresh');
      if (response.ok) return (await response.json()) as SignedIn;
      if (response.status === 401) return null;
      if (response.status !== 409 || tries === CONFLICT_TRIES) {
        throw failureOfAnswer(response, await bodyOf(response));
      }
      await this.#world.pause(CONFLICT_PAUSE * tries);
    }
  }

  async #post(url: string): Promise<Response> {
    try {
      return await this.#world.fetch(url, {
        method: 'POST',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT),
      });
    } catch (error) {
      throw failureOfThrown(error);
    }
  }

  #join(userId: string): void {
    if (this.#userId === userId && this.#channel !== null) return;
    this.#channel?.close();
    this.#token = null;
    this.#userId = userId;
    this.#channel = this.#world.openChannel<Message>(`swapshop:${userId}:session`, (message) => {
      this.#receive(userId, message);
    });
  }

  #receive(userId: string, message: Message): void {
    if (this.#userId !== userId) return;
    if (message.type === 'ended') this.#end(message.reason);
    else if (message.type === 'ask') this.#share();
    else if (message.user.id === userId) {
      if (message.token.expiresAt > (this.#token?.expiresAt ?? 0)) {
        this.#accept(message.token, message.user);
      }
      this.#onToken?.();
    }
  }

  #share(): void {
    const state = this.state.get();
    if (this.#token === null || state.status !== 'signedIn') return;
    this.#channel?.post({ type: 'token', token: this.#token, user: state.user });
  }

  #accept(token: Token, user: User): void {
    this.#token = token;
    const state = this.state.get();
    const isSame =
      state.status === 'signedIn' && JSON.stringify(state.user) === JSON.stringify(user);
    if (!isSame) this.state.set({ status: 'signedIn', user });
  }

  #end(reason: EndReason | null): void {
    this.#token = null;
    this.#userId = null;
    this.#channel?.close();
    this.#channel = null;
    this.state.set({ status: 'signedOut', reason });
  }

  #tell(userId: string, reason: EndReason): void {
    if (userId === this.#userId) {
      this.#channel?.post({ type: 'ended', reason });
      return;
    }
    const channel = this.#world.openChannel<Message>(`swapshop:${userId}:session`, () => undefined);
    channel.post({ type: 'ended', reason });
    channel.close();
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null; // a proxy's page
  }
}
