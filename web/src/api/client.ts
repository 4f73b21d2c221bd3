import createClient, { type Client } from 'openapi-fetch';

import type { paths as ApiPaths } from './__generated__/api';
import type { paths as ReceiverPaths } from './__generated__/receiver';
import { failureOfAnswer, failureOfThrown } from './failure';

export type Fetch = (request: Request) => Promise<Response>;

export interface Api {
  readonly orders: Client<ApiPaths>;
  readonly notifications: Client<ReceiverPaths>;
}

/** Makes the typed clients of both services over one fetch. */
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

/** Awaits a client's call; anything but a 2xx with its body becomes a Failure. */
export async function answerOf<Data>(
  call: Promise<Answer<Data>>,
): Promise<{ data: Data; response: Response }> {
  let answer: Answer<Data>;
  try {
    answer = await call;
  } catch (error) {
    throw failureOfThrown(error);
  }
  if (answer.data === undefined) throw failureOfAnswer(answer.response, answer.error);
  return { data: answer.data, response: answer.response };
}

/** As `answerOf`, when only the body matters. */
export async function dataOf<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  return (await answerOf(call)).data;
}
