import type { operations as ApiOperations } from './__generated__/api';
import type { operations as ReceiverOperations } from './__generated__/receiver';

type CodeIn<Answer> = Answer extends {
  content: { 'application/problem+json': { code?: infer Code } };
}
  ? Code
  : never;

type CodesOf<Operations> = {
  [Name in keyof Operations]: Operations[Name] extends { responses: infer Answers }
    ? { [Status in keyof Answers]: CodeIn<Answers[Status]> }[keyof Answers]
    : never;
}[keyof Operations];

/** Every code that the contracts declare. */
export type DeclaredCode = Extract<CodesOf<ApiOperations> | CodesOf<ReceiverOperations>, string>;

/** What any route answers, declared nowhere. */
export type CommonCode = 'not_found' | 'method_not_allowed' | 'bad_request';

/** What the page finds out by itself: no answer, none in time, a proxy's, one that is not ours. */
export type LocalCode = 'network' | 'timeout' | 'gateway' | 'unexpected';

export type FailureCode = DeclaredCode | CommonCode | LocalCode;
