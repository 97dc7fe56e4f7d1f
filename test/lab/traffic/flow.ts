/** What flows there are and what is said about them: shared by the programs that run in the lab and by the lab. */

export type FlowKind = 'busy' | 'idle' | 'udp' | 'ping' | 'bulk' | 'connects';

export interface FlowSpec {
  /** Unique in the lab, no spaces; starts with the client's name: `c1.busy`. */
  readonly id: string;
  readonly kind: FlowKind;
  /** Source address; by default the client's first. */
  readonly from: string;
  /** Source port of busy, idle, udp and bulk flows; by default the kernel chooses. */
  readonly port?: number;
  /** Milliseconds between requests; defaults in INTERVAL. */
  readonly intervalMs?: number;
  /** Identifier of echo requests, from 1 to 65535 (ping). */
  readonly icmpId?: number;
  /** Bytes per second of a bulk flow; 10 MB by default. */
  readonly rate?: number;
  /** Bytes of a datagram (udp) at least: beyond 1472 it goes in fragments. */
  readonly size?: number;
  /** By default the lab's server, by IPv4. */
  readonly to?: Target;
}

/** Milliseconds between requests by default. bulk: between two writes. idle: none. */
export const INTERVAL: Readonly<Record<FlowKind, number>> = {
  busy: 10,
  idle: 0,
  udp: 20,
  ping: 200,
  bulk: 10,
  connects: 20,
};

/** A flow without an answer for so long is lost, in milliseconds. */
export const SILENCE = 8000;

/** A new connection that takes longer, in milliseconds, had its SYN retransmitted (1 s, TCP_TIMEOUT_INIT in net/tcp.h). */
export const SLOW_CONNECT = 900;

/** What connections say that needn't be told from each other. */
export const NAMELESS = '-';

export const PORTS = { echo: 7001, bulk: 7002, udp: 7003 } as const;

/** Whom a flow is with: an address, and the ports there that stand for `PORTS`. */
export interface Target {
  readonly address: string;
  readonly ports: Readonly<Record<keyof typeof PORTS, number>>;
}

/** A new connection that came to nothing. */
export interface Failure {
  /** When it began; Date.now(). */
  readonly began: number;
  readonly reason: string;
}

/** What a client knows about one flow since it began. All times in milliseconds. */
export interface FlowReport {
  readonly id: string;
  readonly state: 'starting' | 'up' | 'lost';
  /** Why it is lost. */
  readonly reason: string;
  /** Requests (bulk: bytes; connects: connections). */
  readonly sent: number;
  readonly answered: number;
  /** New connections that failed since the last report (connects). */
  readonly failures: readonly Failure[];
  /** New connections that took longer than SLOW_CONNECT. */
  readonly slow: number;
  /** Answers that came more than once, since the last report. */
  readonly twice: number;
  /** How long it has been waiting for an answer now, and at worst. */
  readonly waiting: number;
  readonly worstStall: number;
  /** The worst since the last report. */
  readonly stall: number;
}

/** A client's lines to the lab, one JSON object each. `at` is Date.now(). */
export interface ClientReport {
  readonly at: number;
  readonly flows: readonly FlowReport[];
  /** Idle flows that have been used since the last report. */
  readonly used: readonly string[];
}

/** A server's lines to the lab. Only flows with something new are named. */
export interface ServerReport {
  readonly at: number;
  /** Requests that came more than once, since the last report. */
  readonly twice: Readonly<Record<string, number>>;
  /** Source ports that a flow has been seen with, in order. */
  readonly ports: Readonly<Record<string, readonly number[]>>;
  /** Flows whose data was wrong or out of place. */
  readonly broken: Readonly<Record<string, string>>;
}

/** The lab's lines to a client. */
export type Command =
  | { readonly do: 'add'; readonly flows: readonly FlowSpec[] }
  | { readonly do: 'use' }
  | { readonly do: 'stop' };
