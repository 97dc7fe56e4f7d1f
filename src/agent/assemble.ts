import { readFileSync } from 'node:fs';
import { groupsOf } from '../cluster/groups.ts';
import { refreshInterval } from '../cluster/refresh.ts';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { ConfigurationWatch } from '../conntrackd/configuration-watch.ts';
import { Control } from '../conntrackd/control.ts';
import { Health } from '../conntrackd/health.ts';
import { staleLock } from '../conntrackd/stale-lock.ts';
import { Arrived, countsArrivals } from '../dataplane/arrived.ts';
import { Ears } from '../dataplane/heard.ts';
import { LinkWatch } from '../dataplane/link-watch.ts';
import { menderOf } from '../dataplane/menders.ts';
import { OthersWatch } from '../dataplane/others/watch.ts';
import { PartsWatch } from '../dataplane/parts-watch.ts';
import { planOf } from '../dataplane/plan.ts';
import { Prefilter, removePrefilters } from '../dataplane/prefilter/prefilter.ts';
import { PrefilteredOwned } from '../dataplane/prefilter/prefiltered-owned.ts';
import { type OwnedHandle, rulesOf } from '../dataplane/rules.ts';
import { SurroundingsWatch } from '../dataplane/surroundings/watch.ts';
import { WatchedAgent } from '../dataplane/watched-agent.ts';
import { Conntrack } from '../kernel/conntrack.ts';
import { conntrackDrops, fullTableDrops } from '../kernel/conntrack-drops.ts';
import { tableSize } from '../kernel/table-size.ts';
import { ConfWatch } from '../managers/keepalived/conf-watch.ts';
import { compareWith } from '../peers/verification.ts';
import type { Logger } from '../system/log.ts';
import { Agent } from './agent.ts';
import { announcerOf } from './announcer.ts';
import { ArrivalsWatch } from './arrivals-watch.ts';
import { EventsFile } from './events-file.ts';
import { AgentFiles } from './files.ts';
import { LegProofs } from './leg-proofs.ts';
import { identityOf } from './own-identity.ts';
import type { AgentParts } from './parts.ts';
import { PeerClocks } from './peer-clocks.ts';
import { RangeWatch } from './range-watch.ts';
import { edgesOf } from './real-edges.ts';
import { RoomWatch } from './room-watch.ts';
import { SharedAddressesAnnouncer } from './shared-addresses-announcer.ts';
import { watchSorting } from './sorting-watch.ts';
import { StandStill } from './stand-still.ts';

import { StrangersWatch } from './strangers-watch.ts';

/** Between two comparisons with a peer: what was lost in between is found, and mended, within a minute. */
const VERIFY_MS = 50_000;
/** Timeouts of what can live on, each packet giving it anew: only the owner sees those. Half-closed connections are among it. */
const TIMEOUTS = [
  'udp_timeout',
  'udp_timeout_stream',
  'icmp_timeout',
  'icmpv6_timeout',
  'tcp_timeout_established',
  'tcp_timeout_unacknowledged',
  'tcp_timeout_max_retrans',
  'tcp_timeout_fin_wait',
  'tcp_timeout_close_wait',
];

/** Timeouts of TCP connections that have ended, in which they stay in the table. */
const ENDINGS = ['fin_wait', 'close_wait', 'last_ack', 'time_wait', 'close'].map(
  (state) => `tcp_timeout_${state}`,
);

/** An agent over the real kernel and the real conntrackd of this node. */
export interface Assembly {
  readonly agent: Agent;
  readonly close: () => Promise<void>;
}

/** Lets the lab replace one mechanism by its absence. */
export type Alter = (parts: AgentParts) => AgentParts;

/**
 * @param id of the data plane that is loaded
 * @param options.resident whether this agent stays: then its heart beats
 * @param options.told what is missing on this machine and was logged before
 */
