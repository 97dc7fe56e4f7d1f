import type { FirewallNode } from './rig/node.ts';
import { childrenOf, signal } from './rig/processes.ts';
import { until } from './rig/wait.ts';

/** Kills a node's keepalived with its child, which would outlive it for a moment and say its last words. */
export const killKeepalived = async (node: FirewallNode): Promise<void> => {
  const keepalived = node.daemon('keepalived');
  for (const pid of [keepalived.pid, ...(await childrenOf(keepalived.pid))]) {
    signal(pid, 'SIGKILL');
  }
  await keepalived.ended;
};

/** Has keepalived read its configuration again, and waits until it has. */
export const reloadKeepalived = async (node: FirewallNode): Promise<void> => {
  const reloads = async (): Promise<number> =>
    (await node.daemon('keepalived').output()).split('Reload complete').length;
  const before = await reloads();
  signal(node.daemon('keepalived').pid, 'SIGHUP');
  await until('the reload', async () => (await reloads()) > before, 5000);
};
