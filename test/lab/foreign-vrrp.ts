import { setTimeout as sleep } from 'node:timers/promises';
import type { FirewallNode } from './rig/node.ts';

/** No node's address, of the inside network. */
const SOURCE = '192.168.0.77';
const TIMES = 12;
const PAUSE_MS = 200;

/**
 * One VRRPv3 advertisement (RFC 5798, 5.1) to 224.0.0.18, of priority 1, in the name of an address that isn't this machine's; its
 * checksum covers IPv4's pseudo header.
 */
const SEND = `
use Socket;
my ($from, $by, $vrid) = @ARGV;
my ($source, $group) = map { inet_aton($_) } $from, '224.0.0.18';
my $sum = sub { my $s = 0; $s += $_ for unpack 'n*', $_[0]; $s = ($s >> 16) + ($s & 0xffff) while $s >> 16; ~$s & 0xffff };
my $vrrp = sub { pack 'CCCCnna4', 0x31, $vrid, 1, 1, 100, $_[0], $source };
my $pseudo = $source . $group . pack('nn', 112, length $vrrp->(0));
my $checked = $vrrp->($sum->($pseudo . $vrrp->(0)));
my $packet = pack('CCnnnCCna4a4', 0x45, 0xc0, 20 + length $checked, 0, 0, 255, 112, 0, $source, $group) . $checked;
socket(my $out, PF_INET, SOCK_RAW, 255) or die "socket: $!";
setsockopt($out, 0, 32, inet_aton($by)) or die "IP_MULTICAST_IF: $!";
send($out, $packet, 0, sockaddr_in(0, $group)) or die "send: $!";
`;

/** Has a stranger speak VRRP on the inside for some seconds with one of the cluster's VRIDs, as seen from all nodes but this one. */
export const speakForeignVrrp = async (node: FirewallNode, vrid: number): Promise<void> => {
  const [by = ''] = (node.plan.links.inside.address ?? '').split('/');
  for (let time = 0; time < TIMES; time += 1) {
    await node.run(['perl', '-e', SEND, SOURCE, by, String(vrid)]);
    await sleep(PAUSE_MS);
  }
};
