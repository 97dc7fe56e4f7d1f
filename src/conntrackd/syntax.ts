/** A directive or section of a conntrackd.conf. */
export interface Statement {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  readonly values: readonly string[];
  /** What stands in braces after it. */
  readonly block: readonly Statement[] | undefined;
}

/** What is wrong with the text as such. */
export interface SyntaxProblem {
  readonly line: number;
  readonly problem: string;
}

export interface Document {
  readonly statements: readonly Statement[];
  readonly problems: readonly SyntaxProblem[];
}

/** Words that begin a statement (src/read_config_lex.l of conntrack-tools 1.4.7); they are case-sensitive. */
const DIRECTIVES: ReadonlySet<string> = new Set(
  `UNIX IPv4_address IPv6_address IPv4_Destination_Address IPv6_Destination_Address IPv4_interface IPv6_interface
  Interface Multicast UDP TCP HashSize RefreshTime CacheTimeout CommitTimeout HashLimit Path Backlog Group Port LogFile
  Syslog LockFile General Sync Stats SocketBufferSize SocketBufferSizeMaxGrown SocketBufferSizeMaxGrowth
  NetlinkBufferSize NetlinkBufferSizeMaxGrowth Mode ResendQueueSize Checksum ACKWindowSize SndSocketBuffer
  RcvSocketBuffer Filter Protocol Address State PurgeTimeout EventIterationLimit PollSecs NetlinkOverrunResync Nice
  Scheduler Type Priority NetlinkEventsReliable DisableInternalCache DisableExternalCache Options TCPWindowTracking
  ExpectationSync ErrorQueueLength Helper QueueNum QueueLen Policy ExpectMax ExpectTimeout Systemd StartupResync`.split(
    /\s+/,
  ),
);

/** By their small letters; of a helper's Type `tcp` and `udp` are values. */
const BY_SMALL_LETTERS: ReadonlyMap<string, string> = new Map(
  [...DIRECTIVES]
    .filter((name) => name !== 'TCP' && name !== 'UDP')
    .map((name) => [name.toLowerCase(), name]),
);

/** Blocks that hold names instead of directives. */
const LISTS: ReadonlySet<string> = new Set(['Protocol', 'State', 'ExpectationSync']);

/** A path goes on to the next space, braces included, as in conntrackd's lexer. */
const TOKEN = /#[^\n]*|\n|[{}]|\/[^"\n ]*|[^\s{}#]+/g;

interface Open {
  readonly name: string;
  readonly line: number;
  readonly values: string[];
  block: Statement[] | undefined;
}

/**
 * Reads a conntrackd.conf. Line ends mean nothing to conntrackd: a statement goes from one directive to the next.
 * Never throws: what can't be read is a problem, and the rest is read all the same.
 */
export const parseConfiguration = (text: string): Document => {
  const root: Statement[] = [];
  const problems: SyntaxProblem[] = [];
  const parents: Open[] = [];
  let siblings = root;
  let current: Open | undefined;
  let line = 1;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '\n') {
      line += 1;
    } else if (token === '{') {
      if (current === undefined || current.block !== undefined) {
        problems.push({ line, problem: '"{" without a section before it' });
        current = { name: '', line, values: [], block: undefined };
        siblings.push(current);
      }
      current.block = [];
      siblings = current.block;
      parents.push(current);
      current = undefined;
    } else if (token === '}') {
      if (parents.pop() === undefined) {
        problems.push({ line, problem: '"}" without "{"' });
      }
      siblings = parents.at(-1)?.block ?? root;
      current = undefined;
    } else if (!token.startsWith('#')) {
      const inList = LISTS.has(parents.at(-1)?.name ?? '');
      const meant = misspelt(token, current);
      if (inList || DIRECTIVES.has(token) || meant !== undefined) {
        if (!inList && meant !== undefined) {
          problems.push({
            line,
            problem: `conntrackd knows no "${token}", for it tells capitals apart; write ${meant}`,
          });
        }
        current = { name: inList ? token : (meant ?? token), line, values: [], block: undefined };
        siblings.push(current);
      } else if (current !== undefined) {
        current.values.push(token);
      } else {
        problems.push({ line, problem: `conntrackd knows no "${token.slice(0, 80)}" here` });
      }
    }
  }
  for (const { name, line: opened } of parents) {
    problems.push({ line: opened, problem: `${name || 'this section'} is not closed by "}"` });
  }
  return { statements: root, problems };
};

/** The directive that is meant by one with other capitals. What comes first after a directive may be any word: a group, a file. */
const misspelt = (token: string, before: Open | undefined): string | undefined => {
  const meant = BY_SMALL_LETTERS.get(token.toLowerCase());
  const isValue = before !== undefined && before.values.length === 0 && before.block === undefined;
  return DIRECTIVES.has(token) || isValue ? undefined : meant;
};
