import { expect } from 'vitest';
import type { Lab } from '../rig/lab.ts';
import { until } from '../rig/wait.ts';
import type { BootedFirewall } from './booted-firewall.ts';
import { Leaks } from './leaks.ts';

/** What systemd's units promise of one node, and that it isn't so without. The node's keepalived and agent are left stopped. */

/** When systemd says that the agent is started, it can be asked, and keepalived finds its FIFO. */
export const readyIsReady = async (node: BootedFirewall): Promise<void> => {
  const ready =
    'systemctl restart conntrack-ha; test -p /run/conntrack-ha/keepalived.fifo; conntrack-ha status --json';
  await node.shell('systemctl stop keepalived');
  expect(JSON.parse(await node.shell(ready)).node).toBe(node.name);
  const status = await node.shell('systemctl show --value --property=StatusText conntrack-ha');
  expect(status).toMatch(/^owns (nothing|\d+ of 64 buckets)/);
  await dropIn(node, 'Type=exec');
  await expect(node.shell(ready)).rejects.toThrow(/no agent runs here/);
};

/** In its sandbox the agent sees which process conntrackd is, as long as that may no more than the agent. */
export const conntrackdIsSeen = async (node: BootedFirewall): Promise<void> => {
  const memory = '/run/conntrack-ha/conntrackd';
  const isSeen = async (boundMs: number): Promise<void> => {
    await node.shell(`systemctl restart conntrackd; rm -f ${memory}; systemctl restart conntrack-ha`);
    const pid = await node.shell('systemctl show --value --property=MainPID conntrackd');
    await until(
      'conntrackd to be seen',
      () => node.shell(`cat ${memory}`),
      boundMs,
      (text) => text.startsWith(`${pid} `),
    );
  };
  await isSeen(10_000);
  const unbounded = '/run/systemd/system/conntrackd.service.d';
  await node.shell(
    `mkdir -p ${unbounded}; printf '[Service]\\nCapabilityBoundingSet=~\\n' >${unbounded}/test.conf; systemctl daemon-reload`,
  );
  await expect(isSeen(3000)).rejects.toThrow(/waited/);
};

/** An agent that hangs is ended and started anew, whatever the manager does. */
export const hungIsEnded = async (node: BootedFirewall): Promise<void> => {
  const pid = () => node.shell('systemctl show --value --property=MainPID conntrack-ha');
  const hang = async (): Promise<string> => {
    const hung = await pid();
    await node.shell('systemctl kill --kill-whom=main --signal=STOP conntrack-ha');
    return hung;
  };
  await dropIn(node, 'WatchdogSec=2s');
  const first = await hang();
  await until(
    'another agent',
    async () => [await pid(), await node.shell('systemctl is-active conntrack-ha || true')],
    15_000,
    ([now, state]) => now !== first && state === 'active',
  );
  await dropIn(node, 'WatchdogSec=0');
  const second = await hang();
  await expect(until('another agent', pid, 5000, (now) => now !== second)).rejects.toThrow(/waited/);
};

/** Rules that nftables.service flushes while no agent runs come back, closed. */
export const flushedIsClosed = async (node: BootedFirewall): Promise<void> => {
  // Its check would start a stand-in.
  await node.shell('systemctl stop keepalived');
  await node.shell('systemctl kill --signal=KILL conntrack-ha; systemctl stop conntrack-ha');
  for (const verb of ['restart', 'reload', 'restart']) {
    await node.shell(`systemctl ${verb} nftables`);
    // Which doesn't wait for who is started with it.
    await until(
      `the rules after ${verb}`,
      () => node.ownedBuckets(),
      10_000,
      (owned) => owned?.length === 0,
    );
    // A reload isn't handed on to a unit that is about to start (JOB_TRY_RELOAD).
    await until(
      `the unit after ${verb}`,
      () => node.shell('systemctl is-active conntrack-ha-closed || true'),
      10_000,
      (state) => state === 'active',
    );
  }
  await node.shell('systemctl stop conntrack-ha-closed; systemctl restart nftables');
  await expect(until('rules', () => node.ownedBuckets(), 3000)).rejects.toThrow(/waited/);
};

/** Nothing passes a node that boots and whose agent doesn't start. */
export const closedAtBoot = async (lab: Lab, node: BootedFirewall): Promise<void> => {
  const leaks = await Leaks.through(lab, node.plan);
  await node.shell('systemctl disable conntrack-ha keepalived');
  for (const closed of [true, false]) {
    await node.shell(`systemctl ${closed ? 'enable' : 'disable'} conntrack-ha-closed`);
    await node.shutDown();
    const before = await leaks.count();
    await node.boot();
    expect(await node.shell('sysctl -n net.ipv4.ip_forward')).toBe('1');
    expect(await node.ownedBuckets()).toEqual(closed ? [] : undefined);
    expect((await leaks.count()) > before).toBe(!closed);
  }
};

/** `apt purge` takes the node out of the cluster, and leaves nothing of ours but what the administrator has written elsewhere. */
export const purgeLeavesNothing = async (node: BootedFirewall): Promise<void> => {
  const here = async (): Promise<readonly string[]> => {
    const files = await node.shell(
      "find /etc /usr /var /run -xdev -name '*conntrack-ha*' -not -path '/var/log/*' -not -path '/etc/systemd/networkd.conf.d/*'; ls -d /run/conntrack-ha || true",
    );
    const tables = await node.shell(
      "nft list tables | grep conntrack_ha || true; ip -o addr | grep -F '.5/24' || true",
    );
    return `${files}\n${tables}`.split('\n').filter((line) => line !== '');
  };
  // This test's own.
  await node.shell('rm -rf /run/systemd/system/conntrack-ha.service.d');
  expect((await here()).length).toBeGreaterThan(10);
  await node.shell('apt-get purge -qq conntrack-ha');
  expect(await here()).toEqual([]);
};

/** Changes the agent's unit, and starts it anew. */
export const dropIn = async (node: BootedFirewall, line: string): Promise<void> => {
  const directory = '/run/systemd/system/conntrack-ha.service.d';
  await node.shell(
    `mkdir -p ${directory}; printf '[Service]\\n%s\\n' '${line}' >${directory}/test.conf; systemctl daemon-reload`,
  );
  await node.shell('systemctl kill --signal=KILL conntrack-ha || true; systemctl restart conntrack-ha');
};
