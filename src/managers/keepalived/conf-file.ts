import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A block at the top of a keepalived.conf: `vrrp_instance fw1_fw2 { ... }`. */
export interface ConfBlock {
  readonly keyword: string;
  readonly argument: string | undefined;
  /** The lines of it, in words; not those of blocks in it. */
  readonly lines: readonly (readonly string[])[];
}

/** Files that include each other end somewhere. */
const DEEPEST = 10;
/** Of keepalived 2.2.7: keepalived.conf(5), after PARAMETER SYNTAX. */
const INCLUDE = /^include[rmwba]?$/;

/**
 * The blocks of a keepalived.conf and of all that it includes. A line that counts on some nodes only (`@fw1 ...`) is taken as if it
 * counted here; variables aren't replaced.
 *
 * @throws the system's error if `path` itself can't be read
 */
export const readConf = (path: string): readonly ConfBlock[] => blocksOf(wordsOf(path, 0));

/** Lines of words, with braces as words of their own. */
const wordsOf = (path: string, depth: number): readonly (readonly string[])[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map(splitLine)
    .flatMap((words) => {
      const [keyword = '', pattern] = words;
      if (!INCLUDE.test(keyword) || pattern === undefined) {
        return [words];
      }
      // keepalived goes on without what it can't open, by default.
      return depth >= DEEPEST
        ? []
        : matching(resolve(dirname(path), pattern)).flatMap((file) => {
            try {
              return wordsOf(file, depth + 1);
            } catch {
              return [];
            }
          });
    })
    .filter((words) => words.length > 0);

const splitLine = (line: string): readonly string[] => {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|[#!].*|[{}]|[^\s{}"#!]+/g)]
    .filter(([text]) => !/^[#!]/.test(text))
    .map(([text, quoted]) => quoted ?? text);
  return words[0]?.startsWith('@') ? words.slice(1) : words;
};

const blocksOf = (lines: readonly (readonly string[])[]): readonly ConfBlock[] => {
  const blocks: { keyword: string; argument: string | undefined; lines: (readonly string[])[] }[] = [];
  let depth = 0;
  let opening: readonly string[] = [];
  for (const line of lines) {
    let words: string[] = [];
    for (const word of line) {
      if (word === '{') {
        const [keyword = '', argument] = words.length > 0 ? words : opening;
        if (depth === 0) {
          blocks.push({ keyword, argument, lines: [] });
        }
        depth += 1;
        words = [];
      } else if (word === '}') {
        depth = Math.max(0, depth - 1);
        words = [];
      } else {
        words.push(word);
      }
    }
    // The brace may stand on the next line.
    opening = words;
    if (depth === 1 && words.length > 0) {
      blocks.at(-1)?.lines.push(words);
    }
  }
  return blocks;
};

/** The files that a pattern with wildcards names, sorted as glob(3) does. */
const matching = (pattern: string): readonly string[] => {
  let paths: readonly string[] = ['/'];
  for (const part of pattern.split('/').filter(Boolean)) {
    paths = paths.flatMap((directory) =>
      /[*?[{]/.test(part) ? entries(directory, part) : [join(directory, part)],
    );
  }
  return paths;
};

const entries = (directory: string, part: string): readonly string[] => {
  const expression = part
    .replaceAll(/[.+^$()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replaceAll(/\{([^{}]*)\}/g, (_, choices: string) => `(?:${choices.replaceAll(',', '|')})`);
  try {
    const matches = new RegExp(`^${expression}$`);
    return readdirSync(directory)
      .filter((name) => matches.test(name) && (part.startsWith('.') || !name.startsWith('.')))
      .sort()
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
};
