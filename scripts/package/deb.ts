import { createHash } from 'node:crypto';
import { chmod, lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/system/run.ts';
import { filesBelow, put } from './files.ts';
import type { Architecture } from './node-runtime.ts';

const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;
const BUILD_MS = 600_000;

export interface Metadata {
  readonly version: string;
  readonly architecture: Architecture;
  /** Where the maintainer scripts are. */
  readonly scripts: string;
  /** What the scripts enable. */
  readonly units: readonly string[];
}

/** What `buildDeb` has built. */
export interface Built {
  /** Bytes of the package, and KiB that it takes when it is installed. */
  readonly bytes: number;
  readonly installed: number;
}

/** Makes the package `deb` of what lies below `root`. Throws ProgramError of dpkg-deb. */
export const buildDeb = async (root: string, deb: string, metadata: Metadata): Promise<Built> => {
  const files = await filesBelow(root);
  const sizes = await Promise.all(files.map(async (path) => (await lstat(join(root, path))).size));
  // As dpkg-gencontrol counts: files in whole KiB.
  const installed = sizes.reduce((sum, size) => sum + Math.ceil(size / 1024), 0);
  const sums = await Promise.all(
    files.map(async (path) => `${md5(await readFile(join(root, path)))}  ${path}\n`),
  );
  const control = join(root, 'DEBIAN');
  await put(join(control, 'control'), controlText(metadata, installed), 0o644);
  await put(join(control, 'md5sums'), sums.join(''), 0o644);
  const conffiles = files.filter((path) => path.startsWith('etc/'));
  await put(join(control, 'conffiles'), conffiles.map((path) => `/${path}\n`).join(''), 0o644);
  for (const name of SCRIPTS) {
    const script = await readFile(join(metadata.scripts, name), 'utf8');
    await put(join(control, name), script.replaceAll('@UNITS@', metadata.units.join(' ')), 0o755);
  }
  await chmod(root, 0o755);
  await run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, deb], { timeout: BUILD_MS });
  return { bytes: (await lstat(deb)).size, installed };
};

const controlText = ({ version, architecture }: Metadata, installed: number): string => `\
Package: conntrack-ha
Version: ${version}
Architecture: ${architecture}
Maintainer: conntrack-ha developers <conntrack-ha@localhost>
Installed-Size: ${installed}
Depends: libc6 (>= 2.36), libgcc-s1, libstdc++6, nftables, conntrackd (>= 1:1.4.6), conntrack, iproute2, kmod
Recommends: keepalived | pacemaker
Suggests: iptables, iputils-ping
Section: net
Priority: optional
Description: active-active stateful firewalls that lose no connection
 Two or more firewalls share one set of addresses and the load. Each filters
 its part of the flows, and conntrackd replicates the states of all. When one
 dies, keepalived or Pacemaker notices, and conntrack-ha makes the others
 filter its part without losing a connection; when it returns, it gets its part
 back.
 .
 The package brings its own Node.js, which no other program uses.
`;

const md5 = (content: Buffer): string => createHash('md5').update(content).digest('hex');
