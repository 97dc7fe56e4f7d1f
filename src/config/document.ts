import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import { aboutKey, type Complaint, type KeyPath, show } from './complaint.ts';

/** A place in the text; both from 1. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML text, read but not yet understood. */
export interface SourceDocument {
  /** Plain objects, lists and scalars. */
  readonly value: unknown;
  /** Keys that are there twice, or are no keys. */
  readonly complaints: readonly Complaint[];
  /** Where the key or the value at `path` stands; of what isn't there, the nearest key above. */
  readonly locate: (path: KeyPath, at: 'key' | 'value') => Position;
}

/** What keeps a text from being YAML. */
export interface SyntaxMistake {
  readonly position: Position;
  readonly problem: string;
  readonly mend: string;
}

/** Reads YAML 1.2. Gives the syntax mistakes, at most one a line, if it is none. */
export const readDocument = (text: string): SourceDocument | readonly SyntaxMistake[] => {
  const lines = new LineCounter();
  try {
    // Keys that are there twice are found below, with their paths. With logLevel silent, a second document is no error.
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'error',
    });
    const faults = [...document.errors, ...document.warnings];
    if (faults.length > 0) {
      return onePerLine(faults.map((fault) => explain(fault.code, fault.message, at(lines, fault.pos[0]))));
    }
    const stray = strayAlias(document);
    if (stray !== undefined) {
      return [
        explain(
          'BAD_ALIAS',
          `no anchor &${stray.source} before *${stray.source}`,
          at(lines, startOf(stray) ?? 0),
        ),
      ];
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const root = document.contents;
    const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
    return {
      value,
      complaints: keyComplaints(root, [], lines),
      locate: (path, part) => at(lines, offsetOf(root, path, part, resolve)),
    };
  } catch (error) {
    // Aliases that grow without bound, or brackets nested until the stack is full.
    const reason = error instanceof Error ? error.message : String(error);
    return [explain('UNREADABLE', reason, { line: 1, column: 1 })];
  }
};

/** The first alias whose anchor isn't there: no error to the parser. */
const strayAlias = (document: Document): Alias | undefined => {
  let found: Alias | undefined;
  visit(document, {
    Alias: (_, alias) => {
      found = alias.resolve(document) === undefined ? alias : undefined;
      return found === undefined ? undefined : visit.BREAK;
    },
  });
  return found;
};

const at = (lines: LineCounter, offset: number): Position => {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
};

const explain = (code: string, message: string, position: Position): SyntaxMistake => ({
  position,
  problem: `is not YAML: ${code === 'MULTIPLE_DOCS' ? 'it holds more than one document' : message}`,
  mend: MENDS[code] ?? 'check the indentation, the colons, brackets and quotes here and in the line above',
});

const MENDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'use spaces',
  TAG_RESOLVE_FAILED: 'leave the tag out',
  MULTIPLE_DOCS: 'keep one document: take out the line ---',
  BAD_ALIAS: 'write the value out, or in quotes if it begins with a star',
  UNREADABLE: 'write the values out, without aliases',
};

/** The first of each line: what follows it mostly follows from it. */
const onePerLine = (mistakes: readonly SyntaxMistake[]): readonly SyntaxMistake[] => {
  const firsts = new Map<number, SyntaxMistake>();
  for (const mistake of mistakes.toSorted((one, other) => one.position.line - other.position.line)) {
    if (!firsts.has(mistake.position.line)) {
      firsts.set(mistake.position.line, mistake);
    }
  }
  return [...firsts.values()];
};

/** Keys that are there twice or can't be one. Doesn't follow aliases: what they stand for is looked at where it stands. */
const keyComplaints = (node: unknown, path: KeyPath, lines: LineCounter): readonly Complaint[] => {
  if (isSeq(node)) {
    return node.items.flatMap((item, index) => keyComplaints(item, [...path, index], lines));
  }
  if (!isMap(node)) {
    return [];
  }
  const firsts = new Map<string, number>();
  return node.items.flatMap((pair): readonly Complaint[] => {
    const key = keyText(pair);
    // zod's records pass over __proto__ without a word.
    const here = [...path, key];
    if (!isScalar(pair.key) || key === '__proto__') {
      return [aboutKey(here, 'is no key', 'use plain words as keys')];
    }
    const first = firsts.get(key);
    if (first !== undefined) {
      return [aboutKey(here, `is there twice, first in line ${at(lines, first).line}`, 'keep one of them')];
    }
    firsts.set(key, startOf(pair.key) ?? 0);
    return keyComplaints(pair.value, here, lines);
  });
};

/** A key as a path has it: the same as in the plain objects, if it is a scalar. */
const keyText = ({ key }: Pair): string => {
  if (isScalar(key)) {
    return String(key.value ?? '');
  }
  return isAlias(key) ? `*${key.source}` : show(isSeq(key) ? [] : {});
};

const offsetOf = (
  root: Node | null,
  path: KeyPath,
  part: 'key' | 'value',
  resolve: (node: unknown) => unknown,
): number => {
  let node: unknown = root;
  let key: unknown = root;
  for (const step of path) {
    const inner = resolve(node);
    if (isMap(inner)) {
      // The last one counts, as in the value.
      const pair = inner.items.findLast((item) => keyText(item) === String(step));
      if (pair === undefined) {
        return startOf(key) ?? 0;
      }
      key = pair.key;
      node = pair.value;
    } else if (isSeq(inner) && typeof step === 'number' && inner.items[step] !== undefined) {
      node = inner.items[step];
      key = node;
    } else {
      return startOf(key) ?? 0;
    }
  }
  return (part === 'key' ? undefined : startOf(node)) ?? startOf(key) ?? 0;
};

const startOf = (node: unknown): number | undefined =>
  isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
