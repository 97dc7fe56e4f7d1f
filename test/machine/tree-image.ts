import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const INSIDE = fileURLToPath(new URL('inside.sh', import.meta.url));
/** What isn't the project's source, and isn't needed to run it either. */
const LEFT_OUT = ['.git', 'coverage'];
/** Bytes; what isn't written takes no room. */
const SIZE = 2 * 1024 ** 3;

/**
 * Makes a disk in `directory`: the project's tree as it is now with its Node packages, the Node that runs this, and what a machine starts
 * with, which has it run the tests that the words name. Returns its file.
 */
export const treeImage = async (directory: string, words: readonly string[]): Promise<string> => {
  const content = join(directory, 'content');
  const image = join(directory, 'tree.img');
  await mkdir(join(content, 'tree'), { recursive: true });
  await mkdir(join(content, 'bin'));
  const entries = (await readdir(PROJECT)).filter((name) => !LEFT_OUT.includes(name));
  // node_modules can be a link to a directory elsewhere.
  const sources = entries.map((name) => join(PROJECT, name));
  await execa('cp', ['-a', '-H', '--reflink=auto', '--', ...sources, join(content, 'tree')]);
  await copyFile(process.execPath, join(content, 'bin/node'));
  await copyFile(INSIDE, join(content, 'inside.sh'));
  await chmod(join(content, 'inside.sh'), 0o755);
  await writeFile(join(content, 'words'), words.map((word) => `${word}\n`).join(''));
  await execa('truncate', ['-s', String(SIZE), image]);
  await execa('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-d', content, image]);
  await rm(content, { recursive: true });
  return image;
};
