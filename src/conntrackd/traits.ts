import { find, isOn } from './directive.ts';
import { parseConfiguration, type Statement } from './syntax.ts';

/**
 * What of its configuration a conntrackd shows from outside. A trait that can't be told is left out, and so is one that means
 * nothing with the others.
 */
export type Traits = Readonly<Partial<Record<Trait, string>>>;

type Trait = (typeof TRAITS)[number];

const TRAITS = ['section', 'Mode', 'DisableInternalCache', 'DisableExternalCache', 'link', 'local'] as const;

/** By nothing that conntrackd answers are these two told apart. */
const UNACKNOWLEDGED = 'NOTRACK or ALARM';

/** A conntrackd that runs, seen from outside. */
export interface Sight {
  /** Its answer to `statistics`. */
  readonly statistics: string;
  /** Its answer to `queue`. */
  readonly queue: string;
  /** UDP addresses and ports that it is bound to, as `10.99.0.1:3780`; undefined: they can't be seen. */
  readonly endpoints: readonly string[] | undefined;
  /** The names of the interfaces that there are; none: they can't be seen. */
  readonly interfaces: readonly string[];
}

/** The traits of a conntrackd that runs; none for an answer that isn't conntrackd's. */
export const traitsOf = ({ statistics, queue, endpoints, interfaces }: Sight): Traits => {
  const titles = statistics.split('\n').filter((line) => line.endsWith(':'));
  if (titles.includes('cache stats:')) {
    return { section: 'Stats' };
  }
  if (!titles.some((title) => /^(cache internal|internal bypass):$/.test(title))) {
    return {};
  }
  const link = titles.map((title) => /^(\w+) traffic \(active device=(.*)\):$/.exec(title)).find(Boolean);
  const [, kind = '', device = ''] = link ?? [];
  const bound = endpoints?.filter((endpoint) => !/:0$/.test(endpoint));
  return defined({
    section: 'Sync',
    Mode: queue.includes('queue rsqueue:') ? 'FTFW' : UNACKNOWLEDGED,
    DisableInternalCache: titles.includes('internal bypass:') ? 'on' : 'off',
    DisableExternalCache: titles.includes('external inject:') ? 'on' : 'off',
    link: linkOf(kind, device, interfaces),
    local: /^tcp$/i.test(kind) || !bound?.length ? undefined : bound.join(' '),
  });
};

/**
 * Of an interface that was removed, and maybe made again since, conntrackd prints whatever stood in its memory (if_indextoname in
 * src/multichannel.c). Its UDP goes by address and route and finds the new one; it is member of no multicast group there.
 */
const linkOf = (kind: string, device: string, interfaces: readonly string[]): string | undefined => {
  if (device !== '' && (interfaces.length === 0 || interfaces.includes(device))) {
    return `${kind} ${device}`;
  }
  return kind === 'multicast' ? 'multicast on an interface that was removed' : undefined;
};

/** The traits of a conntrackd that is started with this conntrackd.conf. */
export const traitsOfFile = (text: string): Traits => {
  const { statements } = parseConfiguration(text);
  const sync = find(statements, 'Sync');
  if (sync === undefined) {
    return find(statements, 'Stats') === undefined ? {} : { section: 'Stats' };
  }
  const mode = find(sync.block ?? [], 'Mode');
  const name = mode?.values[0]?.toUpperCase();
  const switched = (directive: string): string => (isOn(find(mode?.block ?? [], directive)) ? 'on' : 'off');
  return defined({
    section: 'Sync',
    Mode: name === 'NOTRACK' || name === 'ALARM' ? UNACKNOWLEDGED : name,
    DisableInternalCache: switched('DisableInternalCache'),
    DisableExternalCache: switched('DisableExternalCache'),
    ...linkTraits(sync),
  });
};

/** Of several links any may be the active one. */
const linkTraits = (
  sync: Statement,
): { readonly link?: string | undefined; readonly local?: string | undefined } => {
  const links = (sync.block ?? []).filter(({ name }) => ['UDP', 'Multicast', 'TCP'].includes(name));
  const [link] = links;
  if (link === undefined || links.length > 1) {
    return {};
  }
  const value = (directive: string): string | undefined => find(link.block ?? [], directive)?.values[0];
  const device = value('Interface');
  const [address, port] =
    link.name === 'UDP' ? [value('IPv4_address'), value('Port')] : ['0.0.0.0', value('Group')];
  return {
    link: device === undefined ? undefined : `${link.name} ${device}`,
    local: link.name === 'TCP' || !address || !port ? undefined : `${address}:${port}`,
  };
};

/** Where a conntrackd that runs differs from a configuration: a phrase each, as `Mode FTFW instead of NOTRACK or ALARM`. */
export const differences = (seen: Traits, wanted: Traits): readonly string[] =>
  TRAITS.flatMap((trait) => {
    const [is, should] = [seen[trait], wanted[trait]];
    return is === undefined || should === undefined || agree(is, should) ? [] : [PHRASES[trait](is, should)];
  });

/** Of what it is bound to, one is what it listens on; the others it sends from. */
const agree = (is: string, should: string): boolean =>
  is.toLowerCase() === should.toLowerCase() || is.split(' ').includes(should);

const instead =
  (what: string) =>
  (is: string, should: string): string =>
    `${what}${is} instead of ${should}`;

const PHRASES: Readonly<Record<Trait, (is: string, should: string) => string>> = {
  section: (is) =>
    is === 'Stats' ? 'it counts connections and replicates none (section Stats)' : 'it replicates',
  Mode: instead('Mode '),
  DisableInternalCache: instead('DisableInternalCache '),
  DisableExternalCache: instead('DisableExternalCache '),
  link: instead('dedicated link '),
  local: instead('bound to UDP '),
};

const defined = (traits: Readonly<Record<string, string | undefined>>): Traits =>
  Object.fromEntries(Object.entries(traits).filter(([, value]) => value !== undefined));
