import { readPages } from '@/shared/paging';

interface OrdersSearch {
  estado?: 'PROCESSED';
  pages?: string[];
}

/** Reads the address of the orders page; unknown values count as absent. */
export function readOrdersSearch(search: Record<string, unknown>): OrdersSearch {
  return {
    ...(search.estado === 'PROCESSED' ? { estado: search.estado } : {}),
    ...readPages(search),
  };
}
