import type { Machine } from '../../lab/rig/machine.ts';
import type { Crossing } from './crossing.ts';

/** Takes out of both nodes' ingress table every rule that nft lists with this in it. Throws if a node has none. */
export const removeRules = async ({ nodes }: Crossing, text: string): Promise<void> => {
  await Promise.all(Object.values(nodes).map((node) => removeFrom(node, text)));
};

const removeFrom = async (node: Machine, text: string): Promise<void> => {
  let chain = '';
  const deletions: string[] = [];
  for (const line of (await node.run(['nft', '-a', 'list', 'table', 'netdev', 'conntrack_ha'])).split('\n')) {
    chain = /^\s*chain (\w+) \{/.exec(line)?.[1] ?? chain;
    const handle = /# handle (\d+)$/.exec(line)?.[1];
    if (handle !== undefined && !line.includes('{ # handle') && line.includes(text)) {
      deletions.push(`delete rule netdev conntrack_ha ${chain} handle ${handle}`);
    }
  }
  if (deletions.length === 0) {
    throw new Error(`no rule has "${text}"`);
  }
  await node.run(['nft', '-f', '-'], { input: `${deletions.join('\n')}\n` });
};
