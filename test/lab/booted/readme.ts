import { readFile } from 'node:fs/promises';

const README = new URL('../../../README.md', import.meta.url);

/** The commands of README's numbered step (`**1. Install`), as they stand there; a block of its own each. */
export const readmeStep = async (number: number): Promise<readonly string[]> => {
  const text = await readFile(README, 'utf8');
  const from = text.indexOf(`\n**${number}. `);
  const ends = [`\n**${number + 1}. `, '\n## '].map((end) => text.indexOf(end, from + 1));
  if (from < 0) {
    throw new RangeError(`README.md has no step ${number}`);
  }
  const step = text.slice(from, Math.min(...ends.filter((end) => end > 0)));
  const blocks = [...step.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, ''));
  if (blocks.length === 0) {
    throw new RangeError(`step ${number} of README.md has no commands`);
  }
  return blocks;
};
