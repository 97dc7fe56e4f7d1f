import type { FirewallNode } from './rig/node.ts';
import { SERVER } from './rig/plan.ts';
import { until } from './rig/wait.ts';

/** Entries whose events don't fit into the small buffer. */
const BURST = 2000;
const SECONDS = 60;

/**
 * Starts a node's conntrackd anew with a buffer for the kernel's events that is much smaller than the product's, and whatever
 * else `change` changes.
 */
export const useSmallBuffer = async (
  node: FirewallNode,
  change: (rendered: string) => string = (rendered) => rendered,
): Promise<void> => {
  const rendered = await node.product(['render', 'conntrackd']);
  const small = rendered.replace(/^(\s*NetlinkBufferSize(MaxGrowth)?) \d+$/gm, '$1 262144');
  await node.daemon('conntrackd').kill();
  await node.startConntrackd(change(small));
};

/**
 * More happens in a node's kernel while its conntrackd stands still than the small buffer holds: connections from an
 * address, and then what `meanwhile` does. Returns when conntrackd has noticed.
 */
export const overrun = async (
  node: FirewallNode,
  from: string,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<void> => {
  const counters = () => node.run(['conntrackd', '-C', '/etc/conntrackd/conntrackd.conf', '-s', 'runtime']);
  const overruns = async () => Number(/netlink overrun:\s+(\d+)/.exec(await counters())?.[1]);
  const before = await overruns();
  const flow = `-A -p tcp --state ESTABLISHED -u SEEN_REPLY,ASSURED -t ${SECONDS} -s ${from} -d ${SERVER} --dport 80`;
  const flows = Array.from({ length: BURST }, (_, index) => `${flow} --sport ${20_000 + index}`);
  await node.writeConfiguration('/etc/burst', `${flows.join('\n')}\n`);
  await node.daemon('conntrackd').kill('SIGSTOP');
  await node.run(['conntrack', '-R', '/etc/burst']);
  await meanwhile();
  await node.daemon('conntrackd').kill('SIGCONT');
  await until('an overrun', overruns, 5000, (now) => now > before);
};
