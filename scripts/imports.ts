import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Imports go downwards only: a folder may import those that stand after it. Fails on any other. */
const ORDER = [
  'main.ts',
  'commands',
  'doctor',
  'agent',
  'observe',
  'transitions',
  'managers',
  'peers',
  'dataplane',
  'conntrackd',
  'kernel',
  'system',
  'cluster',
  'config',
];
/** These are handed to the transitions as arguments and know nothing of each other. */
const SIBLINGS = new Set(['managers', 'peers', 'dataplane', 'conntrackd']);

const SRC = fileURLToPath(new URL('../src', import.meta.url));

const folderOf = (file: string): string => relative(SRC, file).split('/')[0] ?? '';

const problems: string[] = [];
let checked = 0;
for (const entry of await readdir(SRC, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) {
    continue;
  }
  const file = join(entry.parentPath, entry.name);
  checked += 1;
  const from = folderOf(file);
  if (!ORDER.includes(from)) {
    problems.push(`${file}: ${from} has no place in scripts/imports.ts`);
  }
  for (const [, path = ''] of (await readFile(file, 'utf8')).matchAll(/from '(\.{1,2}\/[^']+)'/g)) {
    const to = folderOf(normalize(join(dirname(file), path)));
    const upwards = ORDER.indexOf(to) < ORDER.indexOf(from);
    const sideways = from !== to && SIBLINGS.has(from) && SIBLINGS.has(to);
    if (upwards || sideways) {
      problems.push(`${relative(SRC, file)}: ${from} must not import ${to} (${path})`);
    }
  }
}
for (const problem of problems) {
  console.error(problem);
}
console.log(`${checked} files, ${problems.length} imports against the order`);
process.exitCode = problems.length === 0 && checked > 0 ? 0 : 1;
