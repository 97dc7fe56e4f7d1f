import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { BootedFirewall } from './booted-firewall.ts';
import { writeInterfaces, writeNetworkFiles } from './network.ts';
import { readmeStep } from './readme.ts';

export type Pair = readonly [BootedFirewall, BootedFirewall];

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const FILES = ['/etc/conntrack-ha/cluster.yaml', '/etc/conntrack-ha/key'];
/** npm unpacks and builds. */
const INSTALL_MS = 300_000;

/**
 * Boots two machines, one with ifupdown and one with systemd-networkd, and does on them what README says, word by word. The
 * example's names, addresses and interfaces are the lab's, so it needs no edit.
 */
export const installByReadme = async (nodes: Pair): Promise<void> => {
  const [first, second] = nodes;
  for (const node of nodes) {
    await node.write('/etc/hostname', `${node.name}\n`);
    await node.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${node.name}\n`);
    await cloneBare(join(node.disk, 'srv/conntrack-ha.git'));
  }
  await writeInterfaces(first);
  await writeNetworkFiles(second);
  await Promise.all(nodes.map((node) => node.boot()));
  await second.shell('systemctl enable --now systemd-networkd systemd-networkd-wait-online');
  const [install = ''] = await readmeStep(1);
  const commands = install.replace('<this repository>', 'file:///srv/conntrack-ha.git');
  await Promise.all(nodes.map((node) => node.shell(commands, { boundMs: INSTALL_MS })));

  const here = { cwd: '/opt/conntrack-ha' };
  const [configure = '', where = ''] = await readmeStep(2);
  await first.shell(configure, here);
  await second.shell('mkdir -p /etc/conntrack-ha');
  for (const file of FILES) {
    await execa('cp', ['-p', first.machine.path(file), second.machine.path(file)]);
  }
  const [daemons = ''] = await readmeStep(3);
  const [start = ''] = await readmeStep(4);
  for (const node of nodes) {
    await node.shell(where, here);
    await node.shell(daemons, here);
  }
  for (const node of nodes) {
    await node.shell(start, here);
  }
};

/** What is committed: the machines clone it, as the README's reader does. */
const cloneBare = async (path: string): Promise<void> => {
  await mkdir(path, { recursive: true });
  await execa('git', ['clone', '--quiet', '--bare', PROJECT, path]);
};
