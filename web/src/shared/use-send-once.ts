import { useMutation, type MutateOptions, type UseMutationOptions } from '@tanstack/react-query';
import { useRef } from 'react';

type Options<Result, Body> = Omit<UseMutationOptions<Result, Error, Body>, 'onError'> & {
  readonly onError: (error: Error) => void;
};

/**
 * A mutation for a form that is left after it succeeds. `send` does nothing while a request is under
 * way or after one has succeeded, because a second click can come before the form is left.
 */
export function useSendOnce<Result, Body extends object>({
  onError,
  ...options
}: Options<Result, Body>) {
  const isClosed = useRef(false);
  const mutation = useMutation<Result, Error, Body>({
    ...options,
    onError: (error) => {
      isClosed.current = false;
      onError(error);
    },
  });
  const send = (body: Body, callbacks: MutateOptions<Result, Error, Body> = {}) => {
    if (isClosed.current) return;
    isClosed.current = true;
    mutation.mutate(body, callbacks);
  };
  return { ...mutation, send };
}
