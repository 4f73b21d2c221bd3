// Settings from the environment: SwapShop's addresses and the load.

// One address for the whole of SwapShop, or one for each service.
const url = __ENV.URL || '';
export const apiUrl = __ENV.API_URL || url;
export const receiverUrl = __ENV.RECEIVER_URL || url;
export const testId = __ENV.TEST_ID || `k6-${Date.now()}`;
export const resultsFolder = __ENV.RESULTS || '';

if (!apiUrl || !receiverUrl) throw new Error('set URL, or API_URL and RECEIVER_URL');

// An integer within bounds, so that a typing error cannot turn a test into an attack.
export function count(name, usual, most) {
  const value = Number(__ENV[name] || usual);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`${name} is a whole number from 1 to ${most}`);
  }
  return value;
}

const SECONDS = { s: 1, m: 60, h: 3600 };

// Seconds, written as 90s, 5m or 2h.
export function seconds(name, usual, most = 12 * SECONDS.h) {
  const [, number, unit] = /^([1-9]\d{0,4})([smh])$/.exec(__ENV[name] || usual) || [];
  const value = Number(number) * SECONDS[unit];
  if (!(value <= most)) throw new Error(`${name} is such as 90s, 5m or 2h, ${most} s at most`);
  return value;
}
