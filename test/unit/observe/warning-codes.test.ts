import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { WARNING_CODES } from '../../../src/cluster/warning.ts';

/** The codes in the first column of the document's tables. */
const documented = readFileSync('docs/warnings.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code]) => code));

it.each(WARNING_CODES)('docs/warnings.md has %s', (code) => {
  expect(documented).toContain(code);
});

it('the document has no others', () => {
  expect(documented.filter((code) => !WARNING_CODES.some((known) => known === code))).toEqual([]);
});
