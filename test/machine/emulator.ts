import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { DebianMachine } from './debian-machine.ts';

export interface Boot {
  readonly debian: DebianMachine;
  /** A second disk, which it may write to. */
  readonly disk: string;
  /** A file for what it writes to its second serial port. */
  readonly report: string;
  /** Milliseconds of ours after which it is ended. */
  readonly limit: number;
  readonly cancelSignal: AbortSignal;
  /** Its console, as it comes. */
  readonly onOutput: (text: string) => void;
}

/**
 * Boots a machine in QEMU's software emulation and waits until it is off; resolves with what it has written to its second serial port.
 * Its clock counts its instructions (`-icount`: 1 ns each) and leaps to the next timer when there is nothing to do, so that a slow host
 * makes it last longer, but no timeout run out. (With `sleep=on` an idle machine's clock goes as ours: it sleeps through what the host takes
 * to wake it, and leases end.) That is one processor, whatever the host has. It has no network.
 * @throws Error if QEMU fails, is cancelled, or the limit has passed.
 */
export const bootMachine = async ({
  debian,
  disk,
  report,
  limit,
  cancelSignal,
  onOutput,
}: Boot): Promise<string> => {
  const args = [
    ...['-machine', 'q35', '-cpu', 'Nehalem,+rdrand', '-smp', '1', '-m', '4096'],
    ...['-accel', 'tcg', '-icount', 'shift=0,sleep=off', '-rtc', 'base=utc,clock=vm'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console', '-serial', `file:${report}`],
    ...['-kernel', debian.kernel, '-initrd', debian.initrd],
    ...['-append', 'console=ttyS0 quiet panic=-1 mitigations=off'],
    ...drive('root', debian.root, 'readonly=on', 4),
    ...drive('tree', disk, 'cache=unsafe', 5),
  ];
  // It ends with us, however we end.
  const running = execa('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
    stdin: 'ignore',
    stderr: 'inherit',
    buffer: false,
    timeout: limit,
    cancelSignal,
    forceKillAfterDelay: 1000,
  });
  running.stdout.setEncoding('utf8').on('data', onOutput);
  await running;
  return readFile(report, 'utf8');
};

const drive = (id: string, file: string, options: string, slot: number): readonly string[] => [
  ...['-drive', `file=${file},if=none,id=${id},format=raw,${options}`],
  ...['-device', `virtio-blk-pci,drive=${id},addr=${slot}`],
];
