import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** From the bundle, and from this file. */
const PLACES = ['../package.json', '../../package.json'] as const;
const packageJson = z.object({ name: z.literal('conntrack-ha'), version: z.string() });

/** This program's version, as package.json has it. Throws if that isn't there. */
export const ownVersion = (): string => {
  for (const place of PLACES) {
    const found = packageJson.safeParse(read(fileURLToPath(new URL(place, import.meta.url))));
    if (found.success) {
      return found.data.version;
    }
  }
  throw new Error('package.json is missing beside the program; install conntrack-ha as a whole');
};

const read = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};
