import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { BARE, madeOnce } from '../../support/debian/made-once.ts';

const RECIPE = fileURLToPath(new URL('root.sh', import.meta.url));

/** The directory of a Debian 12 as installed: made by the first test that wants it, which takes a minute or two, and kept. */
export const debianRoot = (): Promise<string> =>
  madeOnce({
    kind: 'debian-12',
    files: [BARE, RECIPE],
    versions: [],
    make: (directory) => execa('sh', [RECIPE, directory], { timeout: 600_000 }),
  });
