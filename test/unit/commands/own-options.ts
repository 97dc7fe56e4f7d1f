import type { Command } from 'commander';
import { program } from '../../../src/commands/program.ts';

/** What the program shows of itself: its commands by name, each with its own options, short and long. */
export const ownOptions = (): ReadonlyMap<string, readonly string[]> => {
  const root = program();
  return new Map(
    root
      .createHelp()
      .visibleCommands(root)
      .filter((command) => command.name() !== 'help')
      .map((command) => [command.name(), optionsOf(command).filter((option) => !HELP.includes(option))]),
  );
};

/** The options before the command; those that also may stand after one are all but the version. */
export const globalOptions = (): readonly string[] => optionsOf(program());

const HELP = ['-h', '--help'];

const optionsOf = (command: Command): readonly string[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ short, long }) => [short, long])
    .filter((flag) => flag !== undefined);
