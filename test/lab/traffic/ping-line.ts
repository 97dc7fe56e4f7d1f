export interface PingEvent {
  readonly kind: 'answer' | 'unanswered';
  readonly sequence: number;
}

/** Reads one line of iputils' ping -O; undefined for headings, summaries and what routers say. */
export const parsePingLine = (line: string): PingEvent | undefined => {
  const sequence = Number(/icmp_seq=(\d+)/.exec(line)?.[1]);
  if (!Number.isSafeInteger(sequence)) {
    return undefined;
  }
  if (/^\d+ bytes from /.test(line)) {
    return { kind: 'answer', sequence };
  }
  return line.startsWith('no answer yet') ? { kind: 'unanswered', sequence } : undefined;
};
