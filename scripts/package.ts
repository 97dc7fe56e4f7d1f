import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownVersion } from '../src/observe/own-version.ts';
import { bundle } from './bundle.ts';
import { copyrightText } from './package/copyright.ts';
import { buildDeb } from './package/deb.ts';
import { filesBelow, put, zipped } from './package/files.ts';
import { ARCHITECTURES, type Architecture, nodeRuntime } from './package/node-runtime.ts';
import { layTree } from './package/tree.ts';

/** `npm run package [-- arm64]`: builds dist/conntrack-ha_VERSION_ARCHITECTURE.deb. */

const FROM = fileURLToPath(new URL('..', import.meta.url));
const DOC = 'usr/share/doc/conntrack-ha';
/** Not in the bundle. */
const BESIDE = ['koffi', 'netlink', 'node-gyp-build'];

const isArchitecture = (name: string): name is Architecture => Object.keys(ARCHITECTURES).includes(name);

const main = async (architecture: string): Promise<void> => {
  if (!isArchitecture(architecture)) {
    throw new RangeError(`${architecture}: known are ${Object.keys(ARCHITECTURES).join(', ')}`);
  }
  const version = ownVersion();
  const dist = join(FROM, 'dist');
  const cache = join(dist, 'package');
  console.log(`package: fetching Node.js for ${architecture}, if it isn't there yet`);
  const runtime = await nodeRuntime(cache, architecture);
  const bundled = await bundle('src/main.ts', join(dist, 'main.js'));
  const root = await mkdtemp(join(tmpdir(), 'conntrack-ha-package-'));
  try {
    await layTree(root, { from: FROM, architecture, runtime, cache });
    const licences = await copyrightText(
      FROM,
      [...bundled, ...BESIDE],
      await readFile(runtime.license, 'utf8'),
    );
    await put(join(root, DOC, 'copyright'), licences, 0o644);
    const changes = await readFile(join(FROM, 'conf/debian/changelog'));
    await put(join(root, DOC, 'changelog.gz'), zipped(changes), 0o644);
    const overrides = await readFile(join(FROM, 'conf/debian/lintian-overrides'));
    await put(join(root, 'usr/share/lintian/overrides/conntrack-ha'), overrides, 0o644);
    await mkdir(dist, { recursive: true });
    const deb = join(dist, `conntrack-ha_${version}_${architecture}.deb`);
    const units = (await filesBelow(join(root, 'usr/lib/systemd/system'))).filter(
      (path) => path.endsWith('.service') && !path.includes('/'),
    );
    console.log('package: packing');
    const built = await buildDeb(root, deb, {
      version,
      architecture,
      scripts: join(FROM, 'conf/debian'),
      units,
    });
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    console.log(`package: ${deb}: ${mib(built.bytes)} MiB, installed ${mib(built.installed * 1024)} MiB`);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

await main(process.argv[2] ?? 'amd64');
