import type { components } from './__generated__/api';
import type { FailureCode, LocalCode } from './problem-codes';

export type FieldProblem = components['schemas']['FieldProblem'];

interface Details {
  readonly status?: number;
  readonly requestId?: string | null;
  readonly fields?: readonly FieldProblem[];
  readonly orderId?: string | null;
  readonly retryAfterSeconds?: number | null;
}

/** A request that failed; `code` chooses the message. */
export class Failure extends Error {
  readonly status: number | null;
  readonly requestId: string | null;
  readonly fields: readonly FieldProblem[];
  readonly orderId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    readonly code: FailureCode,
    details: Details = {},
  ) {
    super(code);
    this.name = 'Failure';
    this.status = details.status ?? null;
    this.requestId = details.requestId ?? null;
    this.fields = details.fields ?? [];
    this.orderId = details.orderId ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
  }

  /** The services cannot be reached now; the same request can succeed later. */
  get isAway(): boolean {
    return (
      this.status === null || this.status === 502 || this.status === 503 || this.status === 504
    );
  }
}

/** The session ended during a request; the sign-in page says so. */
export class SessionEnded extends Error {
  constructor() {
    super('the session has ended');
    this.name = 'SessionEnded';
  }
}

/** Turns what fetch threw into a Failure. */
export function failureOfThrown(error: unknown): Error {
  if (error instanceof Failure || error instanceof SessionEnded) return error;
  if (error instanceof DOMException && error.name === 'TimeoutError') return new Failure('timeout');
  if (error instanceof DOMException && error.name === 'AbortError') return error;
  if (error instanceof TypeError) return new Failure('network');
  return error instanceof Error ? error : new Failure('unexpected');
}

/** Turns an answer other than 2xx into a Failure; its body is the parsed JSON, or anything else. */
export function failureOfAnswer(response: Response, body: unknown): Failure {
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const details = {
    status: response.status,
    requestId: response.headers.get('X-Request-Id'),
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
  };
  if (!isProblem(body)) return new Failure(codeWithoutProblem(response.status), details);
  // A code that is newer than this page has no message; messageOf falls back to a general one.
  return new Failure(body.code as FailureCode, {
    ...details,
    fields: body.errors ?? [],
    orderId: typeof body.order_id === 'string' ? body.order_id : null,
  });
}

function codeWithoutProblem(status: number): LocalCode {
  return status === 502 || status === 503 || status === 504 ? 'gateway' : 'unexpected';
}

type Problem = components['schemas']['ProblemDetails'] & { order_id?: unknown };

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string'
  );
}
