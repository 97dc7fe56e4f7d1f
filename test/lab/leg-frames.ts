import type { Lab } from './rig/lab.ts';
import type { FirewallNode } from './rig/node.ts';
import { SHARED_MAC } from './rig/plan.ts';

const SIDES = ['inside', 'outside'] as const;

/** Frames by which agents know that they hear each other, as they came into the switches. */
export interface LegFrames {
  /** As a node sends them, for each node and side. */
  readonly byNode: readonly number[];
  /** From anybody else, or with another address: answers, or what was forwarded. */
  readonly byOthers: number;
  readonly seconds: number;
}

/** Counts them from now on; returns how to read it. */
export const watchLegFrames = async (lab: Lab): Promise<() => Promise<LegFrames>> => {
  const began = Date.now();
  for (const side of SIDES) {
    const wire = lab.wire(side);
    const ports = [...(await wire.counters()).keys()];
    const rules = ports.map((port) => {
      const node = lab.nodes.find(({ name }) => name === port);
      const right =
        node === undefined
          ? ''
          : `ether type 0x88b5 ether saddr ${node.plan.links[side].mac} ether daddr ${SHARED_MAC[side]} counter name nodes_${port} accept`;
      return `
  counter nodes_${port} { }
  chain ${port} {
    type filter hook ingress device "${port}" priority 0
    ${right}
    ether type 0x88b5 counter name others
  }`;
    });
    const input = `table netdev leg_frames {\n  counter others { }${rules.join('')}\n}\n`;
    await wire.machine.run(['nft', '-f', '-'], { input });
  }
  return async () => {
    const list = ['nft', 'list', 'counters', 'table', 'netdev', 'leg_frames'];
    const texts = await Promise.all(SIDES.map((side) => lab.wire(side).machine.run(list)));
    const count = (text: string, name: string): number =>
      Number(new RegExp(`counter ${name} \\{\\s+packets (\\d+)`).exec(text)?.[1]);
    return {
      byNode: texts.flatMap((text) => lab.nodes.map(({ name }) => count(text, `nodes_${name}`))),
      byOthers: texts.reduce((sum, text) => sum + count(text, 'others'), 0),
      seconds: (Date.now() - began) / 1000,
    };
  };
};

/** How many frames to a shared MAC a node has dropped because they were nothing that it knows, for each of its legs. */
export const unknownFrames = async (node: FirewallNode): Promise<readonly number[]> => {
  const rules = await node.run(['nft', 'list', 'ruleset', 'netdev']);
  const counts = rules.matchAll(/packets (\d+) bytes \d+ drop comment "(no|neither) ARP\b/g);
  return [...counts].map(([, packets]) => Number(packets));
};