export const assemble = async (
  config: ClusterConfig,
  node: NodeConfig,
  key: Buffer,
  log: Logger,
  id: string,
  {
    alter = (parts) => parts,
    resident = false,
    told = [],
  }: { readonly alter?: Alter; readonly resident?: boolean; readonly told?: readonly string[] } = {},
): Promise<Assembly> => {
  const lease = leaseOf(config);
  const owned = await ownedBy(config, node, lease, log, resident);
  const tables = menderOf(config, node);
  const neighbours = new SharedAddressesAnnouncer(config, node, owned, log);
  const watched = new WatchedAgent(config, node, lease, (text) => log.warn(text));
  const conntrack = new Conntrack();
  const control = new Control(config.paths.conntrackd, { timeout: config.timeouts.conntrackd });
  const files = new AgentFiles(config.paths.run);
  files.prepare();
  const configuration = new ConfigurationWatch(config, node, files.conntrackdMemory);
  const beside = {
    configuration,
    staleLock: (known: string) => staleLock(config, known),
    flushMemory: files.flushMemory,
  };
  const health = new Health(config.paths.conntrackd, control, beside, {
    changed: (state, text) => {
      const what = state === 'unfit' ? `conntrackd is unfit: ${text}` : text;
      state === 'ok' ? log.info(text) : log.warn(`${what} [conntrackd-${state}]`);
    },
    noted: (text) => log.warn(`${text} [conntrackd-setting]`),
    lostEvents: (times) => agent.conntrackd.lostEvents(times),
    loadedTable: (fresh) => agent.conntrackd.loadedTable(fresh),
    refusedStates: (count) => agent.conntrackd.refusedStates(count),
    cached: (flows) => agent.conntrackd.cached(flows),
    flushedTable: (fresh) => agent.conntrackd.flushedTable(fresh),
  });
  const sorting = await watchSorting(config);
  const edges = edgesOf(config, owned, conntrack, control, health);
  const ranges = new RangeWatch(config, {
    drops: conntrackDrops,
    table: edges.table,
    sorting: sorting.current,
    log,
  });
  const room = new RoomWatch(config, node, {
    size: tableSize,
    drops: fullTableDrops,
    changed: (tables) => agent.setTables(tables),
    log,
  });
  const surroundings = new SurroundingsWatch(config, node, log);
  if (resident) surroundings.begin(told);
  const ears = new Ears(planOf(config, node));
  const strangers = new StrangersWatch(config, node, {
    listen: () => ears.listen(),
    own: () => identityOf(config, node),
    log,
  });
  if (resident) strangers.begin();
  const others = new OthersWatch(config, node, log);
  if (resident) others.begin();
  const keepalivedConf = new ConfWatch(config, log, () => agent.round?.snapshot.manager.alive === true);
  const presence = new PartsWatch(config, node, {
    hookOf: (link) => tables.hookOf(link),
    unhooked: () => agent.doubtTables(),
    mended: () => parts.neighbours.announce('the interfaces were mended'),
    warn: (text) => log.warn(text),
  });
  const arrived = new Arrived(planOf(config, node));
  const arrivals = new ArrivalsWatch(config.interfaces, {
    read: () => arrived.read(),
    lost: () => links.lost,
    log,
  });
  const proofs = new LegProofs(config, node, key, log);
  if (resident) await proofs.begin();
  const parts = alter({
    config,
    node,
    key,
    log,
    fresh: !files.hasJoined(id),
    noteJoined: () => files.noteJoined(id),
    files,
    sorting: sorting.current,
    presence,
    legs: proofs,
    arrivals,
    mendNow: () => links.mendNow(),
    tables,
    watched,
    edges,
    ranges,
    room,
    surroundings,
    strangers,
    others,
    keepalivedConf,
    lease,
    resident,
    refresh: () => refreshInterval(timeoutsNow(TIMEOUTS)),
    verify: VERIFY_MS,
    flowCount: () => Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8')),
    conntrackdHealth: () => health.state,
    conntrackdWarnings: () => health.warnings,
    lookForFlush: () => health.lookForFlush(),
    flushDealtWith: () => health.flushDealtWith(),
    find: (tuples) => conntrack.find(tuples),
    endings: () => timeoutsNow(ENDINGS),
    announce: announcerOf(config, node, files, log, resident),
    neighbours,
    events: new EventsFile(config.paths.run),
    reach: () => {},
    standStill: new StandStill(performance.now()),
    clocks: new PeerClocks(),
    answerWord: (send) => send(),
    askBulk: (send) => send(),
    listOf: (peer, signal) =>
      compareWith(config, node, nodeNamed(config, peer.name), key, [...peer.buckets], signal),
    copiesAt: (peer, buckets, signal) =>
      compareWith(config, node, nodeNamed(config, peer), key, buckets, signal, { copies: true }),
  });
  const agent: Agent = new Agent(parts);
  health.begin();
  parts.room.begin();
  if (resident && config.manager === 'keepalived') keepalivedConf.begin();
  const links = new LinkWatch(config, node, () => agent.setLost(links.lost, links.reasons, links.deaf), {
    note: (text) => log.warn(text),
    parts: parts.presence,
    legs: parts.legs,
  });
  if (resident && countsArrivals(config)) arrivals.begin();
  return {
    agent,
    close: async () => {
      links.close();
      proofs.close();
      arrivals.close();
      arrived.close();
      presence.close();
      surroundings.close();
      strangers.close();
      ears.close();
      others.close();
      keepalivedConf.close();
      parts.room.close();
      // A node without an agent translates on.
      watched.close();
      await agent.stop();
      health.close();
      sorting.close();
      await neighbours.close();
      await owned.close();
      tables.close();
      ranges.close();
      conntrack.close();
    },
  };
};

/**
 * An agent that stays has other nodes' packets dropped before the rules do, if that is wanted; it knows nothing of programs that
 * are there already, and removes them before it owns anything. For one that doesn't stay there are none: what an agent that was
 * killed has left would drop what this one takes over.
 */
const ownedBy = async (
  config: ClusterConfig,
  node: NodeConfig,
  lease: number,
  log: Logger,
  resident: boolean,
): Promise<OwnedHandle> => {
  const owned = rulesOf(config.firewall).owned(config, lease);
  const note = (text: string): void => log.warn(text);
  if (config.prefilter && resident) {
    return new PrefilteredOwned(owned, new Prefilter(config, node, note), note);
  }
  if (config.prefilter) await removePrefilters();
  return owned;
};

/** In seconds, as they are now: an administrator may change them at any time. */
const timeoutsNow = (names: readonly string[]): readonly number[] =>
  names.map((name) => Number(readFileSync(`/proc/sys/net/netfilter/nf_conntrack_${name}`, 'utf8')));

/** Without a manager the operator decides, and is there: what he has given a node it keeps. Rules of iptables never end. */
export const leaseOf = (config: Pick<ClusterConfig, 'firewall' | 'manager' | 'timeouts'>): number =>
  config.manager === 'none' || config.firewall === 'xtables' ? 0 : config.timeouts.lease;

const nodeNamed = (config: ClusterConfig, name: string): NodeConfig => {
  const found = config.nodes.find((node) => node.name === name);
  if (found === undefined) {
    throw new RangeError(`${name} is no node of ${config.cluster}`);
  }
  return found;
};

/** The groups by name, for messages. */
export const groupNames = (config: ClusterConfig): ReadonlySet<string> =>
  new Set(groupsOf(config).map(({ name }) => name));
