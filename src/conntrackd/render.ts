import { addressText, familyOfText, parseAddress } from '../cluster/address.ts';
import { familiesOf, hasSnat, replicatedProtocols } from '../cluster/replicated.ts';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';

/**
 * Flows that the caches are laid out for. FTFW's resend queue held 131 072 of a bulk of 200 000, so twice as many; the
 * caches keep dead flows for a while (conntrackd.conf(5), HashLimit), so four times.
 */
const FLOWS = 524_288;

/** Bytes; conntrackd sets them with SO_*BUFFORCE, so no sysctl bounds them. */
const SOCKET_BUFFER = 25_165_824;
const NETLINK_BUFFER = 67_108_864;
const NETLINK_BUFFER_GROWTH = 268_435_456;
/** While it commits, conntrackd reads next to none of the events about what it commits: about 1300 bytes each. */
const COMMIT_FACTOR = 4;

/**
 * Seconds, 68 years: the most that conntrackd reads right (atoi). Its `-t`, which primary-backup.sh says on a node that becomes a
 * backup, deletes every flow of the kernel when they are over (do_reset_cache_alarm in src/sync-mode.c); here a node that is
 * backup of some groups owns others.
 */
export const PURGE_TIMEOUT = 2_147_483_647;

/** A word for conntrackd's lexer (src/read_config_lex.l, "string"); anything else it reads as something else. */
const WORD = /^[a-zA-Z][a-zA-Z0-9._-]*$/;
/** sun_path of unix(7) less the final zero, and no character at which the lexer ends a path. */
const PATH = /^\/[^"\s#{}]{0,106}$/;

/** The configuration can't be said in conntrackd's. */
export class Unrenderable extends Error {
  override readonly name = 'Unrenderable';
}

/**
 * conntrackd.conf for a node of a cluster.
 *
 * @param own the node's own addresses
 * @throws {Unrenderable} if a name or path has characters that conntrackd can't read
 */
export const renderConntrackd = (
  config: ClusterConfig,
  node: NodeConfig,
  own: readonly string[] = [],
): string => {
  const device = deviceOf(node, config.sync.interface);
  const socket = config.paths.conntrackd;
  const factor = config.sync.replicas === 'cache' ? COMMIT_FACTOR : 1;
  if (!WORD.test(device)) {
    throw new Unrenderable(`conntrackd can't read the interface name "${device}"; rename it`);
  }
  if (!PATH.test(socket)) {
    throw new Unrenderable(
      `conntrackd can't read the path "${socket}" (paths.conntrackd); at most 107 plain characters`,
    );
  }
  return `# conntrackd of ${node.name} in cluster ${config.cluster}, printed by "conntrack-ha render conntrackd".
# Every node needs its own; after a change restart conntrackd, one node at a time.
Sync {
	Mode ${config.sync.mode.toUpperCase()} {${renderResending(config)}
${renderExternalCache(config)}
		# conntrack-ha asks for the peer's flows, once this node's own table is clean; at start is too early.
		StartupResync off
		# Seconds from "conntrackd -t" to the deletion of every flow, of the own ones too. Stock scripts say it.
		PurgeTimeout ${PURGE_TIMEOUT}
	}
${renderAddresses(config, node)}
		Interface ${device}
		# Bytes; room for a burst of about 100000 flows.
		SndSocketBuffer ${SOCKET_BUFFER}
		RcvSocketBuffer ${SOCKET_BUFFER}
		Checksum on
	}
	Options {
		# Windows are not replicated; a taken over connection is tracked liberally.
		TCPWindowTracking off
${renderExpectations(config)}	}
}
General {
	# Buckets of the caches. Never 8192 or less: later flushes would be ignored.
	HashSize ${FLOWS / 4}
	# Flows and dead flows kept; at least twice net.netfilter.nf_conntrack_max.
	HashLimit ${4 * FLOWS}
	# Flows that could not be put into the kernel are named only here.
	Syslog on
${renderLogFile(config)}
	LockFile ${lockFileOf(socket)}
	UNIX {
		# The same as paths.conntrackd in cluster.yaml.
		Path ${socket}
	}
	# Above all ordinary programs; the default, 99, would be above keepalived and the kernel's own threads as well.
	Scheduler {
		Type RR
		Priority 1
	}
	# Bytes for events of the kernel, and how far they may grow.
	NetlinkBufferSize ${factor * NETLINK_BUFFER}
	NetlinkBufferSizeMaxGrowth ${factor * NETLINK_BUFFER_GROWTH}
	# On, the kernel would keep every ended flow until conntrackd has heard of it: a stuck conntrackd fills the table.
	NetlinkEventsReliable off
	# On, lost events would have it send copies of the peer's flows as its own; conntrack-ha repairs what was lost.
	NetlinkOverrunResync off
	# Send after each pair of events. In a longer row, that a flow has ended and that another one between the same ports has
	# begun and gone on become one update (src/internal_cache.c), and the copy keeps the old translation.
	EventIterationLimit 1
	Filter From Userspace {
${renderProtocols(config)}
		# Of the firewalls' own connections there is nothing to take over: shared addresses, and this node's own.
		# An address that flows are translated to may be here: it is compared with the two ends, not with the translation.
		Address Ignore {
${ignoredAddresses(config, own)
  .map((address) => `\t\t\t${addressDirective(address)} ${address}`)
  .join('\n')}
		}
	}
}
`;
};

/**
 * Addresses of the firewalls themselves, and what doesn't pass through any firewall; without duplicates (conntrackd warns of
 * them), and IPv6 in hexadecimal only (it can't read `::ffff:10.0.0.1`). `own`: a node's own.
 */
export const ignoredAddresses = (config: ClusterConfig, own: readonly string[] = []): readonly string[] => [
  ...new Set([
    '127.0.0.1',
    ...(familiesOf(config).has(6) ? ['::1', LINK_LOCAL] : []),
    ...[
      ...config.nodes.map((node) => node.sync),
      ...config.interfaces.flatMap(({ addresses, snat }) => [
        ...addresses.map(({ address }) => address),
        ...snat,
      ]),
      ...own,
    ].map((address) => addressText(parseAddress(address))),
  ]),
];

const LINK_LOCAL = 'fe80::/10';

/** What Address Ignore says before an address or prefix. */
export const addressDirective = (address: string): string => `IPv${familyOfText(address)}_address`;

/**
 * What Protocol Accept says. conntrackd looks the names up as /etc/protocols spells them (getprotobyname in
 * src/read_config_yy.y); a protocol is let through in both families.
 */
export const acceptedProtocols = (config: ClusterConfig): readonly string[] =>
  replicatedProtocols(config).map((name) => PROTOCOL_NAMES[name]);

const PROTOCOL_NAMES = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP', icmpv6: 'IPv6-ICMP' } as const;

/** What names the dedicated link: its kind, and its directives but for the interface. */
export const linkOf = (
  config: ClusterConfig,
  node: NodeConfig,
): { readonly kind: 'UDP' | 'Multicast'; readonly directives: Readonly<Record<string, string>> } => {
  const port = String(config.sync.port);
  const [peer] = config.nodes.filter(({ id }) => id !== node.id);
  return config.sync.mode === 'notrack' || peer === undefined
    ? {
        kind: 'Multicast',
        // conntrackd calls the port a group.
        directives: { IPv4_address: config.sync.multicast, Group: port, IPv4_interface: node.sync },
      }
    : {
        kind: 'UDP',
        directives: { IPv4_address: node.sync, IPv4_Destination_Address: peer.sync, Port: port },
      };
};

const renderAddresses = (config: ClusterConfig, node: NodeConfig): string => {
  const { kind, directives } = linkOf(config, node);
  const lines = Object.entries(directives).map(([name, value]) => `\t\t${name} ${value}`);
  return [`\t${kind}${kind === 'UDP' ? ' Default' : ''} {`, ...lines].join('\n');
};

const renderResending = (config: ClusterConfig): string =>
  config.sync.mode === 'notrack'
    ? `
		# Nothing is acknowledged or sent again: with several senders conntrackd can't. conntrack-ha compares instead.`
    : `
		# Twice the flows that may be sent in one go: a message that fell out can't be sent again.
		ResendQueueSize ${2 * FLOWS}
		ACKWindowSize 300`;

/** Debian's name for Debian's socket; otherwise beside the socket, so that two of them never share a lock. */
export const lockFileOf = (socket: string): string =>
  socket === '/var/run/conntrackd.sock'
    ? '/var/lock/conntrackd.lock'
    : `${socket.replace(/\.[^./]*$/, '')}.lock`;

/** Where conntrackd says what a commit has done, and nowhere else: Debian's name, or beside the socket as the lock. */
export const logFileOf = (socket: string): string =>
  socket === '/var/run/conntrackd.sock'
    ? '/var/log/conntrackd.log'
    : `${socket.replace(/\.[^./]*$/, '')}.log`;

const renderExpectations = ({ helpers }: ClusterConfig): string =>
  helpers.length === 0
    ? ''
    : `\
		# Connections that these helpers expect: who takes over lets them in as the owner would have.
		ExpectationSync {
${helpers.map((name) => `\t\t\t${name}\n`).join('')}\
		}
`;

const renderExternalCache = (config: ClusterConfig): string =>
  config.sync.replicas === 'kernel'
    ? `\t\t# Put the peer's flows into the kernel at once: a takeover then has nothing to commit.
		DisableExternalCache on`
    : `\t\t# Keep the peer's flows here until conntrack-ha has them committed, before it takes over.
		DisableExternalCache off`;

const renderLogFile = (config: ClusterConfig): string =>
  config.sync.replicas === 'kernel'
    ? '\tLogFile off'
    : `\t# conntrack-ha reads here what a commit has done.
	LogFile ${logFileOf(config.paths.conntrackd)}`;

const renderProtocols = (config: ClusterConfig): string => `${whyProtocols(config)}
\t\tProtocol Accept {
${acceptedProtocols(config)
  .map((name) => `\t\t\t${name}`)
  .join('\n')}
\t\t}`;

const whyProtocols = (config: ClusterConfig): string => {
  const translated = ([4, 6] as const).filter((family) => hasSnat(config, family));
  const names = translated.map((family) => (family === 4 ? 'ICMP' : 'IPv6-ICMP')).join(', not ');
  return translated.length > 0
    ? `\t\t# Not ${names}: the id that SNAT chose would be lost, and with it the answers. Not GRE: its key would be lost.
\t\t# Not SCTP: its tag would be spoilt.`
    : '\t\t# GRE and SCTP are left out: conntrackd would lose the key, and spoil the tag.';
};
