import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const packageJson = z.object({ license: z.string().optional(), version: z.string() });

/**
 * The package's copyright file: the licences of all that is in it and isn't ours. Throws where an npm package has no licence's text.
 *
 * @param names npm packages that are in it
 * @param runtime the licence of Node.js, and of all that is in that
 */
export const copyrightText = async (
  from: string,
  names: readonly string[],
  runtime: string,
): Promise<string> => {
  const parts = await Promise.all(names.map((name) => licenceOf(join(from, 'node_modules', name), name)));
  return [
    'conntrack-ha brings the following works of others. Of what is its own no licence is given by this file.',
    ...parts,
    heading('Node.js (/usr/lib/conntrack-ha/bin/node), and what is in it'),
    runtime.trim(),
    '',
  ].join('\n\n');
};

const licenceOf = async (directory: string, name: string): Promise<string> => {
  const { license, version } = packageJson.parse(
    JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')),
  );
  const title = heading(`${name} ${version}${license === undefined ? '' : ` (${license})`}`);
  const file = (await readdir(directory)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (file === undefined) {
    throw new RangeError(`${directory} has no file with its licence`);
  }
  return `${title}\n\n${(await readFile(join(directory, file), 'utf8')).trim()}`;
};

const heading = (text: string): string => `${text}\n${'-'.repeat(text.length)}`;
