import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { BootedFirewall } from './booted-firewall.ts';
import { writeInterfaces, writeNetworkFiles } from './network.ts';
import { readmeStep } from './readme.ts';

export type Pair = readonly [BootedFirewall, BootedFirewall];

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));
const FILES = ['/etc/conntrack-ha/cluster.yaml', '/etc/conntrack-ha/key'];
/** dpkg unpacks a hundred megabytes. */
const INSTALL_MS = 300_000;

/**
 * Boots two machines, one with ifupdown and one with systemd-networkd, and does on them what README says, word by word. The
 * example's names, addresses and interfaces are the lab's, so it needs no edit.
 */
export const installByReadme = async (nodes: Pair): Promise<void> => {
  const [first, second] = nodes;
  const deb = await packed();
  for (const node of nodes) {
    await node.write('/etc/hostname', `${node.name}\n`);
    await node.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${node.name}\n`);
    await node.hold(deb, '/root');
  }
  await writeInterfaces(first);
  await writeNetworkFiles(second);
  await Promise.all(nodes.map((node) => node.boot()));
  await second.shell('systemctl enable --now systemd-networkd systemd-networkd-wait-online');
  const [install = ''] = await readmeStep(1);
  await Promise.all(nodes.map((node) => node.shell(install, { boundMs: INSTALL_MS })));

  const [configure = '', where = ''] = await readmeStep(2);
  await first.shell(configure);
  for (const file of FILES) {
    await execa('cp', ['-p', first.machine.path(file), second.machine.path(file)]);
  }
  const [daemons = ''] = await readmeStep(3);
  const [start = ''] = await readmeStep(4);
  for (const node of nodes) {
    await node.shell(where);
    await node.shell(daemons);
  }
  for (const node of nodes) {
    await node.shell(start);
  }
};

/** What `npm run package` builds of this tree. */
const packed = async (): Promise<string> => {
  const { stdout } = await execa('npm', ['run', '--silent', 'package'], {
    cwd: PROJECT,
    timeout: INSTALL_MS,
  });
  const deb = /^package: (\S+\.deb): /m.exec(stdout)?.[1];
  if (deb === undefined) throw new Error(`npm run package says nothing of a package: ${stdout}`);
  return deb;
};
