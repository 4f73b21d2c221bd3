// Writes FILE.gz next to each text file of the build, for nginx's gzip_static.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const TEXT = /\.(css|js|json|svg|webmanifest)$/;

for (const name of await readdir(dist, { recursive: true })) {
  if (!TEXT.test(name)) continue;
  const file = new URL(name, dist);
  await writeFile(new URL(`${file.href}.gz`), gzipSync(await readFile(file), { level: 9 }));
}
