import { type ClusterConfig, deviceOf, type NodeConfig } from '../config/types.ts';
import { find, findDeep, isOn, lineOf, numberIn } from './directive.ts';
import type { Finding } from './finding.ts';
import { linkOf, PURGE_TIMEOUT } from './render.ts';
import type { Statement } from './syntax.ts';

/** Ten years: an order to delete everything after that will not be carried out. */
const LONG_S = 315_360_000;

/** What is wrong in the section Sync: mode and dedicated link. */
export function* checkSync(
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
  const right = config.sync.mode.toUpperCase();
  if (mode?.values[0]?.toUpperCase() !== right) {
    yield {
      line: (mode ?? sync).line,
      what: mode === undefined ? 'no Mode' : `Mode ${mode.values.join(' ')}`,
      why:
        right === 'FTFW'
          ? 'the peer speaks FTFW, and conntrackd would not notice lost messages'
          : 'the peers speak NOTRACK; FTFW follows one sender and drops what the others send',
      mend: `Mode ${right} { ... }`,
    };
    return;
  }
  yield* checkMode(mode, sync, config);
  if (right === 'FTFW') {
    yield* checkResending(mode);
  }
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
  yield* checkExpectations(sync, config);
}

function* checkExpectations(sync: Statement, { helpers }: ClusterConfig): Generator<Finding> {
  const expectations = findDeep(sync, 'ExpectationSync');
  // A name stands for all that begin with it (exp_filter_find in src/filter.c of conntrack-tools).
  const listed = (expectations?.block ?? []).map(({ name }) => name.toLowerCase());
  const missing = helpers.filter((name) => !listed.some((begin) => name.startsWith(begin)));
  if (missing.length > 0 && !isOn(expectations)) {
    yield {
      line: lineOf(expectations, sync),
      what:
        expectations === undefined ? 'no ExpectationSync' : `ExpectationSync without ${missing.join(' ')}`,
      why: 'connections that a helper expects when its node fails are refused by the node that takes over',
      mend: `Options { ExpectationSync { ${helpers.join(' ')} } }`,
    };
  }
}

function* checkMode(mode: Statement, sync: Statement, config: ClusterConfig): Generator<Finding> {
  const external = find(mode.block ?? [], 'DisableExternalCache');
  if (config.sync.replicas === 'cache' && isOn(external)) {
    yield {
      line: lineOf(external, mode),
      what: 'the external cache is disabled',
      why: "cluster.yaml says replicas: cache; the peer's flows are put into the kernel at once, where nobody compares them",
      mend: 'DisableExternalCache off, or replicas: kernel',
    };
  }
  if (config.sync.replicas === 'kernel' && !isOn(external)) {
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
  const purge = findDeep(sync, 'PurgeTimeout');
  if (!(numberIn(purge) >= LONG_S)) {
    yield {
      line: lineOf(purge, mode),
      what: `PurgeTimeout ${purge?.values[0] ?? 'is not set (60)'}`,
      why: 'so many seconds after a "conntrackd -t", which stock scripts such as primary-backup.sh say, it deletes every flow, of the own ones too',
      mend: `PurgeTimeout ${PURGE_TIMEOUT}`,
    };
  }
  const timeout = findDeep(sync, 'CommitTimeout');
  if (timeout !== undefined) {
    yield {
      line: timeout.line,
      what: 'CommitTimeout is set',
      why: 'it keeps the timeouts out of what the peer is sent, and does not go with DisableExternalCache',
      mend: 'remove the line, on both nodes',
    };
  }
}

function* checkResending(mode: Statement): Generator<Finding> {
  const resend = find(mode.block ?? [], 'ResendQueueSize');
  if (!(numberIn(resend) > 131_072)) {
    yield {
      line: lineOf(resend, mode),
      what: `ResendQueueSize ${resend?.values[0] ?? 'is not set (131072)'}`,
      why: 'a bulk of 200000 flows fills it; messages lost beyond it are not sent again',
      mend: 'ResendQueueSize 1048576, or twice the flows that you expect',
    };
  }
}

function* checkLink(sync: Statement, config: ClusterConfig, node: NodeConfig): Generator<Finding> {
  const links = (sync.block ?? []).filter(({ name }) => ['UDP', 'Multicast', 'TCP'].includes(name));
  const [link, second] = links;
  const { kind, directives } = linkOf(config, node);
  if (link?.name !== kind) {
    yield {
      line: (link ?? sync).line,
      what: link === undefined ? 'no dedicated link' : `the dedicated link is ${link.name}`,
      why: kind === 'UDP' ? 'the peer sends and expects UDP' : 'the peers send and expect Multicast',
      mend: kind === 'UDP' ? 'UDP Default { ... }' : 'Multicast { ... }',
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
  const expected = { ...directives, Interface: deviceOf(node, config.sync.interface) };
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
