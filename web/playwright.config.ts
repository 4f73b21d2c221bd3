import { defineConfig } from '@playwright/test';

/** Debian's chromium, so that no browser is downloaded. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** The address of SHOP_URL's host, for a shop whose name does not resolve. */
const SHOP_ADDRESS = process.env.SHOP_ADDRESS;

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  workers: 1, // they share one stack, and one of them stops it
  timeout: 90_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  reporter: 'list',
  outputDir: 'test-results',
  use: {
    locale: 'es-ES',
    timezoneId: 'Europe/Madrid',
    viewport: { width: 1280, height: 860 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox', // CI is root in a container
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        ...(SHOP_ADDRESS === undefined ? [] : [`--host-resolver-rules=MAP * ${SHOP_ADDRESS}`]),
      ],
    },
  },
});
