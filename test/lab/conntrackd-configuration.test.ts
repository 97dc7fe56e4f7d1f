import { expect, test } from 'vitest';
import { agentUp, bringUp, restartAgent } from './cluster.ts';
import { statusOf } from './command-output.ts';
import { createLab } from './labs.ts';
import { LogTail } from './log-tail.ts';
import type { FirewallNode } from './rig/node.ts';
import { until } from './rig/wait.ts';
import { siteConfiguration } from './site-conntrackd.ts';
import { warningTexts } from './warnings.ts';

const FILE = '/etc/conntrackd/conntrackd.conf';
const LOCK = '/var/lock/conntrackd.lock';

/** What Debian's package starts as soon as it is installed. */
const DEBIAN = `General {
  HashSize 8192
  HashLimit 65535
  Syslog on
  LockFile ${LOCK}
  UNIX { Path /var/run/conntrackd.sock Backlog 20 }
  SocketBufferSize 262142
  SocketBufferSizeMaxGrown 655355
}
Stats { LogFile on }
`;

const render = (node: FirewallNode): Promise<string> => node.product(['render', 'conntrackd']);

/** What `status` says of conntrackd, when it says that and nothing else of it. */
const says = (node: FirewallNode, what: readonly (string | RegExp)[], boundMs = 10_000): Promise<unknown> =>
  until(
    `status to say ${what.join(', ') || 'nothing'} of conntrackd`,
    async () => (await warningTexts(node)).filter((text) => text.includes('conntrackd')),
    boundMs,
    (seen) =>
      seen.length === what.length &&
      what.every((text, index) =>
        typeof text === 'string' ? seen[index] === text : text.test(seen[index] ?? ''),
      ),
  );

const begin = async (configuration: string): Promise<{ node: FirewallNode; log: LogTail }> => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const node = lab.node('fw1');
  await node.boot();
  await node.startConntrackd(configuration);
  return { node, log: new LogTail(node) };
};

test('a conntrackd that runs with what stood in its file before the cluster’s did is named, with the mend', async () => {
  const { node, log } = await begin(DEBIAN);
  await node.writeConfiguration(FILE, await render(node));
  await node.startAgent();
  await agentUp(node);
  const why = `conntrackd is unfit: it runs with another configuration than ${FILE}: it counts connections and replicates none (section Stats); load it: systemctl restart conntrackd`;
  await says(node, [why]);
  expect((await log.warnings()).filter((line) => line.endsWith(`${why} [conntrackd-unfit]`))).toHaveLength(1);
  await node.daemon('conntrackd').kill();
  await node.startConntrackd();
  await says(node, []);
  expect((await statusOf(node)).conntrackd).toBe('ok');
});

test('another cluster’s configuration is named, in its file and without it', async () => {
  const { node } = await begin(siteConfiguration('10.99.0.1'));
  await node.startAgent();
  await agentUp(node);
  // It sends from a port of its own, which is bound too.
  const seen =
    'DisableExternalCache off instead of on; dedicated link multicast eth3 instead of UDP eth3; bound to UDP .+ instead of 10.99.0.1:3780';
  const mend = `conntrack-ha render conntrackd > ${FILE} && systemctl restart conntrackd`;
  await says(node, [
    new RegExp(`^conntrackd is unfit: its configuration isn't this cluster's: ${seen}; ${mend}$`),
  ]);
  expect((await statusOf(node)).conntrackd).toBe('unfit');
  await node.writeConfiguration(FILE, await render(node));
  await says(node, [
    new RegExp(
      `^conntrackd is unfit: it runs with another configuration than ${FILE}: ${seen}; load it: systemctl restart conntrackd$`,
    ),
  ]);
  await node.daemon('conntrackd').kill();
  await node.startConntrackd();
  await says(node, []);
});

test('a file that is written anew is news when it says something else, and none when it says the same', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const node = lab.node('fw1');
  await bringUp(node, 'none');
  const log = new LogTail(node);
  const conntrackd = async (): Promise<string> => (await statusOf(node)).conntrackd;
  await until('conntrackd', conntrackd, 10_000, (state) => state === 'ok');
  const rendered = await render(node);
  await node.writeConfiguration(FILE, `# once more\n${rendered}`);
  await agentLooks(node);
  await says(node, []);

  await node.writeConfiguration(FILE, rendered.replace('HashLimit 2097152', 'HashLimit 1048576'));
  const changed = new RegExp(
    `^conntrackd \\(process \\d+\\) runs with what stood in ${FILE} before that was changed; load it: systemctl restart conntrackd$`,
  );
  await says(node, [changed]);
  expect(await conntrackd()).toBe('ok');
  await log.hears(/before that was changed/);
  // Another agent knows what conntrackd was started with.
  await restartAgent(node);
  await says(node, [changed]);

  await node.writeConfiguration(FILE, rendered.replace('Port 3780', 'Port 3799'));
  await says(node, [
    /^conntrackd runs as the cluster needs it, and \S+ is another configuration: .*10\.99\.0\.1:3799.*conntrack-ha render conntrackd > /,
  ]);
  await node.writeConfiguration(FILE, rendered);
  await says(node, []);
  await node.daemon('conntrackd').kill();
  await node.startConntrackd(rendered.replace('Port 3780', 'Port 3799'));
  await says(node, [
    /^conntrackd is unfit: its configuration isn't this cluster's: bound to UDP 10\.99\.0\.1:3799 /,
  ]);
});

test('what can’t be seen from outside is told of the file that it was started with', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const node = lab.node('fw1');
  await bringUp(node, 'none');
  const rendered = await render(node);
  await node.daemon('conntrackd').kill();
  await node.startConntrackd(rendered.replace('StartupResync off', 'StartupResync on'));
  await says(node, [
    new RegExp(
      `^conntrackd runs with ${FILE}, line \\d+: StartupResync on: .*StartupResync off, then systemctl restart`,
    ),
  ]);
  await node.daemon('conntrackd').kill();
  await node.startConntrackd(rendered);
  await agentLooks(node);
  await says(node, []);
});

test('the lock that a killed conntrackd has left is named, until it is gone', async () => {
  const lab = await createLab({ cluster: { snat: true, manager: 'none' } });
  const node = lab.node('fw1');
  await bringUp(node, 'none');
  await says(node, []);
  const log = new LogTail(node);
  const why = `no conntrackd listens on /var/run/conntrackd.sock, and none starts while the lock file is there that a killed one has left; rm ${LOCK}, and start it`;
  await log.warnsOnce(
    () => node.daemon('conntrackd').kill('SIGKILL'),
    new RegExp(`${why} \\[conntrackd-absent\\]$`),
  );
  await says(node, [`conntrackd is absent: ${why}`]);
  // It is so.
  await expect(node.run(['conntrackd', '-C', FILE])).rejects.toThrow(/lockfile/);
  await agentLooks(node);
  await says(node, [`conntrackd is absent: ${why}`]);
  await node.run(['rm', LOCK]);
  await says(node, [
    'conntrackd is absent: no conntrackd listens on /var/run/conntrackd.sock; start it, or set paths.conntrackd to the Path of its UNIX section',
  ]);
  await node.startConntrackd();
  await says(node, []);
  expect((await statusOf(node)).conntrackd).toBe('ok');
});

/** Two looks of an agent at its conntrackd have passed: it looks once a second. */
const agentLooks = async (node: FirewallNode): Promise<void> => {
  const end = Date.now() + 2500;
  await until('two looks', async () => Boolean(await statusOf(node)) && Date.now() > end, 5000);
};
