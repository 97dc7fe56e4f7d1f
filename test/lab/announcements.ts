import type { Lab } from './rig/lab.ts';
import { SHARED, SHARED6 } from './rig/plan.ts';

const SIDES = ['inside', 'outside'] as const;

/** How often a node has announced its shared address on each side, in each family. */
export interface Announcements {
  readonly inside: { readonly arp: number; readonly nd: number };
  readonly outside: { readonly arp: number; readonly nd: number };
}

/** As often on either side, in either family. */
export const counted = (times: number): Announcements => ({
  inside: { arp: times, nd: times },
  outside: { arp: times, nd: times },
});

/** Counts at the switches what each node that is on announces from now on; returns how to read it. */
export const watchAnnouncements = async (lab: Lab): Promise<() => Promise<Record<string, Announcements>>> => {
  const names = lab.nodes.filter((node) => node.on).map(({ name }) => name);
  for (const side of SIDES) {
    const rules = names.map(
      (name) => `
  counter ${name}_arp { }
  counter ${name}_nd { }
  chain ${name} {
    type filter hook ingress device "${name}" priority 0
    arp operation request arp saddr ip ${SHARED[side]} arp daddr ip ${SHARED[side]} counter name ${name}_arp
    ip6 saddr ${SHARED6[side]} ip6 daddr ff02::1 icmpv6 type nd-neighbor-advert counter name ${name}_nd
  }`,
    );
    await lab
      .wire(side)
      .machine.run(['nft', '-f', '-'], { input: `table netdev announcements {${rules.join('')}\n}\n` });
  }
  const read = async (side: (typeof SIDES)[number], name: string) => {
    const list = ['nft', 'list', 'counters', 'table', 'netdev', 'announcements'];
    const text = await lab.wire(side).machine.run(list);
    const count = (what: string): number =>
      Number(new RegExp(`counter ${name}_${what} \\{\\s+packets (\\d+)`).exec(text)?.[1]);
    return { arp: count('arp'), nd: count('nd') };
  };
  return async () => {
    const all = names.map(
      async (name) =>
        [name, { inside: await read('inside', name), outside: await read('outside', name) }] as const,
    );
    return Object.fromEntries(await Promise.all(all));
  };
};
