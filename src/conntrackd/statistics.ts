import { MalformedAnswer } from './errors.ts';
import { numberOf, readSections, type Section, sectionOf } from './report.ts';

/** What conntrackd says of itself; counters begin at its start. */
export interface Statistics {
  readonly internal: CacheCounters;
  /** Inject with DisableExternalCache on, which `replicas: kernel` needs; cache without. */
  readonly external: ({ readonly kind: 'inject' } & Counters) | ({ readonly kind: 'cache' } & CacheCounters);
  readonly link: LinkTraffic;
  /** Messages that came unreadable. */
  readonly malformedMessages: number;
  /** Gaps in the peer's sequence; FTFW asks for them again. */
  readonly lostMessages: number;
}

export interface Counters {
  readonly created: Counter;
  readonly updated: Counter;
  readonly destroyed: Counter;
}

export interface CacheCounters extends Counters {
  /** Flows that stand in the cache now. */
  readonly active: number;
}

export interface Counter {
  readonly done: number;
  readonly failed: number;
}

export interface LinkTraffic {
  readonly device: string;
  readonly sent: Traffic;
  readonly received: Traffic;
}

export interface Traffic {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
}

const SUBJECT = 'statistics';

/**
 * Reads the answer to `statistics` of a conntrackd in FTFW mode.
 *
 * @throws {MalformedAnswer} also for other modes, in which the blocks have other names
 */
export const parseStatistics = (answer: string): Statistics => {
  const sections = readSections(SUBJECT, answer);
  const tracking = sectionOf(SUBJECT, sections, 'message tracking');
  return {
    internal: readCache(sectionOf(SUBJECT, sections, 'cache internal')),
    external: readExternal(sections),
    link: readLink(sections),
    malformedMessages: numberOf(SUBJECT, tracking, 'Malformed msgs'),
    lostMessages: numberOf(SUBJECT, tracking, 'Lost msgs'),
  };
};

const readExternal = (sections: readonly Section[]): Statistics['external'] => {
  const inject = sections.find((section) => section.title === 'external inject');
  return inject === undefined
    ? { kind: 'cache', ...readCache(sectionOf(SUBJECT, sections, 'cache external')) }
    : { kind: 'inject', ...readCounters(inject) };
};

const readCache = (section: Section): CacheCounters => ({
  active: numberOf(SUBJECT, section, 'current active connections'),
  ...readCounters(section),
});

const readCounters = (section: Section): Counters => ({
  created: readCounter(section, 'connections created'),
  updated: readCounter(section, 'connections updated'),
  destroyed: readCounter(section, 'connections destroyed'),
});

const readCounter = (section: Section, label: string): Counter => ({
  done: numberOf(SUBJECT, section, label),
  failed: numberOf(SUBJECT, section, `${label} failed`),
});

const readLink = (sections: readonly Section[]): LinkTraffic => {
  const section = sections.find((candidate) => candidate.title.includes('traffic (active device='));
  const device = /\(active device=(.*)\)$/.exec(section?.title ?? '')?.[1];
  if (section === undefined || device === undefined) {
    throw new MalformedAnswer(SUBJECT, 0, 'the traffic of the dedicated link is missing');
  }
  return { device, sent: readTraffic(section, 'sent'), received: readTraffic(section, 'recv') };
};

const readTraffic = (section: Section, direction: 'sent' | 'recv'): Traffic => ({
  bytes: numberOf(SUBJECT, section, `Bytes ${direction}`),
  packets: numberOf(SUBJECT, section, `Pckts ${direction}`),
  // conntrackd calls the errors of sending "Error send"
  errors: numberOf(SUBJECT, section, direction === 'sent' ? 'Error send' : 'Error recv'),
});
