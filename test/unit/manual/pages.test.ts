import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { manPages } from '../../../scripts/manual/pages.ts';
import { whole } from '../../../src/config/schema.ts';
import { globalOptions, ownOptions } from '../commands/own-options.ts';
import { type Entries, sectionsOf } from './page-text.ts';

const pages = manPages();

const page = (file: string): ReadonlyMap<string, Entries> => sectionsOf(pages.get(file) ?? '');

/** The words that stand for tagged paragraphs: of `-c, --config FILE` the options, of `drain, resume` both. */
const wordsOf = (entries: Entries | undefined, wanted: RegExp): readonly string[] =>
  [...(entries?.keys() ?? [])]
    .flatMap((tag) => tag.split(', '))
    .flatMap((tag) => wanted.exec(tag)?.[0] ?? []);

const OPTION = /^--?[a-z]+/i;

describe('conntrack-ha(8)', () => {
  const sections = page('conntrack-ha.8');

  test('has the commands of the program', () => {
    expect(wordsOf(sections.get('COMMANDS'), /^[a-z]+/).toSorted()).toEqual(
      [...ownOptions().keys()].toSorted(),
    );
  });

  test('has the options before a command', () => {
    expect(wordsOf(sections.get('OPTIONS'), OPTION).toSorted()).toEqual([...globalOptions()].toSorted());
  });

  test.each([...ownOptions()])('has the options of %s', (command, options) => {
    const heading = [...sections.keys()].find((name) => name.split(', ').includes(command));
    expect(wordsOf(sections.get(heading ?? ''), OPTION).toSorted()).toEqual([...options].toSorted());
  });
});

/** A key of the configuration, and what is taken where it isn't there. */
interface Key {
  readonly section: string;
  readonly key: string;
  readonly absent: 'refused' | 'derived' | { readonly value: unknown };
}

/** Keys of maps with names of the administrator's own stand in the section of the map. */
const keysOf = (type: unknown, section: string): readonly Key[] => {
  if (type instanceof z.ZodPrefault) {
    return keysOf(type.unwrap(), section);
  }
  if (type instanceof z.ZodRecord) {
    return keysOf(type.valueType, section);
  }
  if (!(type instanceof z.ZodObject)) {
    return [];
  }
  return Object.entries(type.shape).flatMap(([key, value]): readonly Key[] => {
    const inner = keysOf(value, key);
    return inner.length > 0 ? inner : [{ section, key, absent: absent(value) }];
  });
};

const absent = (type: unknown): Key['absent'] => {
  if (type instanceof z.ZodPrefault) {
    return { value: type._zod.def.defaultValue };
  }
  return type instanceof z.ZodOptional ? 'derived' : 'refused';
};

const TOP = 'TOP LEVEL';
const keys = keysOf(whole, TOP);

describe('conntrack-ha-cluster(5)', () => {
  const sections = page('conntrack-ha-cluster.5');

  test.each(keys)('has $section: $key, and its default', ({ section, key, absent }) => {
    const entry = sections.get(section)?.get(key);
    const said = entry?.find((line) => line.startsWith('Default: '))?.slice('Default: '.length);
    if (absent === 'refused') {
      expect(said).toBe('must be there');
    } else if (absent === 'derived') {
      expect(said).toMatch(/./);
    } else {
      // After a colon may stand what that comes to.
      expect(parse(said?.split(': ')[0] ?? '')).toEqual(absent.value);
    }
  });

  test.each([...new Set(keys.map(({ section }) => section))])('has no other in %s', (section) => {
    const known = keys.filter((one) => one.section === section).map(({ key }) => key);
    const others = [...(sections.get(section)?.keys() ?? [])].filter((key) => !known.includes(key));
    // Its own keys are in a section of that name.
    expect(others.filter((key) => !sections.has(key))).toEqual([]);
  });
});

/** The page as a file. */
const written = (file: string, text: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'conntrack-ha-manual-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, file);
  writeFileSync(path, text);
  return path;
};

/** What man (as lintian calls it) and mandoc say against a page. */
const complaints = async (path: string): Promise<string> => {
  const man = await execa('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', path], {
    env: { LC_ALL: 'C.UTF-8', MANROFFSEQ: '', MANWIDTH: '80' },
    reject: false,
  });
  const mandoc = await execa('mandoc', ['-Tlint', path], { reject: false });
  return man.stderr + mandoc.stdout + mandoc.stderr;
};

const installed = ['man', 'mandoc'].every(
  (name) => execaSync(name, ['-V'], { reject: false }).code !== 'ENOENT',
);

describe.runIf(installed)('man and mandoc', () => {
  test.each([...pages])('have nothing to say against %s', async (file, text) => {
    expect(await complaints(written(file, text))).toBe('');
  });

  test('would', async () => {
    const spoilt = await complaints(written('spoilt.8', `${pages.get('conntrack-ha.8')}.PP\n.QQ\n`));
    expect(spoilt).toMatch(/troff:.*'QQ'/);
    expect(spoilt).toMatch(/mandoc:.*[.]QQ/);
  });

  test.each([...pages])('find the name of %s', async (file, text) => {
    const { stdout } = await execa('lexgrog', [written(file, text)]);
    expect(stdout).toContain(`"${file.slice(0, -2)} - `);
  });
});
