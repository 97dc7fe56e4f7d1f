import { addressWord, inNetworks, parseNetwork } from '../cluster/address.ts';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { ignoredAddresses, peerOf, replicatesIcmp } from './render.ts';
import { parseConfiguration, type Statement } from './syntax.ts';

/** Something in a conntrackd.conf that doesn't go with this cluster. */
export interface Finding {
  /** From 1; of the section when the directive is missing, 0 when that is missing as well. */
  readonly line: number;
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

/**
 * What in an administrator's conntrackd.conf loses flows with `replicas: kernel`, in the order of the lines. Empty for
 * what `renderConntrackd` prints. Never throws for any text.
 */
export const checkConfiguration = (
  text: string,
  config: ClusterConfig,
  node: NodeConfig,
): readonly Finding[] => {
  const { statements, problems } = parseConfiguration(text);
  const sync = find(statements, 'Sync');
  const general = find(statements, 'General');
  const findings = [
    ...problems.map(({ line, problem }) => ({
      line,
      what: problem,
      why: 'conntrackd does not start with it',
      mend: 'correct it; conntrackd.conf(5) has the syntax',
    })),
    ...checkSync(sync, config, node),
    ...checkGeneral(general, config),
    ...checkFilter(general && find(general.block ?? [], 'Filter'), general, config),
  ];
  return findings.sort((one, other) => one.line - other.line);
};

function* checkSync(
  sync: Statement | undefined,
  config: ClusterConfig,
  node: NodeConfig,
): Generator<Finding> {
  if (sync === undefined) {
    yield {
      line: 0,
      what: 'no section Sync',
      why: 'conntrackd counts connections and replicates none',
      mend: 'take the configuration that "conntrack-ha render conntrackd" prints',
    };
    return;
  }
  const mode = find(sync.block ?? [], 'Mode');
  if (mode?.values[0]?.toLowerCase() !== 'ftfw') {
    yield {
      line: (mode ?? sync).line,
      what: mode === undefined ? 'no Mode' : `Mode ${mode.values.join(' ')}`,
      why: 'the peer speaks FTFW, and conntrackd would not notice lost messages',
      mend: 'Mode FTFW { ... }',
    };
    return;
  }
  yield* checkMode(mode, sync);
  yield* checkLink(sync, config, node);
  const tracking = findDeep(sync, 'TCPWindowTracking');
  if (isOn(tracking)) {
    yield {
      line: lineOf(tracking, sync),
      what: 'TCPWindowTracking on',
      why: 'the windows of a replica are old; after a takeover the packets of busy connections are INVALID',
      mend: 'TCPWindowTracking off',
    };
  }
}

function* checkMode(mode: Statement, sync: Statement): Generator<Finding> {
  const external = find(mode.block ?? [], 'DisableExternalCache');
  if (!isOn(external)) {
    yield {
      line: lineOf(external, mode),
      what: 'the external cache is enabled',
      why: "the peer's flows wait in conntrackd and are missing in the kernel when their buckets are taken over",
      mend: 'DisableExternalCache on',
    };
  }
  const startup = find(mode.block ?? [], 'StartupResync');
  if (isOn(startup)) {
    yield {
      line: lineOf(startup, mode),
      what: 'StartupResync on',
      why: "it asks for the peer's flows before stale ones are gone here; a stale one can block a live one for ever",
      mend: 'StartupResync off',
    };
  }
  const resend = find(mode.block ?? [], 'ResendQueueSize');
  if (!(numberIn(resend) > 131_072)) {
    yield {
      line: lineOf(resend, mode),
      what: `ResendQueueSize ${resend?.values[0] ?? 'is not set (131072)'}`,
      why: 'a bulk of 200000 flows fills it; messages lost beyond it are not sent again',
      mend: 'ResendQueueSize 1048576, or twice the flows that you expect',
    };
  }
  const timeout = findDeep(sync, 'CommitTimeout');
  if (timeout !== undefined) {
    yield {
      line: timeout.line,
      what: 'CommitTimeout is set',
      why: 'it does not go with DisableExternalCache, and keeps the timeouts out of what the peer is sent',
      mend: 'remove the line, on both nodes',
    };
  }
}

function* checkLink(sync: Statement, config: ClusterConfig, node: NodeConfig): Generator<Finding> {
  const links = (sync.block ?? []).filter(({ name }) => ['UDP', 'Multicast', 'TCP'].includes(name));
  const [link, second] = links;
  if (link?.name !== 'UDP') {
    yield {
      line: (link ?? sync).line,
      what: link === undefined ? 'no dedicated link' : `the dedicated link is ${link.name}`,
      why: 'the peer sends and expects UDP',
      mend: 'UDP Default { ... }',
    };
    return;
  }
  if (second !== undefined) {
    yield {
      line: second.line,
      what: 'a second dedicated link',
      why: 'the firewall drops replication that comes by any interface but sync.interface',
      mend: 'keep the one link; for a spare use a bond as sync.interface',
    };
  }
  const expected = {
    IPv4_address: node.sync,
    IPv4_Destination_Address: peerOf(config, node).sync,
    Port: String(config.sync.port),
    Interface: deviceOf(node, config.sync.interface),
  };
  for (const [name, value] of Object.entries(expected)) {
    const statement = find(link.block ?? [], name);
    if (statement?.values[0] !== value) {
      yield {
        line: lineOf(statement, link),
        what: `${name} ${statement?.values[0] ?? 'is missing'}`,
        why: `cluster.yaml says ${value}; the nodes would not hear each other`,
        mend: `${name} ${value}`,
      };
    }
  }
}

function* checkGeneral(general: Statement | undefined, config: ClusterConfig): Generator<Finding> {
  const block = general?.block ?? [];
  const size = find(block, 'HashSize');
  // Not set is 65536 (src/read_config_yy.y).
  if (size !== undefined && !(numberIn(size) > 8192)) {
    yield {
      line: size.line,
      what: `HashSize ${size.values.join(' ')}`,
      why: 'with 8192 or less conntrackd ignores flushes once it has had a commit, until it is restarted',
      mend: 'HashSize 131072',
    };
  }
  const overrun = find(block, 'NetlinkOverrunResync');
  if (!isOff(overrun)) {
    yield {
      line: lineOf(overrun, general),
      what: `NetlinkOverrunResync ${overrun?.values[0] ?? 'is not set (on)'}`,
      why: "after lost events it takes copies of the peer's flows for its own; when one expires, the peer's flow dies",
      mend: 'NetlinkOverrunResync off',
    };
  }
  const reliable = find(block, 'NetlinkEventsReliable');
  if (isOn(reliable)) {
    yield {
      line: lineOf(reliable, general),
      what: 'NetlinkEventsReliable on',
      why: 'the kernel keeps ended flows until conntrackd has heard of them; a stuck conntrackd fills the table',
      mend: 'NetlinkEventsReliable off',
    };
  }
  const poll = find(block, 'PollSecs');
  if (poll !== undefined) {
    yield {
      line: poll.line,
      what: 'PollSecs is set',
      why: 'states are looked up at intervals instead of replicated as they change',
      mend: 'remove the line',
    };
  }
  const buffer = find(block, 'NetlinkBufferSize') ?? find(block, 'SocketBufferSize');
  if (!(numberIn(buffer) >= 8_388_608)) {
    yield {
      line: lineOf(buffer, general),
      what: `NetlinkBufferSize ${buffer?.values[0] ?? 'is not set'}`,
      why: 'events of a burst of flows are lost, and with them states on the peer',
      mend: 'NetlinkBufferSize 67108864',
    };
  }
  if (!isLogged(find(block, 'Syslog')) && !isLogged(find(block, 'LogFile'))) {
    yield {
      line: lineOf(undefined, general),
      what: 'neither Syslog nor LogFile',
      why: 'flows that could not be put into the kernel are named nowhere else',
      mend: 'Syslog on',
    };
  }
  const unix = find(block, 'UNIX');
  const path = find(unix?.block ?? [], 'Path');
  if (path?.values[0] !== config.paths.conntrackd) {
    yield {
      line: lineOf(path ?? unix, general),
      what: `Path ${path?.values[0] ?? 'is missing'}`,
      why: `conntrack-ha looks for conntrackd at ${config.paths.conntrackd}`,
      mend: `UNIX { Path ${config.paths.conntrackd} }, or set paths.conntrackd in cluster.yaml`,
    };
  }
}

function* checkFilter(
  filter: Statement | undefined,
  general: Statement | undefined,
  config: ClusterConfig,
): Generator<Finding> {
  if (filter === undefined) {
    yield {
      line: lineOf(undefined, general),
      what: 'no section Filter',
      why: "the firewalls' own connections and protocols that can't be replicated are sent to the peer",
      mend: 'Filter From Userspace { Protocol Accept { TCP SCTP UDP } Address Ignore { ... } }',
    };
    return;
  }
  yield* checkProtocols(filter, config);
  yield* checkAddresses(filter, config);
  const state = find(filter.block ?? [], 'State');
  if (state !== undefined) {
    yield {
      line: state.line,
      what: 'State in the Filter',
      why: 'connections in the states left out are lost in a takeover',
      mend: 'remove the section State',
    };
  }
}

function* checkProtocols(filter: Statement, config: ClusterConfig): Generator<Finding> {
  const protocol = find(filter.block ?? [], 'Protocol');
  const listed = new Set((protocol?.block ?? []).map(({ name }) => name.toUpperCase()));
  const accepting = protocol?.values[0] === 'Accept';
  const isReplicated = (name: string): boolean => protocol === undefined || listed.has(name) === accepting;
  for (const name of ['TCP', 'UDP']) {
    if (!isReplicated(name)) {
      yield {
        line: lineOf(protocol, filter),
        what: `${name} is not replicated`,
        why: `every ${name} flow is lost in a takeover`,
        mend: `name ${name} in Protocol Accept`,
      };
    }
  }
  if (isReplicated('ICMP') && !replicatesIcmp(config)) {
    yield {
      line: lineOf(protocol, filter),
      what: 'ICMP is replicated',
      why: 'the id that SNAT chose is not; after a takeover a ping that runs on is never answered again',
      mend: 'Protocol Accept { TCP SCTP UDP }',
    };
  }
  if (isReplicated('GRE')) {
    yield {
      line: lineOf(protocol, filter),
      what: 'GRE is replicated',
      why: 'its key is not; the copies on the peer are wrong',
      mend: 'Protocol Accept { TCP SCTP UDP }',
    };
  }
}

function* checkAddresses(filter: Statement, config: ClusterConfig): Generator<Finding> {
  const address = find(filter.block ?? [], 'Address');
  if (address !== undefined && address.values[0] !== 'Ignore') {
    yield {
      line: address.line,
      what: `Address ${address.values.join(' ')}`,
      why: 'flows of addresses that are not listed are lost in a takeover',
      mend: 'Address Ignore { the addresses of the firewalls }',
    };
    return;
  }
  const entries = (address?.block ?? []).filter(({ name }) => name === 'IPv4_address');
  const ignored = entries.map(({ values: [value = ''], line }) => ({
    value,
    line,
    network: networkOf(value),
  }));
  for (const wanted of ignoredAddresses(config)) {
    const word = addressWord(wanted);
    if (!ignored.some(({ network }) => network !== undefined && inNetworks(word, [network]))) {
      yield {
        line: lineOf(address, filter),
        what: `${wanted} is not in Address Ignore`,
        why: "the firewall's own connections are replicated, and stand in the peer's table where they mean nothing",
        mend: `Address Ignore { IPv4_address ${wanted} }`,
      };
    }
  }
  const own = new Set(ignoredAddresses(config));
  for (const { value, line, network } of ignored) {
    const plain = value.replace(/\/32$/, '');
    const reached =
      network !== undefined &&
      insideNetworks(config).find((inside) => overlap(network, parseNetwork(inside)));
    if (reached && !own.has(plain)) {
      yield {
        line,
        what: `Address Ignore has ${value}`,
        why: `flows of clients in ${reached} are not replicated, and lost in a takeover`,
        mend: 'list addresses of the firewalls only',
      };
    }
  }
}

const insideNetworks = (config: ClusterConfig): readonly string[] =>
  config.interfaces
    .filter(({ side }) => side === 'inside')
    .flatMap(({ networks, addresses }) =>
      networks.length > 0 ? networks : addresses.map(({ address, prefix }) => `${address}/${prefix}`),
    );

type Network = ReturnType<typeof parseNetwork>;

const overlap = (one: Network, other: Network): boolean =>
  inNetworks(one.word, [other]) || inNetworks(other.word, [one]);

const networkOf = (value: string): Network | undefined => {
  try {
    return parseNetwork(value.includes('/') ? value : `${value}/32`);
  } catch {
    return undefined;
  }
};

/** The last one counts: conntrackd assigns as it reads. */
const find = (statements: readonly Statement[], name: string): Statement | undefined =>
  statements.findLast((statement) => statement.name === name);

const findDeep = (statement: Statement, name: string): Statement | undefined =>
  find(statement.block ?? [], name) ??
  (statement.block ?? []).map((child) => findDeep(child, name)).find((found) => found !== undefined);

const lineOf = (statement: Statement | undefined, section: Statement | undefined): number =>
  (statement ?? section)?.line ?? 0;

const numberIn = (statement: Statement | undefined): number => Number(statement?.values[0] ?? Number.NaN);

const isOn = (statement: Statement | undefined): boolean => /^(on|yes)$/i.test(statement?.values[0] ?? '');

const isOff = (statement: Statement | undefined): boolean => /^(off|no)$/i.test(statement?.values[0] ?? '');

const isLogged = (statement: Statement | undefined): boolean => statement !== undefined && !isOff(statement);
