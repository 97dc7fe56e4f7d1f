import { expect, it } from 'vitest';
import { encodeLegPayload, isProven, readLegPayload } from '../../../src/peers/leg-payload.ts';

const KEY = Buffer.alloc(32, 7);
const CONTEXT = { cluster: 'edge', mac: '01:00:5e:00:01:01' };
const SAID = { id: 2, session: '0123456789abcdef', counter: 70_000 };
const PAYLOAD = encodeLegPayload(KEY, CONTEXT, SAID);

it('says whose it is, and fills the shortest frame', () => {
  expect(PAYLOAD).toHaveLength(46);
  expect(readLegPayload(PAYLOAD)).toEqual(SAID);
  expect(isProven(KEY, CONTEXT, PAYLOAD)).toBe(true);
});

it('is none without the key, of another cluster, on another leg, or changed', () => {
  expect(isProven(Buffer.alloc(32, 8), CONTEXT, PAYLOAD)).toBe(false);
  expect(isProven(KEY, { ...CONTEXT, cluster: 'core' }, PAYLOAD)).toBe(false);
  expect(isProven(KEY, { ...CONTEXT, mac: '01:00:5e:00:01:02' }, PAYLOAD)).toBe(false);
  for (let at = 0; at < 36; at += 1) {
    const changed = Uint8Array.from(PAYLOAD, (byte, index) => (index === at ? byte ^ 1 : byte));
    expect(isProven(KEY, CONTEXT, changed)).toBe(false);
  }
});

it('is nothing where it is cut, empty or somebody else’s', () => {
  for (let length = 0; length < 36; length += 1) {
    expect(readLegPayload(PAYLOAD.subarray(0, length))).toBeUndefined();
    expect(isProven(KEY, CONTEXT, PAYLOAD.subarray(0, length))).toBe(false);
  }
  expect(readLegPayload(new Uint8Array(100))).toBeUndefined();
  expect(readLegPayload(Uint8Array.from(PAYLOAD, (byte, index) => (index === 4 ? 9 : byte)))).toBeUndefined();
});
