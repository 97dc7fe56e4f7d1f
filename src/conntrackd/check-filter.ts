import { isWithin, type Network, parseNetwork, singleNetwork } from '../cluster/address.ts';
import { hasSnat } from '../cluster/replicated.ts';
import type { ClusterConfig } from '../config/types.ts';
import { find, lineOf } from './directive.ts';
import type { Finding } from './finding.ts';
import { acceptedProtocols, addressDirective, ignoredAddresses } from './render.ts';
import type { Statement } from './syntax.ts';

const UNREPLICABLE = [
  ['GRE', 'its key is not; the copies on the peer are wrong'],
  // ctd_force_tcp_be_liberal in its src/netlink.c, 1.4.7 and later.
  ['SCTP', 'conntrackd spoils the tag; after a takeover the association stands still'],
] as const;

/** What is wrong in the section Filter: which flows are replicated. */
export function* checkFilter(
  filter: Statement | undefined,
  general: Statement | undefined,
  config: ClusterConfig,
  own: readonly string[],
): Generator<Finding> {
  if (filter === undefined) {
    yield {
      line: lineOf(undefined, general),
      what: 'no section Filter',
      why: "the firewalls' own connections and protocols that can't be replicated are sent to the peer",
      mend: 'Filter From Userspace { Protocol Accept { TCP UDP } Address Ignore { ... } }',
    };
    return;
  }
  yield* checkProtocols(filter, config);
  yield* checkAddresses(filter, config, own);
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
  const isReplicated = (name: string): boolean =>
    protocol === undefined || listed.has(name.toUpperCase()) === accepting;
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
  const mend = `Protocol Accept { ${acceptedProtocols(config).join(' ')} }`;
  for (const [name, family] of [
    ['ICMP', 4],
    ['IPv6-ICMP', 6],
  ] as const) {
    if (isReplicated(name) && hasSnat(config, family)) {
      yield {
        line: lineOf(protocol, filter),
        what: `${name} is replicated`,
        why: 'the id that SNAT chose is not; after a takeover a ping that runs on is never answered again',
        mend,
      };
    }
  }
  for (const [name, why] of UNREPLICABLE) {
    if (isReplicated(name)) {
      yield {
        line: lineOf(protocol, filter),
        what: `${name} is replicated`,
        why,
        mend,
      };
    }
  }
}

function* checkAddresses(
  filter: Statement,
  config: ClusterConfig,
  own: readonly string[],
): Generator<Finding> {
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
  const entries = (address?.block ?? []).filter(({ name }) => ADDRESS_DIRECTIVES.includes(name));
  const ignored = entries.map(({ name, values: [value = ''], line }) => ({
    value,
    line,
    network: name === addressDirective(value) ? networkOf(value) : undefined,
  }));
  const listed = ignoredAddresses(config, own).map((text) => ({ text, network: oneOrMore(text) }));
  for (const { text, network: wanted } of listed) {
    if (!ignored.some(({ network }) => network !== undefined && isWithin(wanted, network))) {
      yield {
        line: lineOf(address, filter),
        what: `${text} is not in Address Ignore`,
        why: "the firewall's own connections are replicated, and stand in the peer's table where they mean nothing",
        mend: `Address Ignore { ${addressDirective(text)} ${text} }`,
        fleeting: true,
      };
    }
  }
  for (const { value, line, network } of ignored) {
    const reached =
      network !== undefined &&
      insideNetworks(config).find((inside) => overlap(network, parseNetwork(inside)));
    if (reached && !listed.some(({ network: own }) => isWithin(network, own))) {
      yield {
        line,
        what: `Address Ignore has ${value}`,
        why: `flows of clients in ${reached} are not replicated, and lost in a takeover`,
        mend: 'list addresses of the firewalls only',
        fleeting: true,
      };
    }
  }
}

const ADDRESS_DIRECTIVES: readonly string[] = ['IPv4_address', 'IPv6_address'];

const insideNetworks = (config: ClusterConfig): readonly string[] =>
  config.interfaces
    .filter(({ side }) => side === 'inside')
    .flatMap(({ networks, addresses }) =>
      networks.length > 0 ? networks : addresses.map(({ address, prefix }) => `${address}/${prefix}`),
    );

const overlap = (one: Network, other: Network): boolean => isWithin(one, other) || isWithin(other, one);

const networkOf = (value: string): Network | undefined => {
  try {
    return oneOrMore(value);
  } catch {
    return undefined;
  }
};

const oneOrMore = (text: string): Network => (text.includes('/') ? parseNetwork(text) : singleNetwork(text));
