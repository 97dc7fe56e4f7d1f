import type { FirewallNode } from '../rig/node.ts';
import { ownCopies, type RuleProduct, runAll, write } from './product.ts';

/** Debian's 5.2. */
export const shorewall: RuleProduct = {
  name: 'shorewall',
  prepare: async (node) => {
    await ownCopies(node, ['/etc/shorewall', '/var/lib/shorewall']);
    for (const [name, text] of Object.entries(FILES)) {
      await write(node, `/etc/shorewall/${name}`, text);
    }
    await runAll(node, ['sed -i s/^STARTUP_ENABLED=.*/STARTUP_ENABLED=Yes/ /etc/shorewall/shorewall.conf']);
  },
  start: (node) => shorewallDo(node, 'start'),
  reload: (node) => shorewallDo(node, 'reload'),
  restart: (node) => shorewallDo(node, 'restart'),
};

const FILES: Readonly<Record<string, string>> = {
  zones: 'fw firewall\nloc ipv4\nnet ipv4\nsync ipv4\n',
  interfaces: '?FORMAT 2\nloc eth1\nnet eth2\nsync eth3\n',
  policy: '$FW all ACCEPT\nsync $FW ACCEPT\nloc net ACCEPT\nnet all DROP\nall all REJECT\n',
  rules: '?SECTION NEW\nACCEPT loc $FW 112\n',
  snat: 'MASQUERADE 192.168.0.0/24 eth2\n',
};

/** It writes its environment into the script that it makes, and fails at a quote in it; npx has one. */
const shorewallDo = (node: FirewallNode, what: string): Promise<void> =>
  runAll(node, [`env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin shorewall ${what}`]);
