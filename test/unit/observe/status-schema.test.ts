import { expect, it } from 'vitest';
import { statusSchema } from '../../../src/observe/status-schema.ts';

const STATUS = {
  node: 'fw1',
  manager: { kind: 'none', alive: true },
  drained: false,
  groups: [],
  peers: [],
  conntrackd: 'ok',
  verified: [],
  comparing: null,
  commit: null,
  refused: 0,
  legs: [],
};

it('takes what an agent of another version warns of', () => {
  const later = { code: 'never-heard-of', object: 'eth1', text: 'it is so' };
  const { warnings } = statusSchema.parse({ ...STATUS, warnings: ['fw2 is away', later] });
  expect(warnings).toEqual([{ code: 'other-version', object: '', text: 'fw2 is away' }, later]);
});
