import { fileURLToPath } from 'node:url';

import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the services: `./task up` serves them there. */
const SERVICES = process.env.SWAPSHOP_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { port: 5173, proxy: { '/api': SERVICES } },
  build: {
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'], // the first with light-dark()
    assetsInlineLimit: 0, // a data: URL would need an exception in the content security policy
    modulePreload: { polyfill: false },
    manifest: true,
    rolldownOptions: { input: ['index.html', 'reference.html'] },
    chunkSizeWarningLimit: 2000, // kB: the API reference is one file, which the shop does not load
  },
  test: {
    environment: 'jsdom',
    environmentOptions: { jsdom: { url: 'http://shop.test/' } },
    setupFiles: ['tests/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}', 'tests/**/*.test.{ts,tsx}'],
    maxWorkers: 2,
    testTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    restoreMocks: true,
  },
});
