import { useState } from 'react';

import { useServices } from '@/services/services';
import { useSendOnce } from '@/shared/use-send-once';

import { PasswordChange, type PasswordBody } from './change-password';

interface Handlers {
  /** Called even if the person has left the page. */
  readonly onChanged: () => void;
  /** Called after `onChanged` if the person is still on the page. */
  readonly onDone: () => void;
  readonly onFailed: (error: Error) => void;
}

/** Sends a new password, once. */
export function useChangePassword({ onChanged, onDone, onFailed }: Handlers) {
  const { api } = useServices();
  const [passwordChange] = useState(() => new PasswordChange(api));
  const mutation = useSendOnce({
    mutationFn: (body: PasswordBody) => passwordChange.send(body),
    onSuccess: onChanged,
    onError: onFailed,
  });
  return {
    isPending: mutation.isPending,
    error: mutation.error,
    send: (body: PasswordBody) => mutation.send(body, { onSuccess: onDone }),
  };
}
