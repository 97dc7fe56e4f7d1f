import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const RECIPE = fileURLToPath(new URL('root.sh', import.meta.url));
const CACHE = '/var/cache/conntrack-ha-lab';

/** The directory of a Debian 12 as installed: made by the first test that wants it, which takes a minute or two, and kept. */
export const debianRoot = async (): Promise<string> => {
  const recipe = createHash('sha256').update(await readFile(RECIPE));
  const name = `debian-12-${recipe.digest('hex').slice(0, 12)}`;
  const root = join(CACHE, name);
  if (!existsSync(root)) {
    await mkdir(CACHE, { recursive: true, mode: 0o755 });
    for (const old of await readdir(CACHE)) {
      await rm(join(CACHE, old), { recursive: true });
    }
    await execa('sh', [RECIPE, root], { timeout: 600_000 });
  }
  return root;
};
