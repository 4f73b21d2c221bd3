import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { useServices } from '@/app/services';

import { PasswordChange, type PasswordBody } from './change-password';

interface Handlers {
  /** Called even if one has left the page meanwhile. */
  readonly onChanged: () => void;
  /** Called after `onChanged`, if one is still there. */
  readonly onDone: () => void;
  readonly onFailed: (error: Error) => void;
}

/** Sends a new password; a second call while the first is under way does nothing. */
export function useChangePassword({ onChanged, onDone, onFailed }: Handlers) {
  const { api } = useServices();
  const [passwordChange] = useState(() => new PasswordChange(api));
  const isSending = useRef(false);
  const mutation = useMutation({
    mutationFn: (body: PasswordBody) => passwordChange.send(body),
    onSuccess: onChanged,
    onError: onFailed,
    onSettled: () => {
      isSending.current = false;
    },
  });
  return {
    isPending: mutation.isPending,
    error: mutation.error,
    send: (body: PasswordBody) => {
      if (isSending.current) return;
      isSending.current = true;
      mutation.mutate(body, { onSuccess: onDone });
    },
  };
}
