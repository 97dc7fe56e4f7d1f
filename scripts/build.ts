import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { manPages } from './manual/pages.ts';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
await mkdir(dist, { recursive: true });
// The package is of type "module"; the bundle is CommonJS.
await writeFile(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
await bundle('src/main.ts', join(dist, 'main.js'));
await bundle('test/lab/broken/agent.ts', join(dist, 'lab', 'agent.js'));
// It begins with #!: a link to it in /usr/local/sbin is the command.
await chmod(join(dist, 'main.js'), 0o755);

await mkdir(join(dist, 'man'), { recursive: true });
for (const [file, text] of manPages()) {
  await writeFile(join(dist, 'man', file), text);
}
