import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Alter } from '../agent/assemble.ts';
import { NoAgentError } from '../agent/control-error.ts';
import { ConfigError } from '../config/error.ts';
import { KeyError } from '../config/key.ts';
import { FORMS, type Form } from '../managers/pacemaker/render.ts';
import { ownVersion } from '../observe/own-version.ts';
import { type Context, contextOf, DEFAULT_CONFIG, type GlobalOptions, UsageError } from './context.ts';
import type { MoveOptions } from './move.ts';
import type { StartOptions } from './start.ts';

/** Exit status: 0 done, 1 failed, 2 usage or configuration, 3 no agent. */
const FAILED = 1;
const USAGE = 2;
const NO_AGENT = 3;

/** Runs the command line and gives its exit status. `alter` is for the lab's broken agents. */
export const runProgram = async (argv: readonly string[], alter?: Alter): Promise<number> => {
  try {
    await program(alter).parseAsync([...argv]);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : USAGE;
    }
    console.error(`conntrack-ha: ${error instanceof Error ? error.message : String(error)}`);
    return statusOf(error);
  }
};

const statusOf = (error: unknown): number => {
  if (error instanceof NoAgentError) {
    return NO_AGENT;
  }
  const usage = error instanceof ConfigError || error instanceof KeyError || error instanceof UsageError;
  return usage ? USAGE : FAILED;
};

/** commander says `error: unknown command 'x'`, and in a line of its own what may have been meant. */
const usageLine = (text: string): string => {
  const what = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s+/g, ' ');
  return `conntrack-ha: ${what}; see conntrack-ha --help\n`;
};

const count = (text: string): number => {
  const number = Number(text);
  if (!/^\d{1,6}$/.test(text) || number === 0) {
    throw new InvalidArgumentError('expected a number from 1 to 999999');
  }
  return number;
};

const form = (text: string): Form => {
  const known = FORMS.find((candidate) => candidate === text);
  if (known === undefined) {
    throw new InvalidArgumentError(`expected ${FORMS.join(', ')}`);
  }
  return known;
};

/** The command line: its commands, their options, and what each does. */
export const program = (alter?: Alter): Command => {
  const root = new Command('conntrack-ha')
    .description('Active-active stateful firewalls that survive a failure without losing a connection.')
    .option('-c, --config <file>', 'the cluster configuration', DEFAULT_CONFIG)
    .option('--node <name>', 'which node this is (else CONNTRACK_HA_NODE, else the host name)')
    .option('-V, --version', 'the version of this program')
    .on('option:version', () => {
      console.log(ownVersion());
      throw new CommanderError(0, 'commander.version', '');
    })
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageLine(text)) });
  const context = (): Promise<Context> => contextOf(root.opts<GlobalOptions>());
  root
    .command('start')
    .description('load the data plane, closed; without a manager, activate the home groups')
    .option('--closed', 'no more than that, whatever the manager is: what a machine does as it boots', false)
    .action(async (options: StartOptions) =>
      (await import('./start.ts')).startNode(await context(), options),
    );
  root
    .command('stop')
    .description('take the data plane down and leave the machine as start found it')
    .option('--force', 'even if this node owns groups: their flows end', false)
    .action(async (options: { force: boolean }) =>
      (await import('./stop.ts')).stopNode(await context(), options),
    );
  root
    .command('run')
    .description('the agent, in the foreground; loads the data plane if need be')
    .option('--once', "carry out the manager's last words and end, if no agent runs: what hooks start", false)
    .action(async (options: { once: boolean }) =>
      options.once
        ? (await import('./run-once.ts')).runOnce(await context(), alter)
        : (await import('./run.ts')).runAgent(await context(), alter),
    );
  for (const command of ['takeover', 'release'] as const) {
    root
      .command(`${command} <node|group>`)
      .description(
        command === 'takeover'
          ? "make this node the owner (of a node's home groups, or of one group)"
          : 'stop being the owner',
      )
      .option('--force', 'accept what a refusal would prevent', false)
      .option('--json', 'one JSON object', false)
      .action(async (target: string, options: MoveOptions) =>
        (await import('./move.ts')).move(await context(), command, target, options),
      );
  }
  for (const command of ['drain', 'resume'] as const) {
    root
      .command(command)
      .description(
        command === 'drain'
          ? "give this node's groups to its peers, through the manager"
          : 'take the home groups back',
      )
      .option('--force', 'accept what a refusal would prevent', false)
      .option('--json', 'one JSON object', false)
      .action(async (options: MoveOptions) =>
        (await import('./move.ts')).moveAll(await context(), command, options),
      );
  }
  root
    .command('status')
    .description('who owns what, and what is wrong')
    .option('--json', 'one JSON object', false)
    .option('--watch', 'every second', false)
    .action(async (options: { json: boolean; watch: boolean }) =>
      (await import('./status.ts')).showStatus(await context(), options),
    );
  root
    .command('events')
    .description('the last transitions of this node, with steps, times and reasons')
    .option('-n, --number <n>', 'how many', count, 20)
    .option('--json', 'one JSON object', false)
    .action(async (options: { number: number; json: boolean }) =>
      (await import('./events.ts')).showEvents(await context(), options),
    );
  root
    .command('where <address>')
    .description('the bucket, group and owner of an inside address')
    .option('--json', 'one JSON object', false)
    .action(async (address: string, options: { json: boolean }) =>
      (await import('./where.ts')).showWhere(await context(), address, options),
    );
  root
    .command('report')
    .description(
      'this node in one text for a mail: machine, versions, configuration, figures, rules; no secrets',
    )
    .action(async () => (await import('./report.ts')).showReport(await context()));
  root
    .command('render <what>')
    .description(
      'print a configuration for this node: keepalived, pacemaker, conntrackd, nftables or xtables',
    )
    .option('--node <name>', 'for another node')
    .option('--form <form>', `of pacemaker: ${FORMS.join(', ')}`, form)
    .option('--fragment', 'of keepalived: for an include in a keepalived.conf of your own')
    .action(async (what: string, options: { node?: string; form?: Form; fragment?: boolean }) => {
      const global = root.opts<GlobalOptions>();
      const chosen = await contextOf({ ...global, node: options.node ?? global.node });
      const { renderFor } = await import('./render.ts');
      console.log(await renderFor(chosen, what, options));
    });
  root
    .command('names', { hidden: true })
    .description("the cluster's nodes and groups, for the shells' completions")
    .action(async () => {
      const { printNames } = await import('./names.ts');
      return printNames(root.opts<GlobalOptions>().config);
    });
  return root;
};
