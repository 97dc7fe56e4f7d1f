import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { BARE, madeOnce } from '../support/debian/made-once.ts';

/** Debian 12 (kernel 6.1) and Debian 13 (kernel 6.12). */
export const RELEASES = ['bookworm', 'trixie'] as const;
export type Release = (typeof RELEASES)[number];

/** What a machine with a Debian boots from: files. */
export interface DebianMachine {
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Made by the first that wants it, which takes some minutes and 0.8 GB below /var/cache, and kept. */
export const debianMachine = async (release: Release): Promise<DebianMachine> => {
  const recipe = path('root.sh');
  const directory = await madeOnce({
    kind: `machine-${release}`,
    files: [BARE, recipe, path('initrd.sh'), path('../../scripts/debian-packages.sh')],
    versions: [],
    make: (made) => {
      console.log(`machine: makes a Debian (${release}) with its kernel, once: some minutes`);
      return execa('sh', [recipe, release, made], { timeout: 1_800_000 });
    },
  });
  return {
    kernel: join(directory, 'vmlinuz'),
    initrd: join(directory, 'initrd'),
    root: join(directory, 'root.img'),
  };
};
