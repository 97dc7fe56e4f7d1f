import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { filesBelow } from './files.ts';
import { ARCHITECTURES, type Architecture } from './node-runtime.ts';
import { fetchArchive } from './npm-archive.ts';

/** A file below node_modules. */
export interface PackedFile {
  readonly path: string;
  readonly content: Buffer;
}

const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional() }),
  ),
});

/**
 * The npm packages that aren't in the bundle, for they load native libraries from beside their own files: what of them is needed at run
 * time. The repository's own node_modules has libraries for the processor of this machine only; koffi's for another one is fetched.
 */
export const nativePackages = async (
  from: string,
  cache: string,
  architecture: Architecture,
): Promise<readonly PackedFile[]> => {
  const modules = join(from, 'node_modules');
  const processor = ARCHITECTURES[architecture];
  const library = `@koromix/koffi-linux-${processor}`;
  const files = [
    ...(await filesBelow(join(modules, 'netlink/dist'))).map((path) => `netlink/dist/${path}`),
    'netlink/package.json',
    `netlink/prebuilds/linux-${processor}/node.napi.node`,
    'node-gyp-build/package.json',
    'node-gyp-build/index.js',
    'node-gyp-build/node-gyp-build.js',
    'koffi/package.json',
    ...['index.js', 'index.cjs', 'indirect.js', 'indirect.cjs'].map((name) => `koffi/${name}`),
    ...(await filesBelow(join(modules, 'koffi/src/koffi')))
      .filter((path) => /\.c?js$/.test(path))
      .map((path) => `koffi/src/koffi/${path}`),
  ].filter((path) => !/\.(d\.ts|map)$/.test(path));
  const fetched = await fetchArchive(cache, await pinned(from, library), LIBRARY(processor));
  return [
    ...(await Promise.all(
      files.map(async (path) => ({ path, content: await readFile(join(modules, path)) })),
    )),
    ...(await Promise.all(
      LIBRARY(processor).map(async (path) => ({
        path: `${library}/${path}`,
        content: await readFile(join(fetched, path)),
      })),
    )),
  ];
};

const LIBRARY = (processor: string): readonly string[] => [
  'package.json',
  'index.js',
  `linux_${processor}/koffi.node`,
];

const pinned = async (
  from: string,
  name: string,
): Promise<{ readonly name: string; readonly version: string; readonly integrity: string }> => {
  const { packages } = lock.parse(JSON.parse(await readFile(join(from, 'package-lock.json'), 'utf8')));
  const { version, integrity } = packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) {
    throw new RangeError(`package-lock.json has no ${name}; run npm install`);
  }
  return { name, version, integrity };
};
