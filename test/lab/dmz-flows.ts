import { addressAt, KINDS } from './flows.ts';
import { type ClusterOptions, publishedPort } from './rig/cluster-config.ts';
import {
  type ClientPlan,
  DMZ_SERVER,
  DMZ_SERVER6,
  OUTSIDER,
  SERVER,
  SERVER6,
  SHARED,
  SHARED6,
} from './rig/plan.ts';
import { type FlowKind, type FlowSpec, PORTS, type Target } from './traffic/flow.ts';

export type Family = 4 | 6;

const HOMES = ['fw1', 'fw2'] as const;

/** So that many of them leave the processors time. */
const RATE = 1_000_000;

/** Flows of a client inside with the DMZ's server, one of each kind through each home: `c1.fw1.dmz-busy`. */
export const flowsIntoDmz = (plan: ClientPlan, family: Family): readonly FlowSpec[] =>
  throughHomes(plan, family, 'dmz-', KINDS, ownPorts(family === 4 ? DMZ_SERVER : DMZ_SERVER6));

/** Flows of the client outside with what the DMZ's server publishes, through each home: `o1.fw1.busy`. */
export const flowsToPublished = (
  publish: NonNullable<ClusterOptions['publish']>,
  family: Family,
): readonly FlowSpec[] => {
  const services = KINDS.filter((kind) => kind !== 'ping');
  const server = ownPorts(family === 4 ? DMZ_SERVER : DMZ_SERVER6);
  const published = {
    address: family === 4 ? SHARED.outside : SHARED6.outside,
    ports: {
      echo: publishedPort(PORTS.echo),
      bulk: publishedPort(PORTS.bulk),
      udp: publishedPort(PORTS.udp),
    },
  };
  return throughHomes(OUTSIDER, family, '', services, publish === 'plain' ? server : published);
};

/** Datagrams in three fragments with the server outside, through each home: `c1.fw1.big-udp`. */
export const fragmentedFlows = (plan: ClientPlan, family: Family): readonly FlowSpec[] =>
  throughHomes(plan, family, 'big-', ['udp'], ownPorts(family === 4 ? SERVER : SERVER6)).map((spec) => ({
    ...spec,
    size: 3000,
  }));

const throughHomes = (
  plan: ClientPlan,
  family: Family,
  mark: string,
  kinds: readonly FlowKind[],
  to: Target,
): readonly FlowSpec[] =>
  HOMES.flatMap((home) =>
    kinds.map((kind) => ({
      id: `${plan.name}.${home}.${mark}${kind}${family === 6 ? '6' : ''}`,
      kind,
      from: addressAt(plan, home, HOMES.length, family),
      rate: RATE,
      to,
    })),
  );

const ownPorts = (address: string): Target => ({ address, ports: PORTS });
