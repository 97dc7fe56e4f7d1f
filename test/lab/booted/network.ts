import { SIDES } from '../rig/plan.ts';
import type { BootedFirewall } from './booted-firewall.ts';

/** ifupdown's, as docs/network-managers.md has them. The sync link is slow to come up, as real ones are. */
export const writeInterfaces = async (node: BootedFirewall): Promise<void> => {
  const stanzas = SIDES.flatMap((side) => {
    const { device, address } = node.plan.links[side];
    return [
      `auto ${device}`,
      `iface ${device} inet static`,
      ...(side === 'sync' ? ['  pre-up sleep 2'] : []),
      `  address ${address}`,
    ];
  });
  await node.write('/etc/network/interfaces', lines('auto lo', 'iface lo inet loopback', ...stanzas));
};

/** systemd-networkd's, likewise. */
export const writeNetworkFiles = async (node: BootedFirewall): Promise<void> => {
  for (const side of SIDES) {
    const { device, address } = node.plan.links[side];
    await node.write(
      `/etc/systemd/network/10-${side}.network`,
      lines(
        ...['[Match]', `Name=${device}`, '', '[Network]', `Address=${address}`, 'DHCP=no'],
        ...[
          'LinkLocalAddressing=ipv6',
          'IPv6AcceptRA=no',
          'KeepConfiguration=static',
          'IgnoreCarrierLoss=yes',
        ],
      ),
    );
  }
  await node.write(
    '/etc/systemd/networkd.conf.d/conntrack-ha.conf',
    lines('[Network]', 'ManageForeignRoutes=no', 'ManageForeignRoutingPolicyRules=no'),
  );
};

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;
