import type { paths as ApiPaths } from './__generated__/api';
import type { paths as ReceiverPaths } from './__generated__/receiver';

type CodeIn<Answer> = Answer extends {
  content: { 'application/problem+json': { code?: infer Code } };
}
  ? Code
  : never;

type CodesOf<Operation> = Operation extends { responses: infer Answers }
  ? { [Status in keyof Answers]: CodeIn<Answers[Status]> }[keyof Answers]
  : never;

type CodesUnderApi<Paths> = {
  [Path in keyof Paths & `/api/${string}`]: {
    [Method in keyof Paths[Path]]: CodesOf<Paths[Path][Method]>;
  }[keyof Paths[Path]];
}[keyof Paths & `/api/${string}`];

/** The codes that the contracts declare for the routes a browser can reach. */
type DeclaredCode = Extract<CodesUnderApi<ApiPaths> | CodesUnderApi<ReceiverPaths>, string>;

/** Any route can answer these, so the contracts do not list them; the last one is nginx's. */
type CommonCode =
  | 'bad_request'
  | 'head_too_large'
  | 'method_not_allowed'
  | 'not_found'
  | 'request_timeout'
  | 'server_stopping'
  | 'too_many_connections'
  | 'service_unavailable';

/** The page's own: no answer, no answer in time, a proxy's answer, an answer it cannot read. */
export type LocalCode = 'network' | 'timeout' | 'gateway' | 'unexpected';

export type FailureCode = DeclaredCode | CommonCode | LocalCode;
