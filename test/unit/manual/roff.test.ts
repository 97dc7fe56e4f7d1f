import { describe, expect, test } from 'vitest';
import { blocksOf } from '../../../scripts/manual/blocks.ts';
import { roffOf } from '../../../scripts/manual/roff.ts';

const roff = (markdown: string): readonly string[] =>
  roffOf(blocksOf(markdown), (text, target) => `${text} in \`${target}\``);

describe('a paragraph', () => {
  test('is one, however its lines are broken, of lines that mandoc doesn’t find too long', () => {
    expect(roff('One\ntwo\n\nthree')).toEqual(['.PP', 'One two', '.PP', 'three']);
    const lines = roff('word '.repeat(100).trim()).slice(1);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.join(' ')).toBe('word '.repeat(100).trim());
  });

  test('has fonts for code, for what is strong and for what is stressed', () => {
    expect(roff('a `b` **c `d` e** *f*')).toEqual([
      '.PP',
      'a \\%\\fBb\\fR \\fBc \\%\\fBd\\fB e\\fR \\fIf\\fR',
    ]);
  });

  test('keeps stars that stress nothing', () => {
    expect(roff('N*(N-1) groups, n * 2, one *client*')[1]).toBe('N*(N-1) groups, n * 2, one \\fIclient\\fR');
  });

  test('has no request in it, whatever it begins with', () => {
    expect(roff('.TH')[1]).toBe('\\&.TH');
    expect(roff("'tis")[1]).toBe("\\&'tis");
    expect(roff('a\\b "c"')[1]).toBe('a\\eb \\(dqc\\(dq');
  });

  test('doesn’t divide what is to be typed, nor at the punctuation around it', () => {
    expect(roff('see (`fw1 -c`).')[1]).toBe('see \\%(\\fBfw1 \\%\\-c\\fR).');
  });

  test('says where a link leads', () => {
    expect(roff('[a](b.md)')[1]).toBe('a in \\%\\fBb.md\\fR');
  });
});

test('code is as it is typed', () => {
  const expected = [
    '.PP',
    '.RS 4',
    '.EX',
    'a \\-b \\(aqc\\(aq \\(ha\\(ti\\(ga',
    '  d',
    '\\&.e',
    '.EE',
    '.RE',
  ];
  expect(roff("```\na -b 'c' ^~`\n  d\n.e\n```")).toEqual(expected);
  expect(roff("    a -b 'c' ^~`\n      d\n    .e")).toEqual(expected);
});

describe('a heading', () => {
  test('is in capitals but for keys, and begins a paragraph', () => {
    expect(roff('## The `snat` key\n\nOne.\n\n### `a-b`\n\nTwo.')).toEqual([
      ...['.SH "THE \\%\\fBsnat\\fR KEY"', 'One.', '.SS "\\%\\fBa\\-b\\fR"', 'Two.'],
    ]);
  });
});

test('points are points, over several lines too', () => {
  expect(roff('* one\n  more\n* two')).toEqual(['.IP \\(bu 2', 'one more', '.IP \\(bu 2', 'two']);
});

describe('a table', () => {
  test('of two columns is what it is about and what is said of it', () => {
    expect(roff('| a | what |\n|---|---|\n| `x\\|y` | one |\n| z | |')).toEqual([
      ...['.TP', '\\%\\fBx|y\\fR', 'one', '.TP', 'z'],
    ]);
  });

  test('of more names the columns that say something', () => {
    expect(roff('| key | meaning | default |\n|---|---|---|\n| a | b | c |\n| d | e | |')).toEqual([
      ...['.TP', 'a', 'b', '.br', 'Default: c', '.TP', 'd', 'e'],
    ]);
  });
});
