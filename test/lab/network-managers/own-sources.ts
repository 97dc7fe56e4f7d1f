import { expect } from 'vitest';
import type { FirewallNode } from '../rig/node.ts';
import { SERVER, SERVER6 } from '../rig/plan.ts';

/** Neighbours of each leg and family. */
const NEIGHBOURS = ['192.168.0.20', SERVER, 'fd00:1::20', SERVER6];

/** Expects that a node's own connections to its neighbours begin with its own addresses. */
export const expectOwnSources = async (node: FirewallNode): Promise<void> => {
  const { inside, outside } = node.plan.links;
  const own = [inside.address, outside.address, inside.address6, outside.address6];
  expect(await Promise.all(NEIGHBOURS.map((address) => sourceTo(node, address)))).toEqual(
    own.map((address) => address?.replace(/\/.*/, '')),
  );
};

/** The source that the kernel chooses for what goes there. */
const sourceTo = async (node: FirewallNode, address: string): Promise<string | undefined> =>
  /\bsrc (\S+)/.exec(await node.run(['ip', 'route', 'get', address]))?.[1];
