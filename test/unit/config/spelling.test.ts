import { expect, test } from 'vitest';
import { nearest } from '../../../src/config/spelling.ts';

const KEYS = ['interface', 'mode', 'replicas', 'port', 'key', 'id'];

test.each([
  ['interfaces', 'interface'],
  ['intreface', 'interface'],
  ['INTERFACE', 'interface'],
  ['prot', 'port'],
  ['prto', 'port'],
  ['mod', 'mode'],
  ['kye', 'key'],
  ['ids', 'id'],
  ['bucket', undefined],
  ['x', undefined],
  ['', undefined],
  ['p'.repeat(100_000), undefined],
])('%s is meant to be %s', (word, meant) => {
  expect(nearest(word, KEYS)).toBe(meant);
});

test('the nearest of several counts', () => {
  expect(nearest('snatt', ['sant', 'snat'])).toBe('snat');
});
