import type * as z from 'zod';
import { aboutKey, aboutValue, type Complaint, type KeyPath, show } from './complaint.ts';
import { listed } from './leaf.ts';
import { SECTIONS } from './schema.ts';
import { nearest } from './spelling.ts';

/** What zod found, in words. `value` is what it looked at. */
export const explainIssues = (issues: readonly z.core.$ZodIssue[], value: unknown): readonly Complaint[] => {
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue) : []));
  const others = issues
    .filter((issue) => issue.code !== 'unrecognized_keys')
    .map((issue) => wrongValue(issue, value))
    // A key that is missing because it is misspelt is one mistake.
    .filter(({ at, path }) => at === 'value' || !unknown.some(({ meant }) => meant === keyOf(path)));
  return [...others, ...unknown.map(({ complaint }) => complaint)];
};

/** Tells the paths at which the issues are, and what is below them. */
export const faultyPaths = (issues: readonly z.core.$ZodIssue[]): ((path: KeyPath) => boolean) => {
  const faulty = issues.map(({ path }) => keyPath(path));
  return (path) => faulty.some((one) => one.every((part, index) => part === path[index]));
};

/** A copy of `value` without what the issues are about. Nodes and interfaces stay, so that they can be counted. */
export const withoutFaults = (value: unknown, issues: readonly z.core.$ZodIssue[]): unknown => {
  const copy: unknown = structuredClone(value);
  for (const issue of issues) {
    const path = keyPath(issue.path);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        remove(copy, [...path, key]);
      }
    } else {
      remove(copy, path);
    }
  }
  return copy;
};

interface UnknownKey {
  readonly complaint: Complaint;
  /** The path of the key that was probably meant. */
  readonly meant: string | undefined;
}

const unknownKeys = (issue: z.core.$ZodIssueUnrecognizedKeys): readonly UnknownKey[] => {
  const path = keyPath(issue.path);
  const known = sectionAt(path)?.keys ?? [];
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const mend = near === undefined ? `use ${listed(known)}, or leave it out` : `did you mean ${near}?`;
    return {
      complaint: aboutKey([...path, key], 'is not a known key', mend),
      meant: near === undefined ? undefined : keyOf([...path, near]),
    };
  });
};

const wrongValue = (issue: z.core.$ZodIssue, value: unknown): Complaint => {
  const path = keyPath(issue.path);
  const found = valueAt(value, path);
  const about = found === undefined ? aboutKey : aboutValue;
  if (issue.code === 'custom') {
    return about(path, textOf(issue.params?.['problem']), textOf(issue.params?.['mend']));
  }
  // Everything else that the schema can say is that a section is no map, or a list no list.
  const example = sectionAt(path)?.example ?? 'another value';
  if (found === undefined) {
    return aboutKey(path, 'is missing', `use ${example}`);
  }
  if (found === null) {
    return aboutValue(path, 'is empty', `use ${example}`);
  }
  const wanted = issue.code === 'invalid_type' && issue.expected === 'array' ? 'a list' : 'a map';
  return typeof found !== 'object' && wanted === 'a list'
    ? aboutValue(path, `${show(found)} is not a list`, `use [${String(found)}]`)
    : aboutValue(path, `${show(found)} is not ${wanted}`, `use ${example}`);
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : 'is wrong');

const sectionAt = (path: KeyPath) => {
  const named = path[0] === 'nodes' || path[0] === 'interfaces' || path[0] === 'publish';
  return SECTIONS.get(path.map((part, index) => (named && index === 1 ? '*' : part)).join('.'));
};

/** A path as one text, to compare. */
const keyOf = (path: KeyPath): string => JSON.stringify(path);

const keyPath = (path: readonly PropertyKey[]): KeyPath =>
  path.map((part) => (typeof part === 'number' ? part : String(part)));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valueAt = (value: unknown, path: KeyPath): unknown => {
  let found = value;
  for (const part of path) {
    if (Array.isArray(found) && typeof part === 'number') {
      found = found[part];
    } else if (isRecord(found) && Object.hasOwn(found, part)) {
      found = found[part];
    } else {
      return undefined;
    }
  }
  return found;
};

const remove = (root: unknown, path: KeyPath): void => {
  const last = path.at(-1);
  const parent = valueAt(root, path.slice(0, -1));
  if (last === undefined) {
    return;
  }
  if (Array.isArray(parent) && typeof last === 'number') {
    // The others keep their index.
    parent[last] = undefined;
  } else if (isRecord(parent) && path.length === 2 && (path[0] === 'nodes' || path[0] === 'interfaces')) {
    parent[last] = {};
  } else if (isRecord(parent)) {
    delete parent[last];
  }
};
