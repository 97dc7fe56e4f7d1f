import { ownCopies, type RuleProduct, runAll, write } from './product.ts';

/** Debian's 0.36. */
export const ufw: RuleProduct = {
  name: 'ufw',
  prepare: async (node) => {
    await ownCopies(node, ['/etc/ufw', '/etc/default']);
    const rules = await node.run(['cat', '/etc/ufw/before.rules']);
    await write(node, '/etc/ufw/before.rules', `${rules}\n${MASQUERADE}`);
    await write(node, '/etc/ufw/before.init', BEFORE);
    await runAll(node, ['chmod 755 /etc/ufw/before.init', 'ufw route allow in on eth1 out on eth2']);
  },
  start: (node) => runAll(node, ['ufw --force enable']),
  reload: (node) => runAll(node, ['ufw reload']),
  restart: (node) => runAll(node, ['ufw disable', 'ufw --force enable']),
};

/** As in docs/coexistence.md: while ufw takes its chains down, one by one, only what stands in the kernel's own is accepted. */
const BEFORE = `#!/bin/sh
set -e
accept() {
  iptables -C "$@" -j ACCEPT 2>/dev/null || iptables -I "$@" -j ACCEPT
}
accept INPUT -i eth3
accept INPUT -i eth1 -p vrrp
accept FORWARD -m conntrack --ctstate RELATED,ESTABLISHED
`;

/** As ufw-framework(8) shows it. */
const MASQUERADE = `*nat
:POSTROUTING ACCEPT [0:0]
-F POSTROUTING
-A POSTROUTING -s 192.168.0.0/24 -o eth2 -j MASQUERADE
COMMIT
`;
