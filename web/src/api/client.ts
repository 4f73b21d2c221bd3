import createClient, { type Client } from 'openapi-fetch';

import type { paths as ApiPaths } from './__generated__/api';
import type { paths as ReceiverPaths } from './__generated__/receiver';
import { failureOfAnswer, failureOfThrown } from './failure';

export type Fetch = (request: Request) => Promise<Response>;

export interface Api {
  readonly orders: Client<ApiPaths>;
  readonly notifications: Client<ReceiverPaths>;
}

/** Creates the typed clients of both services over one fetch. */
export function createApi(fetch: Fetch): Api {
  const options = { baseUrl: window.location.origin, fetch };
  return {
    orders: createClient<ApiPaths>(options),
    notifications: createClient<ReceiverPaths>(options),
  };
}

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

async function settled<Data>(call: Promise<Answer<Data>>): Promise<Answer<Data>> {
  try {
    return await call;
  } catch (error) {
    throw failureOfThrown(error);
  }
}

/** Awaits a client's call; anything but a 2xx with its body becomes a Failure. */
export async function answerOf<Data>(
  call: Promise<Answer<Data>>,
): Promise<{ data: Data; response: Response }> {
  const { data, error, response } = await settled(call);
  if (data === undefined) throw failureOfAnswer(response, error);
  return { data, response };
}

/** Like `answerOf`, but returns only the body. */
export async function dataOf<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  return (await answerOf(call)).data;
}

/** Like `answerOf`, for a call whose 2xx has no body. */
export async function doneOf(call: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await settled(call);
  if (!response.ok) throw failureOfAnswer(response, error);
}
