import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = '/var/cache/conntrack-ha-lab';

interface Recipe {
  /** What it is called in the cache, without a dash at its end. */
  readonly kind: string;
  /** The files that say how it is made: another text, and it is made again. */
  readonly files: readonly string[];
  /** What else it depends on. */
  readonly versions: readonly string[];
  /** Makes it as this directory, which isn't there yet. */
  readonly make: (directory: string) => Promise<unknown>;
}

/** The directory of something that takes minutes to make: made by the first that wants it, and kept below /var/cache. */
export const madeOnce = async ({ kind, files, versions, make }: Recipe): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(await readFile(file));
  }
  hash.update(versions.join());
  const directory = join(CACHE, `${kind}-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(directory)) {
    await mkdir(CACHE, { recursive: true, mode: 0o755 });
    for (const old of await readdir(CACHE)) {
      if (old.slice(0, old.lastIndexOf('-')) === kind) {
        await rm(join(CACHE, old), { recursive: true });
      }
    }
    await make(directory);
  }
  return directory;
};

/** What every recipe begins with. */
export const BARE = fileURLToPath(new URL('bare.sh', import.meta.url));
