import { ExecaError, execa } from 'execa';

export interface RunOptions {
  /** Written to the program's standard input. */
  readonly input?: string;
  /** Milliseconds, after which the program is killed. */
  readonly timeout?: number;
  /** Gives what it wrote to standard error too: keepalived has its version there. */
  readonly both?: boolean;
}

export type ProgramFailure = 'missing' | 'timeout' | 'failed';

/** A program is not installed, took too long, or ended with another status than 0. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly program: string;
  readonly failure: ProgramFailure;
  /** All that the program wrote to standard error. */
  readonly stderr: string;

  constructor(
    message: string,
    details: { program: string; failure: ProgramFailure; stderr: string; cause: unknown },
  ) {
    super(message, { cause: details.cause });
    this.program = details.program;
    this.failure = details.failure;
    this.stderr = details.stderr;
  }
}

const DEFAULT_TIMEOUT = 10_000;

/**
 * Runs a program without a shell and gives what it wrote to standard output. Messages are in English whatever the
 * locale is, so that callers may read them.
 *
 * @throws ProgramError
 */
export const run = async (
  program: string,
  args: readonly string[],
  { input = '', timeout = DEFAULT_TIMEOUT, both = false }: RunOptions = {},
): Promise<string> => {
  try {
    const { stdout, stderr } = await execa(program, args, { input, timeout, env: { LC_ALL: 'C' } });
    return both ? `${stdout}\n${stderr}`.trim() : stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    throw programError(program, args, timeout, error);
  }
};

/** The Debian package of a program that this project runs, for the message when it is missing. */
const PACKAGES: Readonly<Record<string, string>> = {
  nft: 'nftables',
  iptables: 'iptables',
  'iptables-restore': 'iptables',
  'iptables-save': 'iptables',
  ip: 'iproute2',
  modprobe: 'kmod',
  conntrack: 'conntrack',
  conntrackd: 'conntrackd',
  keepalived: 'keepalived',
  ping: 'iputils-ping',
};

const programError = (
  program: string,
  args: readonly string[],
  timeout: number,
  cause: ExecaError,
): ProgramError => {
  const stderr = typeof cause.stderr === 'string' ? cause.stderr : '';
  const command = [program, ...args].join(' ');
  if (cause.code === 'ENOENT') {
    const message = `${program} is not installed: apt install ${PACKAGES[program] ?? program}`;
    return new ProgramError(message, { program, failure: 'missing', stderr, cause });
  }
  if (cause.timedOut) {
    const message = `${command} did not end within ${timeout} ms`;
    return new ProgramError(message, { program, failure: 'timeout', stderr, cause });
  }
  const reason = tellingLine(stderr) ?? cause.originalMessage ?? `exit status ${cause.exitCode ?? 'unknown'}`;
  return new ProgramError(`${command} failed: ${reason}`, { program, failure: 'failed', stderr, cause });
};

/** The last line that says "error" (nft underlines the place below it), otherwise the last line. */
const tellingLine = (stderr: string): string | undefined => {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /\berror\b/i.test(line)) ?? lines.at(-1);
};
