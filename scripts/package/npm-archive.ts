import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/system/run.ts';

const MINUTES_MS = 600_000;

/** A package of the npm registry in exactly one form. */
export interface Archive {
  readonly name: string;
  readonly version: string;
  /** As a package-lock.json has it: sha512-BASE64. */
  readonly integrity: string;
}

/** What was fetched isn't what was pinned. */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';
}

/**
 * Fetches a package, whatever processor it is for, and unpacks `paths` of it below `cache`, once. Returns the directory that holds them.
 * Throws IntegrityError, and ProgramError of npm and tar.
 */
export const fetchArchive = async (
  cache: string,
  archive: Archive,
  paths: readonly string[],
): Promise<string> => {
  const { name, version } = archive;
  const place = join(cache, `${name.replaceAll('/', '+')}-${version}`);
  if (existsSync(place)) {
    return place;
  }
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetching-'));
  try {
    const packed = await run(
      'npm',
      ['pack', '--silent', '--ignore-scripts', '--pack-destination', work, `${name}@${version}`],
      { timeout: MINUTES_MS },
    );
    const file = join(work, packed.trim());
    await check(file, archive);
    await mkdir(join(work, 'unpacked'));
    const members = paths.map((path) => `package/${path}`);
    await run(
      'tar',
      ['-xzf', file, '-C', join(work, 'unpacked'), '--strip-components=1', '--no-same-owner', ...members],
      { timeout: MINUTES_MS },
    );
    await rename(join(work, 'unpacked'), place);
    return place;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
};

const check = async (file: string, { name, version, integrity }: Archive): Promise<void> => {
  const [algorithm = '', expected] = integrity.split('-');
  const found = createHash(algorithm)
    .update(await readFile(file))
    .digest('base64');
  if (found !== expected) {
    throw new IntegrityError(
      `${name}@${version}: the registry sent ${algorithm}-${found}, and pinned is ${integrity}; find out who changed it`,
    );
  }
};
