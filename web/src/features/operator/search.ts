import { readPages } from '@/shared/paging';

import type { DeliveryState } from './queries';

/** In the order of the tabs. */
export const DELIVERY_STATES: readonly DeliveryState[] = ['DEAD', 'READY', 'LEASED', 'DONE'];

interface OperatorSearch {
  state?: DeliveryState;
  pages?: string[];
}

/** Reads the address of the operations page; unknown values count as absent. */
export function readOperatorSearch(search: Record<string, unknown>): OperatorSearch {
  const state = DELIVERY_STATES.find((each) => each === search.state);
  return {
    ...(state === undefined ? {} : { state }),
    ...readPages(search),
  };
}
