import { expect } from 'vitest';
import type { Replies } from '../../kernel/dataplane/ask-program.ts';
import { type Crossing, ECHO, type Side, sourcesOf } from './crossing.ts';

export const KINDS = ['udp', 'tcp', 'icmp', 'fragments', 'error'] as const;
export type Kind = (typeof KINDS)[number];

/** Where the questions of a kind go: `open` is where they are answered, and on `closed` nobody listens. */
export interface Target {
  readonly address: string;
  readonly open: number;
  readonly closed: number;
}

/** The ports of a host itself. */
export const hostPorts = { open: ECHO, closed: ECHO + 1 } as const;

/** Three questions of a kind from each of a host's sources. */
export const askKind = (
  crossing: Crossing,
  kind: Kind,
  from: Side['name'],
  { address, open, closed }: Target,
): Promise<Replies> => {
  const sources = sourcesOf(from, address.includes(':') ? 'ip6' : 'ip');
  if (kind === 'icmp') return crossing.ping(from, address, sources);
  return crossing.ask(from, {
    protocol: kind === 'tcp' ? 'tcp' : 'udp',
    sources,
    to: address,
    port: kind === 'error' ? closed : open,
    size: kind === 'fragments' ? 3000 : 1,
  });
};

/** Every source has an answer to each question and no more; of TCP they may come in one piece. */
export const expectAnswers = (kind: Kind, replies: Replies): void => {
  for (const [source, answers] of Object.entries(replies)) {
    if (kind === 'error') expect(new Set(answers), source).toEqual(new Set(['ECONNREFUSED']));
    else if (kind === 'tcp') expect(answers[0], source).toMatch(/^0/);
    else expect(answers, source).toHaveLength(3);
  }
};
