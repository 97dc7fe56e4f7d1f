import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles one program into one file for Node 20. CommonJS: it starts faster than a bundle of ES modules. So there can be
 * no top-level await in it, but `import.meta.url` works. `netlink` and `koffi` stay outside, for they load native
 * libraries from beside their own files.
 *
 * @param entry path of the program's first module, from the repository's root
 * @returns the names of the npm packages that are in it
 */
export const bundle = async (entry: string, outfile: string): Promise<readonly string[]> => {
  const { metafile } = await build({
    entryPoints: [join(ROOT, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['koffi', 'netlink'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    // Half the time that a command takes to start is its being read; names stay, for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  const names = Object.keys(metafile.inputs).flatMap((path) => PACKAGE.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
};

const PACKAGE = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//;
