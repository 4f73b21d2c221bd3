import { createContext, use } from 'react';

import type { Toasts } from '@/shared/ui/toasts';

export const ToastsContext = createContext<Toasts | null>(null);

export function useToasts(): Toasts {
  const toasts = use(ToastsContext);
  if (toasts === null) throw new Error('useToasts needs a ToastsContext');
  return toasts;
}
