// Fails the build when the sign-in route loads more JavaScript than its budget.
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 150;
const ENTRIES = ['index.html', 'src/features/auth/login-page.tsx'];

const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('.vite/manifest.json', dist), 'utf8'));

const files = new Set();
function collect(key) {
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`${key} is not in the build's manifest`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const each of chunk.imports ?? []) collect(each);
}
ENTRIES.forEach(collect);

let bytes = 0;
for (const file of files)
  bytes += gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length;
const kilobytes = bytes / 1000;
console.log(
  `sign-in route: ${kilobytes.toFixed(1)} kB of gzipped JavaScript, budget ${BUDGET_KB} kB`,
);
if (kilobytes > BUDGET_KB) {
  console.error('The sign-in route is over its budget.');
  process.exitCode = 1;
}
