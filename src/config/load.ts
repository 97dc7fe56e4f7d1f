import { readFile } from 'node:fs/promises';
import { checkDelivery } from './check-delivery.ts';
import { bucketsFor, checkFirewall, leaseFor } from './check-firewall.ts';
import { checkHelpers } from './check-helpers.ts';
import { checkInterfaces } from './check-interfaces.ts';
import { checkLinks } from './check-links.ts';
import { checkMode, modeFor } from './check-mode.ts';
import { checkNetworks } from './check-networks.ts';
import { checkNodes } from './check-nodes.ts';
import { checkProbes } from './check-probe.ts';
import { checkPublish } from './check-publish.ts';
import { checkSnat } from './check-snat.ts';
import { type Complaint, type KeyPath, pathText } from './complaint.ts';
import { readDocument, type SourceDocument } from './document.ts';
import { ConfigError, type Mistake } from './error.ts';
import { explainIssues, faultyPaths, withoutFaults } from './explain.ts';
import { macByName, vridByName } from './name-defaults.ts';
import { networksOf } from './remaining.ts';
import { type Remains, remains, type Whole, whole } from './schema.ts';
import { contains, type Subnet, subnetText } from './subnet.ts';
import type { ClusterConfig, InterfaceConfig, PublishedService } from './types.ts';

/**
 * Reads and checks the configuration.
 *
 * @throws ConfigError with every mistake that is in it, or why the file can't be read
 */
export const loadConfig = async (file: string): Promise<ClusterConfig> => parseConfig(await read(file), file);

/**
 * The configuration that `text` says; `file` is for the errors only.
 *
 * @throws ConfigError with every mistake that is in it
 */
export const parseConfig = (text: string, file: string): ClusterConfig => {
  const document = readDocument(text);
  if (!('locate' in document)) {
    throw new ConfigError(
      document.map(({ position, problem, mend }) => ({ file, ...position, path: '', problem, mend })),
    );
  }
  const result = whole.safeParse(document.value);
  const complaints = result.success
    ? [...document.complaints, ...checkTogether(result.data, () => false)]
    : [
        ...document.complaints,
        ...explainIssues(result.error.issues, document.value),
        ...checkTogether(
          remains.safeParse(withoutFaults(document.value, result.error.issues)).data ?? {},
          faultyPaths(result.error.issues),
        ),
      ];
  if (!result.success || complaints.length > 0) {
    throw new ConfigError(located(complaints, document, file), { cause: result.error });
  }
  return complete(result.data);
};

const MOST_BYTES = 64 * 1024;

const read = async (file: string): Promise<string> => {
  const fail = (problem: string, mend: string, cause?: unknown): ConfigError =>
    new ConfigError([{ file, line: undefined, column: undefined, path: '', problem, mend }], { cause });
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw code === 'ENOENT'
      ? fail('is not there', 'write it (conf/cluster.yaml is an example) or name another with -c FILE', error)
      : fail(`can't be read: ${reason}`, 'check its permissions or name another with -c FILE', error);
  }
  if (bytes.length > MOST_BYTES) {
    throw fail(`is ${bytes.length} bytes long`, 'name the configuration with -c FILE');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw fail('is not a text in UTF-8', 'save it as UTF-8', error);
  }
};

/** `isFaulty` tells the keys whose value is wrong by itself: their defaults would lead to mistakes that aren't there. */
const checkTogether = (config: Remains, isFaulty: (path: KeyPath) => boolean): readonly Complaint[] => [
  ...checkNodes(config),
  ...checkMode(config),
  ...checkInterfaces(config),
  ...checkDelivery(config, isFaulty),
  ...checkNetworks(config),
  ...checkSnat(config),
  ...checkProbes(config),
  ...checkPublish(config, isFaulty),
  ...checkHelpers(config),
  ...checkLinks(config),
  ...checkFirewall(config, isFaulty),
];

/** The complaints with their places, in the file's order. */
const located = (
  complaints: readonly Complaint[],
  document: SourceDocument,
  file: string,
): readonly Mistake[] =>
  complaints
    .map(({ path, at, problem, mend }) => ({
      file,
      ...document.locate(path, at),
      path: pathText(path),
      problem,
      mend,
    }))
    .toSorted((one, other) => one.line - other.line || one.column - other.column);

/** The configuration with the defaults that depend on other keys. */
const complete = (config: Whole): ClusterConfig => {
  const interfaces = Object.entries(config.interfaces).map(
    ([name, one]): InterfaceConfig => ({
      name,
      ...one,
      mac: one.mac ?? macByName(config.cluster, name, one.delivery),
      networks: largest(networksOf({ name, ...one })).map(subnetText),
      probe: one.probe,
    }),
  );
  const nodes = Object.keys(config.nodes).length;
  const inside = interfaces.find((one) => one.side === 'inside')?.name ?? config.sync.interface;
  return {
    ...config,
    buckets: config.buckets ?? bucketsFor(config.firewall),
    nodes: Object.entries(config.nodes)
      .map(([name, node]) => ({ name, ...node }))
      .toSorted((one, other) => one.id - other.id),
    sync: { ...config.sync, mode: config.sync.mode ?? modeFor(nodes) },
    interfaces,
    publish: Object.entries(config.publish).map(([name, one]) => published(name, one)),
    keepalived: {
      ...config.keepalived,
      interface: config.keepalived.interface ?? inside,
      vrid: config.keepalived.vrid ?? vridByName(config.cluster, nodes * (nodes - 1)),
    },
    timeouts: { ...config.timeouts, lease: config.timeouts.lease ?? leaseFor(config.firewall) },
  };
};

const published = (
  name: string,
  { protocol, address, port, to, toPort }: Whole['publish'][string],
): PublishedService => ({ name, protocol, address, ports: port, to, toPorts: toPort ?? port });

/** Those that are in none of the others, each once. */
const largest = (subnets: readonly Subnet[]): readonly Subnet[] =>
  subnets.filter(
    (subnet, index) =>
      !subnets.some((other, at) => contains(other, subnet) && (other.prefix < subnet.prefix || at < index)),
  );
